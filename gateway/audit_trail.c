/* SPDX-License-Identifier: ISC */
/* Records on their way from the senders to the syslog receiver. */
#include "gateway/audit_trail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/audit_state.h"
#include "gateway/syslog_message.h"
#include "gateway/syslog_sender.h"

#define DELAYED_US	  1000000 /* from here on a record says that it waited */
#define MESSAGES_PER_TURN 64	  /* then the loop's other events have theirs */

struct waiting {
	TAILQ_ENTRY(waiting) entry;
	uint64_t source, number;
	size_t len;
	uint8_t record[]; /* of audit_record_encode: short */
};

/* What the message is that was printed last. */
enum printed { PRINTED_NOTHING, PRINTED_RECORD, PRINTED_GAP };

struct audit_trail {
	struct audit_state *state;
	struct syslog_sender *sender;
	struct event more;
	void (*taken)(void *arg);
	void *arg;

	struct syslog_form form;
	char host[256];
	char *sd_id, *instance, *boot_id;

	TAILQ_HEAD(waiting_list, waiting) queue;
	size_t count, max;

	enum printed printed;
	uint64_t printed_lost; /* of PRINTED_GAP */
	size_t message_len;
	char message[AUDIT_RECORD_MAX];
};

static void
drop(struct audit_trail *trail, struct waiting *waiting)
{
	TAILQ_REMOVE(&trail->queue, waiting, entry);
	trail->count--;
	free(waiting);
}

static void
drop_as_lost(struct audit_trail *trail, struct waiting *waiting)
{
	audit_state_lose(trail->state, waiting->source, waiting->number);
	drop(trail, waiting);
}

/* Handing over */

static void
print(struct audit_trail *trail, const struct audit_record *record)
{
	const struct audit_stamp stamp = {
	    .sd_id = trail->sd_id,
	    .instance = trail->instance,
	    .boot_id = trail->boot_id,
	    .sequence = audit_state_sequence(trail->state),
	    .delayed = clock_wall_us() > record->time_us + DELAYED_US,
	};

	trail->message_len =
	    syslog_message_print(&trail->form, record, &stamp, trail->message);
}

static void
print_gap(struct audit_trail *trail)
{
	const struct audit_record gap = {
	    .event = AUDIT_GAP,
	    .failed = true,
	    .time_us = clock_wall_us(),
	    .lost = audit_state_lost(trail->state),
	    .detail = "the receiver did not take records for too long",
	};

	trail->printed = PRINTED_GAP;
	trail->printed_lost = gap.lost;
	print(trail, &gap);
}

static void
print_first(struct audit_trail *trail)
{
	const struct waiting *first = TAILQ_FIRST(&trail->queue);
	struct audit_record record;

	must(audit_record_decode(first->record, first->len, &record));
	trail->printed = PRINTED_RECORD;
	print(trail, &record);
}

/* False if nothing waits. */
static bool
print_next(struct audit_trail *trail)
{
	/* Half of it is with the receiver: it must be the same again. */
	if (syslog_sender_is_midway(trail->sender))
		return true;
	if (audit_state_lost(trail->state) > 0)
		print_gap(trail);
	else if (!TAILQ_EMPTY(&trail->queue))
		print_first(trail);
	else
		trail->printed = PRINTED_NOTHING;
	return trail->printed != PRINTED_NOTHING;
}

static void
handed_over(struct audit_trail *trail)
{
	struct waiting *first = TAILQ_FIRST(&trail->queue);

	if (trail->printed == PRINTED_GAP) {
		audit_state_hand_over_gap(trail->state, trail->printed_lost);
	} else {
		audit_state_hand_over(
		    trail->state, first->source, first->number);
		drop(trail, first);
	}
	trail->printed = PRINTED_NOTHING;
}

/* A receiver whose socket takes no message of this length never will. */
static void
refused(struct audit_trail *trail)
{
	struct waiting *first = TAILQ_FIRST(&trail->queue);

	log_error(NULL,
	    "the receiver's socket does not take a record of %zu octets",
	    trail->message_len);
	if (trail->printed == PRINTED_RECORD)
		drop_as_lost(trail, first);
	trail->printed = PRINTED_NOTHING;
}

