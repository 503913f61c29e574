/* SPDX-License-Identifier: ISC */
/* One question over the control socket, until its answer has been read. */
#include "gateway/control_server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/control_private.h"

#define ASK_LIMIT_US	5000000	  /* from connecting to the question */
#define ANSWER_LIMIT_US 300000000 /* for the whole answer */
#define STUCK_LIMIT_US	10000000  /* without a word taken by the peer */
#define TURN_US		2000	  /* of the loop's, for all that is said */
#define FULL_PAUSE_US	5000	  /* before looking whether it was read */
#define OUTDATED_US	5000000	  /* for an answer by rules of before */
#define SOLE_LIMIT_US	60000000  /* while others wait for the command */
#define SIGN_EVERY_US	10000000  /* where there is nothing to say */
#define LOOK_US		250000	  /* at one who waits */

enum call_step { CALL_ASKING, CALL_WAITING, CALL_ANSWERING, CALL_ENDED };

struct control_call {
	TAILQ_ENTRY(control_call) entry;
	struct control_server *server;
	struct ucred peer;
	struct control_asker *asker; /* the user of it */
	bool may_operate;
	struct link *link;
	struct event *turn;
	enum call_step step;
	uint64_t over_us;  /* when the step must be over */
	uint64_t taken_us; /* when the peer last took something */
	size_t queued;	   /* then */
	struct options *asked;
	const struct control_command *command;
	void *state;
	bool is_started; /* and has not been ended */
	uint64_t started_us;
	uint64_t said_us;	     /* when it last heard of us */
	const struct ruleset *rules; /* that the command holds; or NULL */
	uint64_t outdated_us;	     /* since when they are not in force */
	bool has_more;		     /* the command's pump is to be called */
};

/* ---- the end of a call */

/* What the command holds, too, when it has nothing to say any more. */
static void
release(struct control_call *call)
{
	if (call->is_started && call->command->end != NULL)
		call->command->end(call->state);
	call->is_started = false;
}

void
control_call_free(struct control_call *call)
{
	struct control_server *server = call->server;

	release(call);
	TAILQ_REMOVE(&server->calls, call, entry);
	control_askers_leave(&server->askers, call->asker);
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
	call->said_us = clock_monotonic_us();
	status = link_send(call->link, type, 0, data, len);
	if (status == 0)
		return;
	log_debug(NULL, "control socket: an answer is dropped: %s",
	    strerror(-status));
	drop(call);
}

struct options *
control_line_begin(const char *kind)
{
	struct options *line = options_new();

	options_add(line, "kind", kind);
	return line;
}

