/* SPDX-License-Identifier: ISC */
/* Answers gatewardenctl over the control socket. */
#include "gateway/control_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/control_peer.h"
#include "gateway/control_trail.h"
#include "relay/sockets.h"

#define ASK_LIMIT_US	5000000	  /* from connecting to the question */
#define ANSWER_LIMIT_US 300000000 /* for the whole answer */
#define STUCK_LIMIT_US	10000000  /* without a word taken by the peer */
#define TURN_US		2000	  /* of the loop's, for all that is said */
#define FULL_PAUSE_US	5000	  /* before looking whether it was read */
#define LOOK_US		250000	  /* at one who waits */
#define ACCEPT_PAUSE_US 100000	  /* when descriptors are short */

enum call_step { CALL_ASKING, CALL_ANSWERING, CALL_ENDED };

struct control_call {
	TAILQ_ENTRY(control_call) entry;
	struct control_server *server;
	struct ucred peer;
	struct link *link;
	struct event *turn;
	enum call_step step;
	uint64_t over_us;  /* when the step must be over */
	uint64_t taken_us; /* when the peer last took something */
	size_t queued;	   /* then */
	struct options *asked;
	const struct control_command *command; /* once it has been started */
	void *state;
	bool has_more; /* the command's pump is to be called */
};

struct control_server {
	const struct control_world *world;
	struct control_trail trail;
	const struct control_command *const *commands;
	int fd;
	uint32_t group;
	struct event *listening;
	struct event *resume; /* listening, after a shortage */
	TAILQ_HEAD(, control_call) calls;
	size_t call_count;
};

/* ---- the end of a call */

static void
call_free(struct control_call *call)
{
	struct control_server *server = call->server;

	if (call->command != NULL && call->command->end != NULL)
		call->command->end(call->state);
	TAILQ_REMOVE(&server->calls, call, entry);
	server->call_count--;
	if (call->turn != NULL)
		event_free(call->turn);
	link_free(call->link);
	options_free(call->asked);
	free(call);
}

static void
turn_in(struct control_call *call, uint64_t after_us)
{
	const struct timeval after = {
	    .tv_sec = (time_t)(after_us / 1000000),
	    .tv_usec = (suseconds_t)(after_us % 1000000),
	};

	(void)event_add(call->turn, &after);
}

/* The rest happens in its next turn, when nobody of ours stands on it. */
static void
finish(struct control_call *call, uint64_t limit_us)
{
	if (call->step == CALL_ENDED)
		return;
	call->step = CALL_ENDED;
	call->has_more = false;
	call->over_us = clock_monotonic_us() + limit_us;
	turn_in(call, 0);
}

/* Nobody reads it any more. */
static void
drop(struct control_call *call)
{
	finish(call, 0);
	call->over_us = 0;
	turn_in(call, 0);
}

static void
say(struct control_call *call, uint16_t type, const void *data, size_t len)
{
	int status;

	if (call->step == CALL_ENDED)
		return;
	status = link_send(call->link, type, 0, data, len);
	if (status == 0)
		return;
	log_debug(NULL, "control socket: an answer is dropped: %s",
	    strerror(-status));
	drop(call);
}

void
control_call_line(struct control_call *call, const struct options *line)
{
	uint8_t *data;
	size_t len;

	options_encode(line, &data, &len);
	/* DNs are as long as whoever writes them likes. */
	if (len > CTL_LINE_MAX)
		control_call_fail(call, CTL_UNAVAILABLE,
		    "a line of the answer is too long to be said");
	else
		say(call, CTL_LINE, data, len);
	free(data);
}

void
control_call_octets(struct control_call *call, const void *data, size_t len)
{
	must(len <= CTL_OCTETS_MAX);
	say(call, CTL_OCTETS, data, len);
}

size_t
control_call_queued(const struct control_call *call)
{
	return link_queued_bytes(call->link);
}

void
control_call_done(struct control_call *call)
{
	say(call, CTL_DONE, NULL, 0);
	finish(call, STUCK_LIMIT_US);
}

