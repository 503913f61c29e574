/* SPDX-License-Identifier: ISC */
/* Records on their way to the spool, and from there to the receiver. */
#include "gateway/audit_trail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/audit_text.h"
#include "base/clock.h"
#include "base/ctl_protocol.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/audit_state.h"
#include "gateway/spool.h"
#include "gateway/spool_sync.h"
#include "gateway/syslog_message.h"
#include "gateway/syslog_sender.h"

#define MESSAGES_PER_TURN 64 /* then the loop's other events have theirs */
#define PRUNE_S		  3600
#define RETRY_US	  1000000 /* of a spool that cannot be written */

struct audit_trail {
	struct audit_trail_functions functions;
	void *arg;
	char *folder, *sd_id, *instance, *boot_id;
	char host[256];
	uint64_t spool_max, keep_s;
	bool durable;

	int lock; /* the folder's: no other auditor writes there; or -1 */
	/* NULL while it cannot be opened. */
	struct audit_state *state;
	struct spool *spool;
	bool is_failing;  /* what happened to the spool last */
	bool was_failing; /* what the owner was told last */
	struct event retry;
	struct event prune;

	/* What was written and is not told to be safe yet. */
	struct spool_sync *sync; /* NULL: what is written is safe */
	bool is_unsafe;
	uint64_t lost;	  /* records that no gap record tells of yet */
	bool is_doubtful; /* a sync has failed: the next one proves nothing */
	struct event settle; /* at the end of this turn of the loop */

	/* To the receiver. */
	struct syslog_form form;
	struct syslog_sender *sender;
	struct spool_reader *reader;
	struct event more;
	/* Where records are made durable, only those go out that are: after a
	 * loss of power a number is used again that nobody has seen. */
	uint64_t marked;  /* the last one that will be durable next */
	uint64_t safe;	  /* ... that is */
	uint64_t sending; /* the record whose message this is; 0: none */
	uint64_t sent;	  /* the last one that went, 0: none ... */
	uint64_t done;	  /* ... or that never will */
	size_t message_len;
	char message[SYSLOG_FORWARD_MAX];
};

/* ---- handing over */

static void
handed_over(struct audit_trail *trail)
{
	struct spool_record record;

	/* The spool may have been opened anew since. */
	if (spool_reader_peek(trail->reader, &record) == 1 &&
	    record.sequence == trail->sending)
		spool_reader_advance(trail->reader);
	trail->done = trail->sending;
	trail->sending = 0;
}

static void
sent(struct audit_trail *trail)
{
	trail->sent = trail->sending;
	handed_over(trail);
}

static void
on_arrived(void *arg, uint64_t sequence)
{
	struct audit_trail *trail = arg;

	if (trail->state != NULL)
		audit_state_forward(trail->state,
		    sequence == trail->sent ? trail->done : sequence);
}

static void
read_from(struct audit_trail *trail, uint64_t sequence)
{
	spool_reader_free(trail->reader);
	trail->reader = spool_reader_new(trail->spool, sequence);
}

/* What was on its way is sent again. */
static void
on_broken(void *arg)
{
	struct audit_trail *trail = arg;

	trail->sending = trail->sent = trail->done = 0;
	if (trail->spool != NULL)
		read_from(trail, audit_state_forwarded(trail->state) + 1);
}

/* No receiver gets it; it is over once those before it have arrived. */
static void
pass_over(struct audit_trail *trail)
{
	handed_over(trail);
	if (audit_state_forwarded(trail->state) >= trail->sent)
		audit_state_forward(trail->state, trail->done);
}

static void
print(struct audit_trail *trail, const struct spool_record *record)
{
	trail->sending = record->sequence;
	trail->message_len = syslog_message_forward(&trail->form,
	    record->message, record->len, clock_wall_us(), trail->message);
	if (trail->message_len == 0)
		log_error(NULL,
		    "record %" PRIu64 " of the spool is no message of ours and "
		    "is not forwarded",
		    record->sequence);
}

static bool
may_go(const struct audit_trail *trail, const struct spool_record *record)
{
	return trail->sync == NULL || record->sequence <= trail->safe;
}

/* False if there is none, for now. */
static bool
print_next(struct audit_trail *trail)
{
	struct spool_record record;
	int status;

	/* Half of it may be with the receiver: it must be the same again. */
	if (syslog_sender_is_midway(trail->sender))
		return true;
	trail->sending = 0;
	while ((status = spool_reader_peek(trail->reader, &record)) == 1 &&
	       may_go(trail, &record)) {
		print(trail, &record);
		if (trail->message_len > 0)
			return true;
		pass_over(trail);
	}
	if (status < 0)
		log_error(
		    NULL, "the spool cannot be read: %s", strerror(-status));
	return false;
}