static void
hand_over(struct audit_trail *trail)
{
	bool any = false;

	for (int i = 0; print_next(trail); i++) {
		enum syslog_outcome outcome;

		if (i == MESSAGES_PER_TURN) {
			event_active(&trail->more, EV_TIMEOUT, 0);
			break;
		}
		outcome = syslog_sender_send(
		    trail->sender, trail->message, trail->message_len);
		if (outcome == SYSLOG_LATER)
			break;
		if (outcome == SYSLOG_SENT)
			handed_over(trail);
		else
			refused(trail);
		any = true;
	}
	if (any)
		trail->taken(trail->arg);
}

static void
on_more(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	hand_over(arg);
}

static void
on_ready(void *arg)
{
	hand_over(arg);
}

/* Taking in */

/* Counts the oldest that is not on its way already. */
static void
lose_oldest(struct audit_trail *trail)
{
	struct waiting *oldest = TAILQ_FIRST(&trail->queue);

	if (trail->printed == PRINTED_RECORD &&
	    syslog_sender_is_midway(trail->sender))
		oldest = TAILQ_NEXT(oldest, entry);
	if (oldest == NULL)
		return;
	if (audit_state_lost(trail->state) == 0)
		log_error(NULL, "the queue of audit records is full: they "
				"are being lost and counted");
	drop_as_lost(trail, oldest);
}

uint64_t
audit_trail_received(const struct audit_trail *trail, uint64_t source)
{
	const struct waiting *waiting;

	TAILQ_FOREACH_REVERSE (waiting, &trail->queue, waiting_list, entry)
		if (waiting->source == source)
			return waiting->number;
	return audit_state_taken(trail->state, source);
}

void
audit_trail_write(struct audit_trail *trail, uint64_t source, uint64_t number,
    const struct audit_record *record)
{
	uint8_t encoded[AUDIT_ENCODED_MAX];
	size_t len = audit_record_encode(record, encoded);
	/* Without memory we die, and the senders send to our successor. */
	struct waiting *waiting = must_alloc(1, sizeof(*waiting) + len);

	waiting->source = source;
	waiting->number = number;
	waiting->len = len;
	memcpy(waiting->record, encoded, len);
	TAILQ_INSERT_TAIL(&trail->queue, waiting, entry);
	if (++trail->count > trail->max)
		lose_oldest(trail);
	/* The first of a turn goes at once, the others behind it. */
	event_active(&trail->more, EV_TIMEOUT, 0);
}

size_t
audit_trail_waiting(const struct audit_trail *trail)
{
	return trail->count + (audit_state_lost(trail->state) > 0);
}

/* Beginning and end */

struct audit_trail *
audit_trail_new(struct event_base *base, struct audit_state *state,
    const struct audit_trail_settings *settings, void (*taken)(void *arg),
    void *arg)
{
	struct audit_trail *trail = must_alloc(1, sizeof(*trail));

	trail->state = state;
	trail->taken = taken;
	trail->arg = arg;
	trail->max = settings->queue_max;
	trail->sd_id = must_strdup(settings->sd_id);
	trail->boot_id = must_strdup(settings->boot_id);
	syslog_message_host(trail->host);
	trail->instance = must_strdup(
	    *settings->instance != '\0' ? settings->instance : trail->host);
	trail->form = (struct syslog_form){
	    .rfc5424 = settings->rfc5424,
	    .has_host = strncmp(settings->target, "tcp:", 4) == 0,
	    .facility = settings->facility,
	    .host = trail->host,
	    .pid = getpid(),
	};
	TAILQ_INIT(&trail->queue);
	(void)event_assign(&trail->more, base, -1, 0, on_more, trail);
	trail->sender =
	    syslog_sender_new(base, settings->target, on_ready, trail);
	if (trail->sender == NULL)
		die("no memory for the audit trail");
	/* What the auditor before this one had lost. */
	if (audit_state_lost(state) > 0)
		event_active(&trail->more, EV_TIMEOUT, 0);
	return trail;
}

void
audit_trail_free(struct audit_trail *trail)
{
	if (trail == NULL)
		return;
	while (!TAILQ_EMPTY(&trail->queue))
		drop(trail, TAILQ_FIRST(&trail->queue));
	(void)event_del(&trail->more);
	syslog_sender_free(trail->sender);
	free(trail->sd_id);
	free(trail->instance);
	free(trail->boot_id);
	free(trail);
}
