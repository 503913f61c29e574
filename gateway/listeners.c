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