/* A receiver whose socket takes no message of this length never will. */
static void
refused(struct audit_trail *trail)
{
	log_error(NULL,
	    "the receiver's socket does not take record %" PRIu64
	    " of %zu octets: it stays in the spool",
	    trail->sending, trail->message_len);
	pass_over(trail);
}

static void
hand_over(struct audit_trail *trail)
{
	if (trail->spool == NULL)
		return;
	for (int i = 0; print_next(trail); i++) {
		enum syslog_outcome outcome;

		if (i == MESSAGES_PER_TURN) {
			event_active(&trail->more, EV_TIMEOUT, 0);
			return;
		}
		outcome = syslog_sender_send(trail->sender, trail->sending,
		    trail->message, trail->message_len);
		if (outcome == SYSLOG_LATER)
			return;
		if (outcome == SYSLOG_SENT)
			sent(trail);
		else
			refused(trail);
	}
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

/* ---- the spool */

static void
fail(struct audit_trail *trail, const char *what, int error)
{
	const struct timeval later = {.tv_sec = RETRY_US / 1000000};

	if (!trail->is_failing && !trail->was_failing)
		log_error(NULL, "audit records cannot be kept: %s: %s", what,
		    strerror(error));
	trail->is_failing = true;
	(void)event_add(&trail->retry, &later);
	event_active(&trail->settle, EV_TIMEOUT, 0);
}

/* How many records a loss of power took.  Their numbers are not used again. */
static uint64_t
recover_number(struct audit_trail *trail)
{
	uint64_t lost =
	    audit_state_recover(trail->state, spool_last(trail->spool));

	if (lost > 0)
		log_error(NULL,
		    "the spool lacks %" PRIu64 " records that it had: their "
		    "numbers are not used again",
		    lost);
	return lost;
}

/* Of what the disk had lost when the spool was opened. */
static void
write_gap(struct audit_trail *trail)
{
	const struct audit_record gap = {
	    .event = AUDIT_GAP,
	    .failed = true,
	    .time_us = clock_wall_us(),
	    .lost = trail->lost,
	    .detail = "the disk has lost what was not durable yet",
	};

	if (trail->lost > 0 && audit_trail_write(trail, 0, 0, &gap))
		trail->lost = 0;
}

/* The folder, which is ours alone until we die; 0 or -errno. */
static int
take_folder(struct audit_trail *trail)
{
	if (trail->lock >= 0)
		return 0;
	trail->lock = open(trail->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (trail->lock < 0)
		return -errno;
	/* An auditor whose master was killed may still be there. */
	if (flock(trail->lock, LOCK_EX | LOCK_NB) < 0) {
		int error = errno;

		(void)close(trail->lock);
		trail->lock = -1;
		return -error;
	}
	return 0;
}

/* 0 or -errno: the spool is closed then. */
static int
rewrite(struct audit_trail *trail)
{
	int status = spool_rewrite(trail->spool);

	if (status == 0) {
		trail->is_doubtful = false;
		return 0;
	}
	spool_close(trail->spool);
	trail->spool = NULL;
	return status;
}

static bool
open_spool(struct audit_trail *trail)
{
	int status = take_folder(trail);
	uint64_t forwarded;

	if (status == 0 && trail->state == NULL)
		trail->state = audit_state_open(trail->lock);
	if (status == 0 && trail->state == NULL)
		status = -errno;
	if (status == 0)
		status = spool_open(trail->lock, trail->spool_max,
		    trail->keep_s, &trail->spool);
	if (status == 0 && trail->is_doubtful)
		status = rewrite(trail);
	if (status < 0) {
		fail(trail, trail->folder, -status);
		return false;
	}
	trail->lost += recover_number(trail);
	forwarded = audit_state_forwarded(trail->state);
	read_from(
	    trail, (trail->done > forwarded ? trail->done : forwarded) + 1);
	audit_trail_confirm(trail);
	event_active(&trail->more, EV_TIMEOUT, 0);
	write_gap(trail);
	return true;
}

/* The first record that goes in again says that it does. */
static void
try_to_write(struct audit_trail *trail)
{
	const struct audit_record again = {
	    .event = AUDIT_DEPENDENCY,
	    .time_us = clock_wall_us(),
	    .detail = "audit: records can be kept again",
	};

	trail->is_failing = false;
	write_gap(trail);
	if (trail->was_failing)
		(void)!audit_trail_write(trail, 0, 0, &again);
	event_active(&trail->settle, EV_TIMEOUT, 0);
}

/* Opens it anew: what is torn goes by that. */
static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct audit_trail *trail = arg;

	(void)fd;
	(void)what;
	spool_reader_free(trail->reader);
	trail->reader = NULL;
	spool_close(trail->spool);
	trail->spool = NULL;
	if (open_spool(trail))
		try_to_write(trail);
}

static void
on_prune(evutil_socket_t fd, short what, void *arg)
{
	struct audit_trail *trail = arg;

	(void)fd;
	(void)what;
	if (trail->spool != NULL)
		spool_prune(trail->spool, audit_state_forwarded(trail->state));
}

/* ---- what is safe */

/* What was written before the last mark is durable. */
static void
made_safe(struct audit_trail *trail)
{
	trail->safe = trail->marked;
	trail->functions.safe(trail->arg);
	event_active(&trail->more, EV_TIMEOUT, 0);
}

static void
begin_sync(struct audit_trail *trail)
{
	int fds[SPOOL_SYNC_MAX];
	int count;

	trail->functions.mark(trail->arg);
	trail->marked = audit_state_sequence(trail->state);
	count = spool_unsynced(trail->spool, fds);
	if (count < 0) {
		fail(trail, "no descriptor", -count);
		return;
	}
	trail->is_unsafe = false;
	if (count == 0)
		made_safe(trail);
	else
		spool_sync_start(trail->sync, fds, count);
}

static void
on_synced(void *arg, int status)
{
	struct audit_trail *trail = arg;

	if (status < 0) {
		trail->is_unsafe = trail->is_doubtful = true;
		fail(trail, "the disk did not take them", -status);
		return;
	}
	made_safe(trail);
	if (trail->is_unsafe)
		event_active(&trail->settle, EV_TIMEOUT, 0);
}

static void
tell_failing(struct audit_trail *trail)
{
	if (trail->is_failing == trail->was_failing)
		return;
	trail->was_failing = trail->is_failing;
	if (!trail->is_failing)
		log_info(NULL, "audit records can be kept again");
	trail->functions.failing(trail->arg, trail->is_failing);
}

static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct audit_trail *trail = arg;

	(void)fd;
	(void)what;
	tell_failing(trail);
	if (!trail->is_unsafe || trail->is_doubtful || trail->spool == NULL)
		return;
	if (trail->sync == NULL) {
		trail->is_unsafe = false;
		trail->functions.mark(trail->arg);
		trail->functions.safe(trail->arg);
	} else if (!spool_sync_is_busy(trail->sync)) {
		begin_sync(trail);
	}
}

