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
#include "gateway/notify.h"
#include "gateway/settings.h"

/* Whose socket it is besides ours. */
enum owner {
	OWNER_NONE,
	OWNER_UNIT,  /* the service manager's: it stays there beyond our end */
	OWNER_STORED /* the same, but it was we who gave it there */
};

struct listener {
	char name[LISTENER_NAME_SIZE];
	struct socket_address bind;
	int fd;
	enum owner owner;
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

static const struct listener *
find(const struct listeners *have, const struct socket_address *bind)
{
	for (size_t i = 0; have != NULL && i < have->count; i++)
		if (is_same(&have->listener[i].bind, bind))
			return &have->listener[i];
	return NULL;
}

/* Takes a descriptor of its own for a socket that is open already. */
static void
share(struct listener *listener, const struct listeners *have)
{
	const struct listener *open = find(have, &listener->bind);

	listener->fd = -1;
	if (open == NULL || open->fd < 0)
		return;
	listener->fd = fcntl(open->fd, F_DUPFD_CLOEXEC, 0);
	listener->owner = open->owner;
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
	share(listener, have);
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
#define INHERITED_MAX	LISTENERS_BEQUEATH_MAX

/* What LISTEN_FDNAMES says of whose they are; all others are a unit's. */
#define NAME_BEQUEATHED "bequeathed" /* by the program before us */
#define NAME_STORED	"stored."    /* before the name of the listener */
#define NAME_SIZE	(sizeof(NAME_STORED) + LISTENER_NAME_SIZE)

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

/* One that was shut opens again: to detach what is not there is no error of
 * ours. */
static bool
inherit_one(struct listener *listener, int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	const int none = 0;

	listener->fd = fd;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || !is_listening(fd) ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
	    !socket_address_from(
		(const struct sockaddr *)&at, len, &listener->bind) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
	return true;
}

/* The next of the names that colons part; "" when there is none. */
static void
take_name(struct listener *listener, char **names)
{
	const char *name = *names != NULL ? strsep(names, ":") : "";
	size_t prefix = strlen(NAME_STORED);

	listener->owner = OWNER_UNIT;
	if (strcmp(name, NAME_BEQUEATHED) == 0) {
		listener->owner = OWNER_NONE;
	} else if (strncmp(name, NAME_STORED, prefix) == 0) {
		listener->owner = OWNER_STORED;
		(void)strlcpy(
		    listener->name, name + prefix, sizeof(listener->name));
	}
}

static struct listeners *
inherit(uint64_t count, char *names, char *why, size_t why_size)
{
	struct listeners *listeners =
	    must_alloc(1, sizeof(*listeners) + count * sizeof(struct listener));

	while (listeners->count < count) {
		size_t n = listeners->count++;
		int fd = FIRST_INHERITED + (int)n;

		take_name(&listeners->listener[n], &names);
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

struct listeners *
listeners_inherit(char *why, size_t why_size)
{
	const char *text = getenv("LISTEN_FDNAMES");
	char *names = text != NULL ? must_strdup(text) : NULL;
	struct listeners *listeners = NULL;
	uint64_t count;

	if (read_count(&count, why, why_size))
		listeners = inherit(count, names, why, why_size);
	(void)unsetenv("LISTEN_FDNAMES");
	free(names);
	return listeners;
}

static bool
is_wanted(const struct settings *settings, const struct socket_address *address)
{
	for (size_t k = 0; k < settings->listener_count; k++)
		if (is_same(address, &settings->listeners[k].bind))
			return true;
	return false;
}

static void
print_stored(const struct listener *listener, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, NAME_STORED "%s", listener->name);
}

static void
forget_stored(const struct listener *listener)
{
	char name[NAME_SIZE];

	print_stored(listener, name);
	notify_forget(name);
}

bool
listeners_fit(struct listeners *have, const struct settings *settings,
    char *why, size_t why_size)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < have->count; i++) {
		struct listener *listener = &have->listener[i];

		if (is_wanted(settings, &listener->bind))
			continue;
		if (listener->owner == OWNER_UNIT) {
			(void)snprintf(why, why_size,
			    "LISTEN_FDS hands over a socket for %s, which is "
			    "the address of no listener of the settings",
			    socket_address_print(&listener->bind, text));
			return false;
		}
		(void)close(listener->fd);
		listener->fd = -1;
		if (listener->owner == OWNER_STORED)
			forget_stored(listener);
	}
	return true;
}

void
listeners_store(
    const struct listeners *listeners, const struct listeners *before)
{
	char name[NAME_SIZE];

	for (size_t i = 0; before != NULL && i < before->count; i++)
		if (before->listener[i].owner != OWNER_UNIT &&
		    find(listeners, &before->listener[i].bind) == NULL)
			forget_stored(&before->listener[i]);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->listener[i];

		if (listener->owner != OWNER_NONE ||
		    find(before, &listener->bind) != NULL)
			continue;
		print_stored(listener, name);
		notify_store(name, listener->fd);
	}
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
		if (listeners->listener[i].owner == OWNER_NONE &&
		    setsockopt(listeners->listener[i].fd, SOL_SOCKET,
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

struct listeners *
listeners_copy(const struct listeners *listeners)
{
	size_t size = sizeof(*listeners) +
		      listeners->count * sizeof(listeners->listener[0]);
	struct listeners *copy = must_alloc(1, size);

	memcpy(copy, listeners, size);
	for (size_t i = 0; i < copy->count; i++) {
		struct listener *listener = &copy->listener[i];

		/* Above all to which they are to go. */
		listener->fd = fcntl(listener->fd, F_DUPFD_CLOEXEC,
		    FIRST_INHERITED + INHERITED_MAX);
		if (listener->fd < 0)
			die("a listening socket cannot be kept: %s",
			    strerror(errno));
	}
	return copy;
}

static void
set_number(const char *variable, size_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%zu", number);
	must(setenv(variable, text, 1) == 0);
}

void
listeners_bequeath(struct listeners *listeners)
{
	char names[INHERITED_MAX * (NAME_SIZE + 1)] = "", name[NAME_SIZE];

	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->listener[i];

		if (dup2(listener->fd, FIRST_INHERITED + (int)i) < 0)
			die("a listening socket cannot be left: %s",
			    strerror(errno));
		if (i > 0)
			(void)strlcat(names, ":", sizeof(names));
		name[0] = '\0';
		if (listener->owner == OWNER_NONE)
			(void)strlcpy(name, NAME_BEQUEATHED, sizeof(name));
		else if (listener->owner == OWNER_STORED)
			print_stored(listener, name);
		(void)strlcat(names, name, sizeof(names));
	}
	set_number("LISTEN_PID", (size_t)getpid());
	set_number("LISTEN_FDS", listeners->count);
	must(setenv("LISTEN_FDNAMES", names, 1) == 0);
	listeners_close(listeners);
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
