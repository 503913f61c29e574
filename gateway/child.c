/* SPDX-License-Identifier: ISC */
/*
 * One program that the master has started: its process, its control link,
 * its pulse.
 */
#include "gateway/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/control_request.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "base/timeval.h"
#include "base/wire.h"
#include "gateway/spawn.h"

#define NAME_SIZE  40
#define NAMED_SIZE 256 /* a counted name of a file or a listener */
#define WHY_SIZE   513

struct child {
	struct child_spec spec;
	char *path, *krb5_config; /* the texts of spec */
	char name[NAME_SIZE];
	struct event_base *base;
	const struct child_functions *functions;
	void *arg;

	pid_t pid;
	uint64_t started_us;
	uint64_t generation;
	unsigned unanswered; /* commits */
	bool is_wired;
	struct link *control; /* NULL once the program has closed it */
	struct question *ping;
	uint64_t pinged_us;
	char facts[CONTROL_FACTS_MAX + 1];
	unsigned starts;
	struct event next_ping;
};

/* ---- what the program says ---- */

/* Each commit has one answer, in order. */
static void
count_answer(struct child *child)
{
	if (child->unanswered > 0)
		child->unanswered--;
}

static void
on_ready(void *arg, struct link_message *message)
{
	struct child *child = arg;
	bool is_first = child->generation == 0;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	child->generation = wire_get_u64(&reader);
	count_answer(child);
	child->functions->ready(child->arg, child, is_first);
}

static void
on_failed(void *arg, struct link_message *message)
{
	struct child *child = arg;
	char why[WHY_SIZE], quoted[TEXT_QUOTED_SIZE(WHY_SIZE)];
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, why, sizeof(why));
	if (!wire_is_done(&reader)) {
		child_kill(child, "its answer cannot be read");
		return;
	}
	count_answer(child);
	if (child->unanswered > 0)
		return;
	(void)text_quote(quoted, sizeof(quoted), why, strlen(why));
	child->functions->failed(child->arg, child, quoted);
}

static void
on_request(void *arg, struct link_message *message)
{
	struct control_request request;
	struct child *child = arg;

	if (child->functions->asked == NULL ||
	    child->spec.role != ROLE_GATEWAY ||
	    !control_request_decode(message->data, message->len, &request))
		child_kill(child, "it asks for what it may not");
	else
		child->functions->asked(
		    child->arg, child, message->id, &request);
}

static void
on_drained(void *arg, struct link_message *message)
{
	struct child *child = arg;

	(void)message;
	if (child->functions->drained != NULL)
		child->functions->drained(child->arg);
}

static const struct link_handler handlers[] = {
    {CONTROL_READY, 8, 8, on_ready},
    {CONTROL_FAILED, 4, 4 + WHY_SIZE, on_failed},
    {CONTROL_DRAINED, 0, 0, on_drained},
    {CONTROL_REQUEST, CONTROL_REQUEST_MAX, CONTROL_REQUEST_MAX, on_request},
    {.handle = NULL},
};

static void
close_control(struct child *child)
{
	struct link *control = child->control;

	/* Nobody finds it any more when its questions fail. */
	child->control = NULL;
	(void)evtimer_del(&child->next_ping);
	link_free(control);
}

/* A program that no longer listens to its master is as good as dead. */
static void
on_closed(void *arg)
{
	struct child *child = arg;

	close_control(child);
	if (child->pid != 0)
		(void)kill(child->pid, SIGKILL);
}

/* ---- its pulse ---- */

/* Not to be trusted to be text. */
static void
take_facts(struct child *child, const struct link_message *answer)
{
	size_t len =
	    answer->len < CONTROL_FACTS_MAX ? answer->len : CONTROL_FACTS_MAX;

	memcpy(child->facts, answer->data, len);
	child->facts[len] = '\0';
}

static void
on_pong(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct child *child = arg;
	const struct timeval pause = timeval_ms(child->spec.ping_ms);

	child->ping = NULL;
	switch (outcome) {
	case ANSWER_GIVEN:
		take_facts(child, answer);
		(void)evtimer_add(&child->next_ping, &pause);
		break;
	case ANSWER_TIMEOUT:
		child_kill(child, "it hangs");
		break;
	case ANSWER_LOST:
		break;
	}
}

static void
ping(struct child *child)
{
	child->pinged_us = clock_monotonic_us();
	child->ping = question_start(child->control, CONTROL_PING, NULL, 0,
	    child->spec.hang_ms, on_pong, child);
	if (child->ping == NULL && errno != EPIPE)
		child_kill(child, "it cannot be asked for its pulse");
}