void
audit_trail_confirm(struct audit_trail *trail)
{
	trail->is_unsafe = true;
	event_active(&trail->settle, EV_TIMEOUT, 0);
}

bool
audit_trail_is_safe(const struct audit_trail *trail)
{
	return !trail->is_unsafe &&
	       (trail->sync == NULL || !spool_sync_is_busy(trail->sync));
}

/* ---- taking in */

static uint64_t
next_sequence(const struct audit_trail *trail)
{
	uint64_t state = audit_state_sequence(trail->state) + 1;
	uint64_t spool = spool_next(trail->spool);

	return state > spool ? state : spool;
}

static size_t
print_record(const struct audit_trail *trail, uint64_t sequence,
    const struct audit_record *record, char out[AUDIT_RECORD_MAX])
{
	const struct audit_stamp stamp = {
	    .sd_id = trail->sd_id,
	    .instance = trail->instance,
	    .boot_id = trail->boot_id,
	    .sequence = sequence,
	};
	struct syslog_form form = trail->form;

	form.rfc5424 = true;
	return syslog_message_print(&form, record, &stamp, out);
}

uint64_t
audit_trail_taken(const struct audit_trail *trail, uint64_t source)
{
	return trail->spool != NULL ? audit_state_taken(trail->state, source)
				    : 0;
}

bool
audit_trail_write(struct audit_trail *trail, uint64_t source, uint64_t number,
    const struct audit_record *record)
{
	char message[AUDIT_RECORD_MAX];
	uint64_t sequence;
	size_t len;
	int status;

	if (trail->spool == NULL || trail->is_failing)
		return false;
	sequence = next_sequence(trail);
	len = print_record(trail, sequence, record, message);
	audit_state_begin(trail->state, source, number);
	status = spool_append(trail->spool, sequence,
	    audit_state_forwarded(trail->state), message, len);
	if (status < 0) {
		trail->is_doubtful |= spool_is_doubtful(trail->spool);
		fail(trail, trail->folder, -status);
		return false;
	}
	audit_state_commit(trail->state, sequence);
	audit_trail_confirm(trail);
	event_active(&trail->more, EV_TIMEOUT, 0);
	return true;
}

bool
audit_trail_is_failing(const struct audit_trail *trail)
{
	return trail->is_failing;
}

