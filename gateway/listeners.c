/* SPDX-License-Identifier: ISC */
/* The listening sockets, opened by the master. */
#include "gateway/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "gateway/settings.h"

struct listener {
	char name[LISTENER_NAME_SIZE];
	struct socket_address bind;
	int fd;
};

struct listeners {
	size_t count;
	struct listener listener[];
};

static bool
is_same(const struct socket_address *a, const struct socket_address *b)
{
	return address_is_equal(&a->address, &b->address) && a->port == b->port;
}

/* A descriptor of its own for a socket that is open already, or -1. */
static int
share(const struct listeners *have, const struct socket_address *bind)
{
	for (size_t i = 0; have != NULL && i < have->count; i++) {
		if (is_same(&have->listener[i].bind, bind))
			return fcntl(have->listener[i].fd, F_DUPFD_CLOEXEC, 0);
	}
	return -1;
}

static bool
set(int fd, int level, int option)
{
	const int yes = 1;

	return setsockopt(fd, level, option, &yes, sizeof(yes)) == 0;
}

static int
open_socket(const struct socket_address *address)
{
	struct sockaddr_storage to;
	socklen_t len = socket_address_to(address, &to);
	int fd =
	    socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (!set(fd, SOL_SOCKET, SO_REUSEADDR) ||
	    (to.ss_family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
	    bind(fd, (const struct sockaddr *)&to, len) < 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* listen(2) on an open listener only changes its backlog. */
static bool
open_listener(struct listener *listener,
    const struct listener_settings *settings, const struct listeners *have)
{
	memcpy(listener->name, settings->name, sizeof(listener->name));
	listener->bind = settings->bind;
	listener->fd = share(have, &settings->bind);
	if (listener->fd < 0)
		listener->fd = open_socket(&settings->bind);
	return listener->fd >= 0 &&
	       listen(listener->fd, (int)settings->backlog) == 0;
}

struct listeners *
listeners_open(const struct settings *settings, const struct listeners *have,
    char *why, size_t why_size)
{
	size_t count = settings->listener_count;
	struct listeners *listeners =
	    must_alloc(1, sizeof(*listeners) + count * sizeof(struct listener));

	for (size_t i = 0; i < count; i++) {
		const struct listener_settings *wanted =
		    &settings->listeners[i];

		listeners->count++;
		if (!open_listener(&listeners->listener[i], wanted, have)) {
			(void)snprintf(why, why_size,
			    "listener %s cannot listen on %s: %s", wanted->name,
			    wanted->address, strerror(errno));
			listeners_close(listeners);
			return NULL;
		}
	}
	return listeners;
}

/* ---- what the service manager hands over */

#define FIRST_INHERITED 3
#define INHERITED_MAX	256

/* How many; 0 if they are for another process, or not there. */
static bool
read_count(uint64_t *count, char *why, size_t why_size)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number = 0;
	bool was_good = true;

	*count = 0;
	if (pid != NULL && fds != NULL) {
		was_good = text_parse_u64(pid, 1, INT32_MAX, &number) &&
			   text_parse_u64(fds, 0, INHERITED_MAX, count);
		if (!was_good)
			(void)snprintf(why, why_size,
			    "LISTEN_PID or LISTEN_FDS is no number, or there "
			    "are more than %d descriptors",
			    INHERITED_MAX);
		else if (number != (uint64_t)getpid())
			*count = 0;
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return was_good;
}

static bool
is_listening(int fd)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return false;
	len = sizeof(listens);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       type == SOCK_STREAM && listens != 0;
}

static bool
inherit_one(struct listener *listener, int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	listener->fd = fd;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && is_listening(fd) &&
	       getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
	       socket_address_from(
		   (const struct sockaddr *)&at, len, &listener->bind) &&
	       fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

struct listeners *
listeners_inherit(char *why, size_t why_size)
{
	struct listeners *listeners;
	uint64_t count;

	if (!read_count(&count, why, why_size))
		return NULL;
	listeners =
	    must_alloc(1, sizeof(*listeners) + count * sizeof(struct listener));
	while (listeners->count < count) {
		size_t n = listeners->count++;
		int fd = FIRST_INHERITED + (int)n;

		if (inherit_one(&listeners->listener[n], fd))
			continue;
		(void)snprintf(why, why_size,
		    "descriptor %d of LISTEN_FDS is no listening TCP socket",
		    fd);
		listeners_close(listeners);
		return NULL;
	}
	return listeners;
}

bool
listeners_fit(const struct listeners *have, const struct settings *settings,
    char *why, size_t why_size)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < have->count; i++) {
		const struct socket_address *at = &have->listener[i].bind;
		bool is_found = false;

		for (size_t k = 0; k < settings->listener_count; k++)
			is_found |= is_same(at, &settings->listeners[k].bind);
		if (is_found)
			continue;
		(void)snprintf(why, why_size,
		    "LISTEN_FDS hands over a socket for %s, which is the "
		    "address of no listener of the settings",
		    socket_address_print(at, text));
		return false;
	}
	return true;
}

void
listeners_close(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->listener[i].fd >= 0)
			(void)close(listeners->listener[i].fd);
	}
	free(listeners);
}

/* A filter of a TCP socket sees the packet from the TCP header on: the octet
 * with the flags is the 14th (RFC 9293 section 3.1). */
void
listeners_shut(const struct listeners *listeners)
{
	struct sock_filter drop_syn[] = {
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
	    .len = ARRAY_COUNT(drop_syn), .filter = drop_syn};

	for (size_t i = 0; i < listeners->count; i++)
		if (setsockopt(listeners->listener[i].fd, SOL_SOCKET,
			SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
			log_warning(NULL, "listener %s cannot be shut: %s",
			    listeners->listener[i].name, strerror(errno));
}

void
listeners_leave(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->listener[i].fd >= 0)
			(void)close(listeners->listener[i].fd);
		listeners->listener[i].fd = -1;
	}
}

size_t
listeners_count(const struct listeners *listeners)
{
	return listeners->count;
}

const char *
listeners_name(const struct listeners *listeners, size_t n)
{
	must(n < listeners->count);
	return listeners->listener[n].name;
}

int
listeners_fd(const struct listeners *listeners, size_t n)
{
	must(n < listeners->count);
	return listeners->listener[n].fd;
}