void
control_line_end(struct control_call *call, struct options *line)
{
	control_call_line(call, line);
	options_free(line);
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

void
control_call_tell(struct control_call *call, const char *format, ...)
{
	char what[CTL_SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	control_trail_tell(&call->server->trail, &call->peer, what);
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

const struct ucred *
control_call_peer(const struct control_call *call)
{
	return &call->peer;
}

void
control_call_holds(struct control_call *call, const struct ruleset *rules)
{
	call->rules = rules;
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
	uint64_t share_us = TURN_US / call->server->askers.calls;

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

/* Wants what the call wants alone. */
static bool
is_rival(const struct control_call *call, const struct control_call *other)
{
	return other != call && other->command != NULL &&
	       other->command->sole != NULL &&
	       strcmp(other->command->sole, call->command->sole) == 0 &&
	       (other->is_started || other->step == CALL_WAITING);
}

/* Root and our own user first, then who came first. */
static bool
has_turn(const struct control_call *call)
{
	const struct control_call *other;
	bool came_first = true;

	TAILQ_FOREACH (other, &call->server->calls, entry) {
		if (other == call)
			came_first = false;
		if (!is_rival(call, other))
			continue;
		if (other->is_started ||
		    (other->asker->is_ours == call->asker->is_ours
			    ? came_first
			    : other->asker->is_ours))
			return false;
	}
	return true;
}

static bool
keeps_others_waiting(const struct control_call *call)
{
	const struct control_call *other;

	TAILQ_FOREACH (other, &call->server->calls, entry)
		if (is_rival(call, other))
			return true;
	return false;
}

static void
refuse_to_operate(struct control_call *call)
{
	static const char why[] =
	    "only root, the gateway's own user and members of "
	    "control.operate_group may change anything";

	control_trail_refusal(&call->server->trail, &call->peer, why);
	control_call_fail(call, CTL_REFUSED, why);
}

/* As soon as it is that user's turn; it has looked at the time. */
static void
start_if_due(struct control_call *call, uint64_t now_us)
{
	if (call->command->sole != NULL && !has_turn(call))
		return;
	if (control_asker_wait_us(call->asker, now_us) > 0)
		return;
	if (call->command->operates && !call->may_operate) {
		refuse_to_operate(call);
		return;
	}
	if (!call->command->is_routine)
		control_trail_question(&call->server->trail, &call->asker->told,
		    &call->peer, call->command, call->asked);
	call->step = CALL_ANSWERING;
	call->over_us = now_us + ANSWER_LIMIT_US;
	call->started_us = now_us;
	call->is_started = true;
	call->state = call->command->start(call);
}

/* An old set of rules is not kept for who reads slowly. */
static bool
is_outdated(struct control_call *call, uint64_t now_us)
{
	if (call->rules == NULL || call->rules == call->server->world->rules)
		return false;
	if (call->outdated_us == 0)
		call->outdated_us = now_us;
	return now_us >= call->outdated_us + OUTDATED_US;
}

/* Others need what it holds. */
static void
fail_if_in_the_way(struct control_call *call, uint64_t now_us)
{
	if (call->step != CALL_ANSWERING)
		return;
	if (is_outdated(call, now_us))
		control_call_fail(call, CTL_UNAVAILABLE,
		    "the rules have changed while the answer was read; ask "
		    "again");
	else if (call->command->sole != NULL &&
		 now_us >= call->started_us + SOLE_LIMIT_US &&
		 keeps_others_waiting(call))
		control_call_fail(call, CTL_BUSY,
		    "the answer takes too long, and others wait for theirs");
}

/* Who waits for long is to know that somebody is there. */
static void
give_sign(struct control_call *call, uint64_t now_us)
{
	if ((call->step == CALL_WAITING || call->step == CALL_ANSWERING) &&
	    link_queued_bytes(call->link) == 0 &&
	    now_us >= call->said_us + SIGN_EVERY_US)
		say(call, CTL_WAIT, NULL, 0);
}

static uint64_t
pause_us(const struct control_call *call)
{
	if (link_queued_bytes(call->link) > 0 || call->step == CALL_WAITING)
		return FULL_PAUSE_US;
	return call->has_more || call->step == CALL_ENDED ? 0 : LOOK_US;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct control_call *call = arg;
	uint64_t now_us = clock_monotonic_us();

	(void)fd;
	(void)what;
	if (is_over(call, now_us)) {
		if (call->step != CALL_ENDED)
			log_warning(NULL,
			    "control socket: uid %u is given up: it %s",
			    (unsigned)call->peer.uid,
			    call->step == CALL_ASKING ? "asks nothing"
						      : "takes too long");
		control_call_free(call);
		return;
	}
	if (call->step == CALL_ENDED)
		release(call);
	if (call->step == CALL_WAITING)
		start_if_due(call, now_us);
	fail_if_in_the_way(call, now_us);
	pump(call, now_us);
	give_sign(call, now_us);
	call->queued = link_queued_bytes(call->link);
	turn_in(call, pause_us(call));
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
	call->step = CALL_WAITING;
	call->over_us = clock_monotonic_us() + ANSWER_LIMIT_US;
	start_if_due(call, clock_monotonic_us());
	turn_in(call, pause_us(call));
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

/* ---- its beginning */

void
control_call_refuse(struct control_server *server, int fd,
    const struct ucred *peer, enum ctl_failure failure, const char *why)
{
	struct link *link =
	    link_new(server->world->base, fd, handlers, on_closed, NULL);

	control_trail_refusal(&server->trail, peer, why);
	if (link != NULL)
		send_failure(link, failure, why);
	link_free(link);
}

void
control_call_open(struct control_server *server, int fd,
    const struct ucred *peer, struct control_asker *asker, bool may_operate)
{
	struct control_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		control_askers_leave(&server->askers, asker);
		(void)close(fd);
		return;
	}
	call->server = server;
	call->asker = asker;
	call->peer = *peer;
	call->may_operate = may_operate;
	call->taken_us = call->said_us = clock_monotonic_us();
	call->over_us = call->taken_us + ASK_LIMIT_US;
	TAILQ_INSERT_TAIL(&server->calls, call, entry);
	call->link =
	    link_new(server->world->base, fd, handlers, on_closed, call);
	call->turn = evtimer_new(server->world->base, on_turn, call);
	if (call->link == NULL || call->turn == NULL)
		control_call_free(call);
	else
		turn_in(call, LOOK_US);
}