uint64_t
audit_trail_waiting(const struct audit_trail *trail)
{
	if (trail->spool == NULL)
		return 0;
	return audit_state_sequence(trail->state) -
	       audit_state_forwarded(trail->state);
}

void
audit_trail_describe(const struct audit_trail *trail, char *facts, size_t size)
{
	(void)snprintf(facts, size,
	    "failing=%s\nreceiver=%s\nspool_octets=%" PRIu64
	    "\nspool_max=%" PRIu64 "\nrecord=%" PRIu64 "\nwaiting=%" PRIu64
	    "\n",
	    ctl_yes(trail->is_failing || trail->spool == NULL),
	    ctl_yes(!syslog_sender_is_refused(trail->sender)),
	    trail->spool != NULL ? spool_size(trail->spool) : 0,
	    trail->spool_max,
	    trail->spool != NULL ? audit_state_sequence(trail->state) : 0,
	    audit_trail_waiting(trail));
}

/* ---- what was before */

static bool
is_about_sessions(const struct audit_record *record)
{
	return record->event == AUDIT_OPEN || record->event == AUDIT_CLOSE;
}

void
audit_trail_sessions(const struct audit_trail *trail,
    void (*each)(void *arg, const struct audit_record *record), void *arg)
{
	struct spool_reader *reader;
	struct spool_record record;
	struct audit_text *text;
	const char *why;
	char at[33];

	if (trail->spool == NULL)
		return;
	reader = spool_reader_new(trail->spool, 1);
	text = must_alloc(1, sizeof(*text));
	while (spool_reader_peek(reader, &record) == 1) {
		if (audit_text_parse(record.message, record.len, text, &why,
			at) == AUDIT_TEXT_RECORD &&
		    is_about_sessions(&text->record))
			each(arg, &text->record);
		spool_reader_advance(reader);
	}
	free(text);
	spool_reader_free(reader);
}

/* ---- beginning and end */

static void
take_settings(
    struct audit_trail *trail, const struct audit_trail_settings *settings)
{
	trail->spool_max = settings->spool_max;
	trail->keep_s = settings->keep_s;
	trail->durable = settings->durable;
	trail->folder = must_strdup(settings->folder);
	trail->sd_id = must_strdup(settings->sd_id);
	trail->boot_id = must_strdup(settings->boot_id);
	syslog_message_host(trail->host);
	trail->instance = must_strdup(
	    *settings->instance != '\0' ? settings->instance : trail->host);
	trail->form = (struct syslog_form){
	    .rfc5424 = settings->rfc5424,
	    .has_host = strncmp(settings->target, "unix:", 5) != 0,
	    .facility = settings->facility,
	    .host = trail->host,
	    .pid = getpid(),
	};
}

static const struct syslog_events syslog_events = {
    .ready = on_ready,
    .arrived = on_arrived,
    .broken = on_broken,
};

struct audit_trail *
audit_trail_new(struct event_base *base,
    const struct audit_trail_settings *settings,
    const struct audit_trail_functions *functions, void *arg)
{
	const struct timeval prune_every = {.tv_sec = PRUNE_S};
	struct audit_trail *trail = must_alloc(1, sizeof(*trail));

	trail->lock = -1;
	trail->functions = *functions;
	trail->arg = arg;
	take_settings(trail, settings);
	(void)event_assign(&trail->more, base, -1, 0, on_more, trail);
	(void)event_assign(&trail->retry, base, -1, 0, on_retry, trail);
	(void)event_assign(
	    &trail->prune, base, -1, EV_PERSIST, on_prune, trail);
	(void)event_add(&trail->prune, &prune_every);
	(void)event_assign(&trail->settle, base, -1, 0, on_settle, trail);
	trail->sender = syslog_sender_new(
	    base, settings->target, &settings->tls, &syslog_events, trail);
	if (trail->sender == NULL)
		die("no memory for the audit trail");
	if (settings->durable)
		trail->sync = spool_sync_new(base, on_synced, trail);
	(void)open_spool(trail);
	return trail;
}

void
audit_trail_free(struct audit_trail *trail)
{
	if (trail == NULL)
		return;
	spool_sync_free(trail->sync);
	(void)event_del(&trail->more);
	(void)event_del(&trail->retry);
	(void)event_del(&trail->prune);
	(void)event_del(&trail->settle);
	syslog_sender_free(trail->sender);
	spool_reader_free(trail->reader);
	spool_close(trail->spool);
	audit_state_close(trail->state);
	if (trail->lock >= 0)
		(void)close(trail->lock);
	free(trail->folder);
	free(trail->sd_id);
	free(trail->instance);
	free(trail->boot_id);
	free(trail);
}
