/* SPDX-License-Identifier: ISC */
/* Rule sets for who wants to look at them, one at a time. */
#include "policy/ldap_sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/wire.h"
#include "policy/ldap_reading.h"
#include "policy/watch_protocol.h"

#define WHY_SIZE 1024

struct sets {
	struct event_base *base;
	struct sets_question question; /* the last that was not refused */
	struct reading *reading;       /* while it is being read */
	uint8_t *octets;	       /* NULL: there is no set */
	size_t len;
	struct event *expiry;
};

static void
on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sets_forget(arg);
}

struct sets *
sets_new(struct event_base *base)
{
	struct sets *sets = must_alloc(1, sizeof(*sets));

	sets->base = base;
	sets->expiry = evtimer_new(base, on_expiry, sets);
	if (sets->expiry == NULL)
		die("out of memory");
	return sets;
}

void
sets_free(struct sets *sets)
{
	if (sets == NULL)
		return;
	sets_forget(sets);
	event_free(sets->expiry);
	free(sets);
}

void
sets_drop(struct sets *sets, uint32_t ticket)
{
	if (ticket == sets->question.ticket)
		sets_forget(sets);
}

void
sets_forget(struct sets *sets)
{
	reading_cancel(sets->reading);
	sets->reading = NULL;
	free(sets->octets);
	sets->octets = NULL;
	(void)evtimer_del(sets->expiry);
}

/* ---- answers */

static void
answer(
    struct link *link, uint64_t id, uint16_t type, const void *data, size_t len)
{
	int result = link_send(link, type, id, data, len);

	if (result != 0 && result != -EPIPE)
		log_warning(NULL, "the gateway cannot be answered: %s",
		    strerror(-result));
}

static void
fail(struct link *link, uint64_t id, const char *why)
{
	uint8_t data[WHY_SIZE + 8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, why);
	answer(link, id, WATCH_SET_FAILED, data, writer.len);
}

void
sets_fail(const struct sets_question *question, const char *why)
{
	fail(question->link, question->id, why);
}

static bool
is_busy(struct sets *sets, const struct sets_question *question)
{
	bool is = sets->reading != NULL || sets->octets != NULL;

	if (is)
		sets_fail(question,
		    "somebody else looks at a set of rules; try again");
	return is;
}

static void
keep_for_a_while(struct sets *sets)
{
	static const struct timeval kept = {WATCH_SET_KEPT_S, 0};

	(void)evtimer_add(sets->expiry, &kept);
}

static bool
keep_copy(struct sets *sets, const uint8_t *octets, size_t len)
{
	sets->octets = malloc(len + 1);
	if (sets->octets == NULL)
		return false;
	memcpy(sets->octets, octets, len);
	sets->len = len;
	return true;
}

static void
say_ready(struct sets *sets)
{
	const struct sets_question *question = &sets->question;
	uint8_t data[8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, sets->len);
	keep_for_a_while(sets);
	answer(question->link, question->id, WATCH_SET_READY, data, writer.len);
}

void
sets_give(struct sets *sets, const struct sets_question *question,
    const uint8_t *octets, size_t len)
{
	if (is_busy(sets, question))
		return;
	sets->question = *question;
	if (keep_copy(sets, octets, len))
		say_ready(sets);
	else
		sets_fail(question, strerror(ENOMEM));
}

void
sets_piece(
    struct sets *sets, struct link *link, const struct link_message *message)
{
	struct wire_reader reader;
	uint32_t ticket;
	uint64_t offset;
	size_t len;

	wire_reader_init(&reader, message->data, message->len);
	ticket = wire_get_u32(&reader);
	offset = wire_get_u64(&reader);
	if (sets->octets == NULL || sets->reading != NULL ||
	    ticket != sets->question.ticket || offset > sets->len) {
		fail(link, message->id, "the set was not fetched in time");
		return;
	}
	len = sets->len - (size_t)offset;
	if (len > WATCH_PIECE_MAX)
		len = WATCH_PIECE_MAX;
	answer(link, message->id, WATCH_OCTETS, sets->octets + offset, len);
	keep_for_a_while(sets);
	if (offset + len == sets->len)
		sets_forget(sets);
}

/* ---- one reading */

static void
on_set(void *arg, const uint8_t *set, size_t len)
{
	struct sets *sets = arg;

	free(sets->octets);
	sets->octets = NULL;
	(void)keep_copy(sets, set, len);
}

static void
on_how(void *arg, bool is_live, const char *how)
{
	(void)arg;
	(void)is_live;
	(void)how;
}

static void
on_nothing(void *arg)
{
	(void)arg;
}

static void
on_ended(void *arg, const char *why)
{
	struct sets *sets = arg;

	sets->reading = NULL;
	if (*why == '\0' && sets->octets != NULL) {
		say_ready(sets);
		return;
	}
	sets_forget(sets);
	sets_fail(&sets->question, *why != '\0' ? why : strerror(ENOMEM));
}

static const struct reading_events events = {
    .set = on_set,
    .how = on_how,
    .alive = on_nothing,
    .subjects = on_nothing,
    .ended = on_ended,
};

void
sets_read(struct sets *sets, const struct sets_question *question,
    const struct reading_source *source)
{
	if (is_busy(sets, question))
		return;
	sets->question = *question;
	sets->reading = reading_start(sets->base, source, &events, sets);
	if (sets->reading == NULL)
		sets_fail(question, strerror(errno));
}
