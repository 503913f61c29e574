/* SPDX-License-Identifier: ISC */
/* A reading's parent: starts the child, takes its reports, never blocks. */
#include "policy/ldap_reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/text.h"
#include "base/wire.h"
#include "policy/ldap_follower.h"
#include "policy/ldap_process.h"
#include "policy/rule_set_stream.h"

#define WHY_SIZE    1024
#define PIECE_MAX   65536
#define HEADER_SIZE sizeof(uint32_t)
#define REPORT_MAX  (1 + RULE_SET_OCTETS_MAX)

struct reading {
	pid_t pid;
	struct event *readable;
	struct event *deadline;
	struct timeval deadline_after;
	struct evbuffer *arrived;
	const struct reading_events *events;
	void *arg;
	bool *is_gone; /* set when an event's callee cancels */
};

static void
reading_free(struct reading *reading)
{
	if (reading->is_gone != NULL)
		*reading->is_gone = true;
	if (reading->pid > 0)
		(void)process_reap(reading->pid);
	if (reading->readable != NULL) {
		(void)close(event_get_fd(reading->readable));
		event_free(reading->readable);
	}
	if (reading->deadline != NULL)
		event_free(reading->deadline);
	if (reading->arrived != NULL)
		evbuffer_free(reading->arrived);
	free(reading);
}

void
reading_cancel(struct reading *reading)
{
	if (reading != NULL)
		reading_free(reading);
}

/* Ends the reading before telling: the callee may start the next. */
static void
finish(struct reading *reading, const char *why)
{
	const struct reading_events *events = reading->events;
	void *arg = reading->arg;

	reading_free(reading);
	events->ended(arg, why);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, "no answer in time");
}

/* ---- reports */

/* A server's own words may be in it. */
static void
quote(char text[WHY_SIZE], const uint8_t *data, size_t len)
{
	(void)text_quote(text, WHY_SIZE, data, len);
}

/* False: the child talks nonsense, or has failed, and the reading is over. */
static bool
take_report(
    struct reading *reading, uint8_t type, const uint8_t *data, size_t len)
{
	const struct reading_events *events = reading->events;
	char text[WHY_SIZE];

	switch (type) {
	case FOLLOWER_SET:
		if (rule_set_count(data, len) < 0)
			break;
		events->set(reading->arg, data, len);
		return true;
	case FOLLOWER_LIVE:
	case FOLLOWER_POLLED:
		quote(text, data, len);
		events->how(reading->arg, type == FOLLOWER_LIVE, text);
		return true;
	case FOLLOWER_ALIVE:
		events->alive(reading->arg);
		return true;
	case FOLLOWER_SUBJECTS:
		events->subjects(reading->arg);
		return true;
	case FOLLOWER_BUSY:
		return true;
	case FOLLOWER_FAILED:
		quote(text, data, len);
		finish(reading, text);
		return false;
	default:
		break;
	}
	finish(reading, "the reading child talks nonsense");
	return false;
}

/* The length of the report at the buffer's front; 0 if it is not there yet,
 * or has a length that none has. */
static size_t
next_report(struct reading *reading, bool *is_bad)
{
	size_t there = evbuffer_get_length(reading->arrived);
	struct wire_reader reader;
	const uint8_t *header;
	size_t len;

	if (there < HEADER_SIZE)
		return 0;
	header = evbuffer_pullup(reading->arrived, HEADER_SIZE);
	wire_reader_init(&reader, header, HEADER_SIZE);
	len = wire_get_u32(&reader);
	*is_bad = len == 0 || len > REPORT_MAX;
	return !*is_bad && there >= HEADER_SIZE + len ? len : 0;
}

/* False: the reading is over. */
static bool
take_reports(struct reading *reading)
{
	bool is_bad = false, is_gone = false;
	const uint8_t *report;
	size_t len;

	while ((len = next_report(reading, &is_bad)) > 0) {
		(void)evtimer_add(reading->deadline, &reading->deadline_after);
		report = evbuffer_pullup(
		    reading->arrived, (ev_ssize_t)(HEADER_SIZE + len));
		if (report == NULL) {
			finish(reading, "out of memory");
			return false;
		}
		report += HEADER_SIZE;
		reading->is_gone = &is_gone;
		if (!take_report(reading, *report, report + 1, len - 1) ||
		    is_gone)
			return false;
		reading->is_gone = NULL;
		(void)evbuffer_drain(reading->arrived, HEADER_SIZE + len);
	}
	if (is_bad)
		finish(reading, "the reading child talks nonsense");
	return !is_bad;
}

/* The end of the file came with the end of the child: its status stands. */
static void
on_end(struct reading *reading)
{
	int status = process_reap(reading->pid);
	char why[WHY_SIZE] = "";

	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS ||
	    evbuffer_get_length(reading->arrived) > 0)
		(void)snprintf(why, sizeof(why),
		    "the reading child has died (status 0x%x)",
		    (unsigned)status);
	reading->pid = 0;
	finish(reading, why);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct reading *reading = arg;
	int n = evbuffer_read(reading->arrived, fd, PIECE_MAX);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		on_end(reading);
	else
		(void)take_reports(reading);
}

static bool
watch_child(struct reading *reading, struct event_base *base, int fd)
{
	reading->arrived = evbuffer_new();
	reading->deadline = evtimer_new(base, on_deadline, reading);
	reading->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, reading);
	if (reading->readable == NULL)
		(void)close(fd);
	return reading->arrived != NULL && reading->deadline != NULL &&
	       reading->readable != NULL &&
	       evtimer_add(reading->deadline, &reading->deadline_after) == 0 &&
	       event_add(reading->readable, NULL) == 0;
}

struct reading *
reading_start(struct event_base *base, const struct reading_source *source,
    const struct reading_events *events, void *arg)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int fd;

	if (reading == NULL)
		return NULL;
	reading->events = events;
	reading->arg = arg;
	reading->deadline_after.tv_sec = (time_t)source->deadline_s;
	reading->pid = process_fork(&fd);
	if (reading->pid == 0)
		follower_run(source, fd);
	if (reading->pid < 0) {
		free(reading);
		return NULL;
	}
	if (!watch_child(reading, base, fd)) {
		reading_free(reading);
		return NULL;
	}
	return reading;
}
