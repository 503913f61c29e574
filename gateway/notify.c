/* SPDX-License-Identifier: ISC */
/*
 * What the service manager is told (sd_notify(3)): one datagram to the socket
 * that NOTIFY_SOCKET names.
 */
#include "gateway/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

static bool
find_socket(struct sockaddr_un *to, socklen_t *to_len)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	if (len == 0 || len >= sizeof(to->sun_path))
		return false;
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(to->sun_path, path, len);
	if (path[0] == '@') /* the abstract name space */
		to->sun_path[0] = '\0';
	*to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* With a copy of `passed`, unless it is -1. */
static void
tell_with(char *text, int passed)
{
	union {
		char octets[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} room = {0};
	struct sockaddr_un to;
	struct iovec part = {text, strlen(text)};
	struct msghdr message = {
	    .msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
	int fd;

	if (!find_socket(&to, &message.msg_namelen))
		return;
	if (passed >= 0) {
		message.msg_control = room.octets;
		message.msg_controllen = sizeof(room.octets);
		room.aligned.cmsg_level = SOL_SOCKET;
		room.aligned.cmsg_type = SCM_RIGHTS;
		room.aligned.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&room.aligned), &passed, sizeof(int));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_warning(NULL, "cannot tell the service manager %s", text);
	if (fd >= 0)
		(void)close(fd);
}

static void printf_like(1, 2) tell(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell_with(text, -1);
}

void
notify_ready(const char *status)
{
	tell("READY=1\nSTATUS=%s", status);
}

void
notify_reloading(void)
{
	tell("RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_us());
}

void
notify_stopping(uint64_t seconds)
{
	tell("STOPPING=1\nSTATUS=Ending, sessions may go on for a while\n"
	     "EXTEND_TIMEOUT_USEC=%" PRIu64,
	    seconds * 1000000);
}

void
notify_alive(void)
{
	tell("WATCHDOG=1");
}

uint64_t
notify_watchdog_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	const char *text = getenv("WATCHDOG_USEC");
	uint64_t number;

	if (pid != NULL && (!text_parse_u64(pid, 1, INT32_MAX, &number) ||
			       number != (uint64_t)getpid()))
		return 0;
	if (text == NULL || !text_parse_u64(text, 1, UINT64_MAX / 2, &number))
		return 0;
	return number;
}

void
notify_store(const char *name, int fd)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	tell_with(text, fd);
}

void
notify_forget(const char *name)
{
	tell("FDSTOREREMOVE=1\nFDNAME=%s", name);
}