static void
send_failure(struct link *link, enum ctl_failure failure, const char *sentence)
{
	struct ctl_failed failed = {.failure = failure};
	uint8_t data[CTL_FAILED_MAX];
	int status;

	(void)strlcpy(failed.sentence, sentence, sizeof(failed.sentence));
	status = link_send(
	    link, CTL_FAILED, 0, data, ctl_failed_encode(&failed, data));
	if (status < 0)
		log_debug(NULL, "control socket: %s", strerror(-status));
}

void
control_call_fail(struct control_call *call, enum ctl_failure failure,
    const char *format, ...)
{
	char sentence[CTL_SENTENCE_SIZE];
	va_list args;

	if (call->step == CALL_ENDED)
		return;
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	send_failure(call->link, failure, sentence);
	finish(call, STUCK_LIMIT_US);
}

/* ---- turns */

const struct control_world *
control_call_world(const struct control_call *call)
{
	return call->server->world;
}

const struct options *
control_call_asked(const struct control_call *call)
{
	return call->asked;
}

void
control_call_pump(struct control_call *call)
{
	must(call->command == NULL || call->command->pump != NULL);
	if (call->step == CALL_ENDED)
		return;
	call->has_more = true;
	turn_in(call, 0);
}

static void
pump(struct control_call *call, uint64_t now_us)
{
	uint64_t share_us = TURN_US / call->server->call_count;

	while (call->has_more &&
	       link_queued_bytes(call->link) < CONTROL_QUEUE_MAX) {
		call->has_more = call->command->pump(call, call->state) &&
				 call->step != CALL_ENDED;
		if (clock_monotonic_us() >= now_us + share_us)
			break;
	}
}

/* Does the peer take what waits for it? */
static bool
is_stuck(struct control_call *call, uint64_t now_us)
{
	size_t queued = link_queued_bytes(call->link);

	if (queued == 0 || queued < call->queued)
		call->taken_us = now_us;
	call->queued = queued;
	return now_us >= call->taken_us + STUCK_LIMIT_US;
}

static bool
is_over(struct control_call *call, uint64_t now_us)
{
	if (now_us >= call->over_us || is_stuck(call, now_us))
		return true;
	return call->step == CALL_ENDED && link_queued_bytes(call->link) == 0;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct control_call *call = arg;
	uint64_t now_us = clock_monotonic_us();
	bool is_full;

	(void)fd;
	(void)what;
	if (is_over(call, now_us)) {
		if (call->step != CALL_ENDED)
			log_warning(NULL,
			    "control socket: uid %u is given up: it %s",
			    (unsigned)call->peer.uid,
			    call->step == CALL_ASKING ? "asks nothing"
						      : "takes too long");
		call_free(call);
		return;
	}
	pump(call, now_us);
	is_full = link_queued_bytes(call->link) > 0;
	call->queued = link_queued_bytes(call->link);
	turn_in(call, is_full ? FULL_PAUSE_US
		      : call->has_more || call->step == CALL_ENDED ? 0
								   : LOOK_US);
}

/* ---- asking */

static const struct control_command *
find(const struct control_server *server, const char *name)
{
	for (size_t i = 0; server->commands[i] != NULL; i++)
		if (strcmp(server->commands[i]->name, name) == 0)
			return server->commands[i];
	return NULL;
}

static void
on_ask(void *arg, struct link_message *message)
{
	struct control_call *call = arg;

	if (call->step != CALL_ASKING) {
		drop(call);
		return;
	}
	call->asked = options_decode(message->data, message->len);
	if (call->asked == NULL) {
		control_call_fail(
		    call, CTL_BAD_QUESTION, "the question could not be read");
		return;
	}
	call->command =
	    find(call->server, options_get(call->asked, "command", ""));
	if (call->command == NULL) {
		control_call_fail(call, CTL_BAD_QUESTION,
		    "this gateway does not know the command");
		return;
	}
	control_trail_question(&call->server->trail, &call->peer, call->asked);
	call->step = CALL_ANSWERING;
	call->over_us = clock_monotonic_us() + ANSWER_LIMIT_US;
	call->state = call->command->start(call);
}

