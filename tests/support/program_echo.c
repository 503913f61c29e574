/* SPDX-License-Identifier: ISC */
/*
 * A program of the house for tests of the master: it takes any role (that
 * its own name ends in), and tells all that happens to it, one line each, in
 * the file "observer" beside it.
 *
 * It refuses a configuration whose kerberos.rounds_max is 13, hangs after one
 * whose is 12, and says hello over each link that it gets.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/compiler.h"
#include "base/control.h"
#include "base/link.h"
#include "base/must.h"
#include "base/program.h"
#include "base/wire.h"

#define HELLO	    1
#define HANGS	    12
#define REFUSED	    13
#define DESCRIPTORS 256

struct echo {
	struct program *program;
	char name[40];
	uint32_t index;
	int observer;
};

static struct program_functions functions;

struct peer {
	struct echo *echo;
	struct link *link;
	char name[64];
};

static void
    printf_like(2, 3) tell(const struct echo *echo, const char *format, ...)
{
	char line[400];
	va_list args;
	int at = snprintf(line, sizeof(line), "%s %u %d ", echo->name,
	    (unsigned)echo->index, (int)getpid());

	va_start(args, format);
	at += vsnprintf(line + at, sizeof(line) - (size_t)at - 1, format, args);
	va_end(args);
	line[at++] = '\n';
	must(write(echo->observer, line, (size_t)at) == at);
}

static int
open_observer(const char *directory)
{
	char path[200];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/observer", directory);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

static void
on_start(void *state, struct program *program)
{
	struct echo *echo = state;

	echo->program = program;
}

static unsigned
count_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

_Noreturn static void
hang(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell(arg, "hangs");
	for (;;)
		(void)pause();
}

static int
on_configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct echo *echo = state;
	uint64_t rounds = options_get_u64(options, "kerberos.rounds_max", 0);

	echo->index = (uint32_t)options_get_u64(options, "index", 0);
	if (rounds == REFUSED) {
		tell(echo, "refused");
		(void)snprintf(why, why_size, "%d is refused", REFUSED);
		return -1;
	}
	if (rounds == HANGS)
		(void)event_base_once(program_base(echo->program), -1,
		    EV_TIMEOUT, hang, echo, NULL);
	tell(echo, "configured %llu %s", (unsigned long long)rounds,
	    options_get(options, "state_dir", "?"));
	tell(echo, "descriptors %u", count_descriptors());
	return 0;
}

static void
on_file(void *state, const char *name, int fd)
{
	struct echo *echo = state;
	char text[64] = "";

	must(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	tell(echo, "file %s %s", name, text);
	(void)close(fd);
}

static void
on_hello(void *arg, struct link_message *message)
{
	struct peer *peer = arg;

	tell(peer->echo, "heard %.*s by %s", (int)message->len,
	    (const char *)message->data, peer->name);
}

static void
on_closed(void *arg)
{
	struct peer *peer = arg;

	tell(peer->echo, "lost %s", peer->name);
	link_free(peer->link);
	free(peer);
}

static const struct link_handler handlers[] = {
    {HELLO, 1, 64, on_hello},
    {.handle = NULL},
};

static void
on_linked(void *state, enum role role, uint32_t index, uint32_t slot, int fd)
{
	struct echo *echo = state;
	struct peer *peer = must_alloc(1, sizeof(*peer));

	peer->echo = echo;
	(void)snprintf(peer->name, sizeof(peer->name), "%s %u slot %u",
	    role_name(role), (unsigned)index, (unsigned)slot);
	peer->link = link_new(
	    program_base(echo->program), fd, handlers, on_closed, peer);
	must(peer->link != NULL);
	if (link_send(peer->link, HELLO, 0, echo->name, strlen(echo->name)) < 0)
		tell(echo, "found %s gone", peer->name);
}

static void
on_message(void *state, struct link_message *message)
{
	struct echo *echo = state;
	struct wire_reader reader;
	char name[64];

	wire_reader_init(&reader, message->data, message->len);
	switch (message->type) {
	case CONTROL_LISTENER:
		wire_get_string(&reader, name, sizeof(name));
		must(wire_is_done(&reader) && message->fd >= 0);
		tell(echo, "listener %s", name);
		break;
	case CONTROL_SETTINGS:
		/* Sealed: nobody writes to it any more. */
		must(pwrite(message->fd, "x", 1, 0) < 0);
		tell(echo, "settings");
		break;
	case CONTROL_ADDRESSES:
		tell(echo, "addresses %u", wire_get_u32(&reader));
		break;
	case CONTROL_SOCKET:
		must(message->fd >= 0);
		tell(echo, "control socket %u", wire_get_u32(&reader));
		break;
	default:
		must(false);
	}
}

static void
on_stop(void *state)
{
	struct echo *echo = state;

	tell(echo, "stopped");
	program_exit(echo->program);
}

static enum role
role_of(const char *path)
{
	const char *name = strrchr(path, '/');

	must(name != NULL);
	name += strlen("/gatewarden-");
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		if (strcmp(name, role_name(role)) == 0)
			return role;
	}
	must(false);
	return ROLE_COUNT;
}

int
main(int argc, char **argv)
{
	static struct echo echo;
	char *directory;

	functions = (struct program_functions){
	    .role = role_of(argv[0]),
	    .configure = on_configure,
	    .file = on_file,
	    .linked = on_linked,
	    .message = on_message,
	    .stop = on_stop,
	};
	directory = must_strdup(argv[0]);
	*strrchr(directory, '/') = '\0';
	(void)snprintf(
	    echo.name, sizeof(echo.name), "%s", role_name(functions.role));
	echo.observer = open_observer(directory);
	free(directory);
	tell(&echo, "up LANG=%s HOME=%s", getenv("LANG") != NULL ? "C" : "",
	    getenv("HOME") != NULL ? "set" : "unset");
	program_run(&functions, on_start, &echo, argc, argv);
}
