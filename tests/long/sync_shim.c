/* SPDX-License-Identifier: ISC */
/*
 * For tests/long/kill_audit, as LD_PRELOAD: a line for what was made durable,
 * and when, and for each connection that was begun.
 *
 *	sync INODE OCTETS NANOSECONDS	 fsync or fdatasync has returned; the
 *					 file had so many octets before
 *	truncate INODE OCTETS NANOSECONDS
 *	connect LOCAL-PORT PORT NANOSECONDS
 *
 * The octets behind the last of these are what a loss of power could take.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HIGH_FD 700 /* out of everybody's way */

static int out = -1;

/* Before main() enters its sandbox. */
__attribute__((constructor)) static void
open_log(void)
{
	const char *path = getenv("SYNC_SHIM_LOG");
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND);

	if (fd >= 0) {
		out = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
		(void)close(fd);
	}
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One write: lines of several programs do not mix. */
static void
say(const char *what, uint64_t a, uint64_t b)
{
	int kept = errno;
	char line[128];
	int len = snprintf(line, sizeof(line),
	    "%s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", what, a, b, now_ns());

	if (out >= 0)
		(void)!write(out, line, (size_t)len);
	errno = kept;
}

static int
sync_by(int (*call)(int), int fd)
{
	struct stat status;
	int known = fstat(fd, &status), result = call(fd);

	if (result == 0 && known == 0)
		say("sync", status.st_ino, (uint64_t)status.st_size);
	return result;
}

int
fsync(int fd)
{
	return sync_by((int (*)(int))dlsym(RTLD_NEXT, "fsync"), fd);
}

int
fdatasync(int fd)
{
	return sync_by((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"), fd);
}

int
ftruncate(int fd, off_t len)
{
	int (*call)(int, off_t) =
	    (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
	struct stat status;
	int result = call(fd, len);

	if (result == 0 && fstat(fd, &status) == 0)
		say("truncate", status.st_ino, (uint64_t)len);
	return result;
}

static in_port_t
port_of(const struct sockaddr *address)
{
	return ntohs(address->sa_family == AF_INET6
			 ? ((const struct sockaddr_in6 *)(const void *)address)
			       ->sin6_port
			 : ((const struct sockaddr_in *)(const void *)address)
			       ->sin_port);
}

int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*call)(int, const struct sockaddr *, socklen_t) = (int (*)(int,
	    const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
	uint64_t began = now_ns();
	int result = call(fd, address, len), kept = errno;
	struct sockaddr_storage local;
	socklen_t local_len = sizeof(local);
	char line[128];

	if (out >= 0 &&
	    (address->sa_family == AF_INET || address->sa_family == AF_INET6) &&
	    getsockname(fd, (struct sockaddr *)&local, &local_len) == 0) {
		len = (socklen_t)snprintf(line, sizeof(line),
		    "connect %u %u %" PRIu64 "\n",
		    (unsigned)port_of((struct sockaddr *)&local),
		    (unsigned)port_of(address), began);
		(void)!write(out, line, len);
	}
	errno = kept;
	return result;
}