static void
on_next_ping(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ping(arg);
}

/* ---- beginning and end ---- */

struct child *
child_new(struct event_base *base, const struct child_spec *spec,
    const struct child_functions *functions, void *arg)
{
	struct child *child = must_alloc(1, sizeof(*child));

	child->spec = *spec;
	child->path = must_strdup(spec->path);
	child->krb5_config = must_strdup(spec->krb5_config);
	child->spec.path = child->path;
	child->spec.krb5_config = child->krb5_config;
	child->base = base;
	child->functions = functions;
	child->arg = arg;
	(void)snprintf(child->name, sizeof(child->name), "%s %u",
	    role_name(spec->role), (unsigned)spec->index);
	must(evtimer_assign(&child->next_ping, base, on_next_ping, child) == 0);
	return child;
}

void
child_free(struct child *child)
{
	if (child == NULL)
		return;
	if (child->pid != 0) {
		(void)kill(child->pid, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
	}
	close_control(child);
	free(child->path);
	free(child->krb5_config);
	free(child);
}

int
child_start(struct child *child)
{
	int fds[2];
	int status = link_pair(fds);

	if (status < 0)
		return status;
	must(child->pid == 0 && child->control == NULL);
	child->control =
	    link_new(child->base, fds[0], handlers, on_closed, child);
	status = child->control == NULL ? -errno
					: spawn_program(&child->spec, fds[1]);
	(void)close(fds[1]);
	if (status < 0) {
		close_control(child);
		return status;
	}
	child->pid = status;
	child->starts++;
	child->facts[0] = '\0';
	child->generation = 0;
	child->started_us = clock_monotonic_us();
	ping(child);
	return 0;
}

void
child_kill(struct child *child, const char *why)
{
	if (child->pid == 0)
		return;
	log_error(NULL, "%s (pid %d) is killed: %s", child->name,
	    (int)child->pid, why);
	(void)kill(child->pid, SIGKILL);
}

void
child_buried(struct child *child)
{
	child->pid = 0;
	child->generation = 0;
	child->unanswered = 0;
	child->is_wired = false;
	close_control(child);
}

bool
child_send(struct child *child, uint16_t type, uint64_t id, const void *data,
    size_t len, int fd)
{
	int status;

	if (child->control == NULL)
		return false;
	status = link_send_fd(child->control, type, id, data, len, fd);
	if (status < 0 && status != -EPIPE)
		child_kill(child, strerror(-status));
	return status == 0;
}

void
child_answer(struct child *child, uint64_t id, bool is_done, const char *text)
{
	struct control_answer answer = {.is_done = is_done};
	uint8_t data[CONTROL_ANSWER_MAX];

	(void)strlcpy(answer.sentence, text, sizeof(answer.sentence));
	(void)child_send(child, CONTROL_ANSWER, id, data,
	    control_answer_encode(&answer, data), -1);
}

void
child_send_named(struct child *child, uint16_t type, const char *name, int fd)
{
	uint8_t data[NAMED_SIZE];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, name);
	must(!writer.failed);
	(void)child_send(child, type, 0, data, writer.len, fd);
}

void
child_commit(struct child *child, uint64_t generation)
{
	uint8_t data[sizeof(generation)];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, generation);
	must(!writer.failed);
	if (child_send(child, CONTROL_COMMIT, 0, data, writer.len, -1))
		child->unanswered++;
}

enum role
child_role(const struct child *child)
{
	return child->spec.role;
}

uint32_t
child_index(const struct child *child)
{
	return child->spec.index;
}

const char *
child_name(const struct child *child)
{
	return child->name;
}

pid_t
child_pid(const struct child *child)
{
	return child->pid;
}

uint64_t
child_started_us(const struct child *child)
{
	return child->started_us;
}

const char *
child_facts(const struct child *child)
{
	return child->facts;
}

unsigned
child_starts(const struct child *child)
{
	return child->starts;
}

uint64_t
child_silence_us(const struct child *child)
{
	return child->ping != NULL ? clock_monotonic_us() - child->pinged_us
				   : 0;
}

uint64_t
child_generation(const struct child *child)
{
	return child->generation;
}

bool
child_is_wired(const struct child *child)
{
	return child->is_wired;
}

void
child_set_wired(struct child *child)
{
	child->is_wired = true;
}