static void
on_closed(void *arg)
{
	drop(arg);
}

static const struct link_handler handlers[] = {
    {CTL_ASK, 1, CTL_ASK_MAX, on_ask},
    {0, 0, 0, NULL},
};

/* ---- who asks */

static void
refuse(struct control_server *server, int fd, const struct ucred *peer,
    enum ctl_failure failure, const char *why)
{
	struct link *link =
	    link_new(server->world->base, fd, handlers, on_closed, NULL);

	control_trail_refusal(&server->trail, peer, why);
	if (link != NULL)
		send_failure(link, failure, why);
	link_free(link);
}

static void
open_call(struct control_server *server, int fd, const struct ucred *peer)
{
	struct control_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		(void)close(fd);
		return;
	}
	call->server = server;
	call->peer = *peer;
	call->taken_us = clock_monotonic_us();
	call->over_us = call->taken_us + ASK_LIMIT_US;
	TAILQ_INSERT_TAIL(&server->calls, call, entry);
	server->call_count++;
	call->link =
	    link_new(server->world->base, fd, handlers, on_closed, call);
	call->turn = evtimer_new(server->world->base, on_turn, call);
	if (call->link == NULL || call->turn == NULL)
		call_free(call);
	else
		turn_in(call, LOOK_US);
}

/* Nobody else is served before there are descriptors again. */
static void
pause_accepting(struct control_server *server)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_US};

	log_warning(NULL, "control socket: cannot accept: %s", strerror(errno));
	(void)event_del(server->listening);
	(void)event_add(server->resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control_server *server = arg;

	(void)fd;
	(void)what;
	(void)event_add(server->listening, NULL);
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct control_server *server = arg;
	struct ucred peer;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0) {
		if (sockets_is_shortage(errno))
			pause_accepting(server);
		return;
	}
	if (!control_peer_find(fd, &peer))
		(void)close(fd);
	else if (!control_peer_may_ask(fd, &peer, server->group))
		refuse(server, fd, &peer, CTL_REFUSED,
		    "only root, the gateway's own user and members of "
		    "control.read_group may ask");
	else if (server->call_count >= CONTROL_CALLS_MAX)
		refuse(server, fd, &peer, CTL_BUSY,
		    "too many questions at a time");
	else
		open_call(server, fd, &peer);
}

/* ---- beginning and end */

struct control_server *
control_server_new(const struct control_world *world,
    struct audit_sender *audit, const struct control_command *const *commands)
{
	struct control_server *server = must_alloc(1, sizeof(*server));

	server->world = world;
	server->trail.audit = audit;
	server->commands = commands;
	server->fd = -1;
	server->group = CONTROL_NO_GROUP;
	TAILQ_INIT(&server->calls);
	server->resume = evtimer_new(world->base, on_resume, server);
	if (server->resume == NULL)
		die("out of memory");
	return server;
}

static void
stop_listening(struct control_server *server)
{
	if (server->listening != NULL)
		event_free(server->listening);
	server->listening = NULL;
	(void)event_del(server->resume);
	if (server->fd >= 0)
		(void)close(server->fd);
	server->fd = -1;
}

void
control_server_listen(struct control_server *server, int fd, uint32_t group)
{
	stop_listening(server);
	server->fd = fd;
	server->group = group;
	server->listening = event_new(server->world->base, fd,
	    EV_READ | EV_PERSIST, on_connection, server);
	if (server->listening == NULL ||
	    event_add(server->listening, NULL) != 0) {
		log_error(NULL, "the control socket cannot be served");
		stop_listening(server);
	}
}

void
control_server_free(struct control_server *server)
{
	if (server == NULL)
		return;
	stop_listening(server);
	event_free(server->resume);
	while (!TAILQ_EMPTY(&server->calls))
		call_free(TAILQ_FIRST(&server->calls));
	free(server);
}
