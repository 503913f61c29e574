/* SPDX-License-Identifier: ISC */
/* What the child of a reading does: may block, is killed at its deadline. */
#include "policy/ldap_follower.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_feed.h"
#include "policy/ldap_process.h"
#include "policy/ldap_reading.h"
#include "policy/ldap_rules.h"
#include "policy/ldap_search.h"

/* Changes that come one upon the other are one: it is waited for QUIET_US
 * without another, but no longer than PATIENCE_US from the first. */
#define QUIET_US	30000
#define PATIENCE_US	150000
#define SUBJECTS_GAP_US 250000 /* all sessions are judged for each */
/* Of several servers another one may answer look-ups, and have a change later:
 * so long after the last one all are judged once more. */
#define LAG_US		   5000000
#define REOPEN_AFTER_US	   1000000 /* a feed that has ended */
#define RECONNECT_AFTER_US 5000000 /* a connection that was lost */
#define NEVER		   UINT64_MAX
#define WAIT_MAX_MS	   60000

/* Something to be done, when it is due. */
struct errand {
	uint64_t first_us; /* of the changes that it is for; 0: none */
	uint64_t due_us;   /* NEVER: nothing is to be done */
	uint64_t not_before_us;
};

struct follower {
	const struct reading_source *source;
	int fd;
	LDAP *ld; /* NULL: the rules are a file's, and the directory is away */
	struct feed *feed;
	uint64_t opened_us;
	bool was_settled;
	bool was_open; /* a feed, of some connection */
	struct errand read, tell;
	uint64_t tell_again_us;	      /* when it is due; NEVER: not at all */
	uint64_t pulse_us, reread_us; /* when they are due */
};

/* ---- reports */

static void
report(const struct follower *follower, enum follower_report type,
    const void *data, size_t len)
{
	uint8_t header[sizeof(uint32_t) + 1];
	struct wire_writer writer;

	wire_writer_init(&writer, header, sizeof(header));
	wire_put_u32(&writer, (uint32_t)(len + 1));
	wire_put_u8(&writer, (uint8_t)type);
	process_write(follower->fd, header, sizeof(header));
	process_write(follower->fd, data, len);
}

static void
report_text(const struct follower *follower, enum follower_report type,
    const char *text)
{
	report(follower, type, text, strlen(text));
}

static _Noreturn void
fail(const struct follower *follower, const char *why)
{
	report_text(follower, FOLLOWER_FAILED, why);
	_exit(EXIT_FAILURE);
}

/* A file can be read all the same. */
static _Noreturn void
fail_following(const struct follower *follower, int result)
{
	char why[256];

	if (*follower->source->file != '\0')
		_exit(EXIT_SUCCESS);
	(void)snprintf(
	    why, sizeof(why), "following changes: %s", directory_error(result));
	fail(follower, why);
}

/* ---- errands */

/* One more change. */
static void
ask_for(struct errand *errand)
{
	uint64_t now_us = clock_monotonic_us();

	if (errand->first_us == 0)
		errand->first_us = now_us;
	errand->due_us = now_us + QUIET_US;
	if (errand->due_us > errand->first_us + PATIENCE_US)
		errand->due_us = errand->first_us + PATIENCE_US;
	if (errand->due_us < errand->not_before_us)
		errand->due_us = errand->not_before_us;
}

static bool
is_due(const struct errand *errand, uint64_t now_us)
{
	return errand->due_us <= now_us;
}

static void
done(struct errand *errand, uint64_t not_before_us)
{
	errand->first_us = 0;
	errand->due_us = NEVER;
	errand->not_before_us = not_before_us;
}

/* Reads, and then leaves the server alone for as long as that took. */
static void
read_rules(struct follower *follower)
{
	const struct reading_source *source = follower->source;
	const struct rules_query query = {
	    .file = source->file,
	    .rule_base = source->feed.bases[FEED_RULES],
	    .timeout_s = source->feed.timeout_s,
	    .allow_empty = source->allow_empty,
	};
	uint64_t began_us = clock_monotonic_us(), now_us;
	char why[RULES_WHY_SIZE] = "";
	size_t len = 0;
	uint8_t *set = rules_read(follower->ld, &query, &len, why);

	if (set == NULL)
		fail(follower, why);
	report(follower, FOLLOWER_SET, set, len);
	free(set);
	now_us = clock_monotonic_us();
	done(&follower->read, now_us + (now_us - began_us));
	follower->reread_us = now_us + source->reread_s * UINT64_C(1000000);
}

static void
tell_subjects(struct follower *follower)
{
	report(follower, FOLLOWER_SUBJECTS, NULL, 0);
	done(&follower->tell, clock_monotonic_us() + SUBJECTS_GAP_US);
}

static void
tell_subjects_again(struct follower *follower)
{
	report(follower, FOLLOWER_SUBJECTS, NULL, 0);
	follower->tell_again_us = NEVER;
}

static void
note_subjects(struct follower *follower)
{
	ask_for(&follower->tell);
	if (follower->source->directory->uri_count > 1)
		follower->tell_again_us = clock_monotonic_us() + LAG_US;
}

static void
note(struct follower *follower, unsigned changed)
{
	bool is_file = *follower->source->file != '\0';

	if ((changed & FEED_TOPIC(FEED_RULES)) != 0 && !is_file)
		ask_for(&follower->read);
	if ((changed & FEED_SUBJECTS) != 0)
		note_subjects(follower);
}

/* A connection that says nothing is asked whether it is one. */
static int
feel_pulse(struct follower *follower)
{
	unsigned changed;
	int result = feed_ask(follower->feed, &changed);

	if (result != 0)
		return result;
	note(follower, changed);
	/* What has come while it was asked makes the rules no older. */
	report(follower,
	    follower->read.due_us == NEVER ? FOLLOWER_ALIVE : FOLLOWER_BUSY,
	    NULL, 0);
	follower->pulse_us = clock_monotonic_us() +
			     feed_pulse_ms(follower->feed) * UINT64_C(1000);
	return 0;
}

static void begin(struct follower *follower);

/* ---- following */

static void
open_feed(struct follower *follower)
{
	char how[FEED_HOW_SIZE];
	int result = feed_open(
	    &follower->feed, follower->ld, &follower->source->feed, how);

	/* A server that cannot be understood is there, and can be polled. */
	if (result != LDAP_DECODING_ERROR && directory_is_lost(result))
		fail_following(follower, result);
	/* One that could be followed can be again. */
	if (result != 0 && follower->was_open)
		fail_following(follower, result);
	if (result != 0) {
		report_text(follower, FOLLOWER_POLLED, how);
		_exit(EXIT_SUCCESS);
	}
	follower->was_open = true;
	follower->was_settled = feed_is_settled(follower->feed);
	report_text(follower, FOLLOWER_LIVE, how);
	note(follower, FEED_TOPIC(FEED_RULES) | FEED_SUBJECTS);
}

/* A server may end what it has begun, and be asked anew. */
static void
reopen(struct follower *follower)
{
	feed_close(follower->feed);
	(void)usleep(REOPEN_AFTER_US);
	open_feed(follower);
}

/* Another server may be there, or the same one again: nobody need know.  One
 * that is lost as soon as it is found counts as silent. */
static void
reconnect(struct follower *follower, int result)
{
	if (clock_monotonic_us() < follower->opened_us + RECONNECT_AFTER_US)
		fail_following(follower, result);
	feed_close(follower->feed);
	directory_close(follower->ld);
	follower->ld = NULL;
	begin(follower);
}

static unsigned
until_next(const struct follower *follower, uint64_t now_us)
{
	const uint64_t dues_us[] = {follower->read.due_us,
	    follower->tell.due_us, follower->tell_again_us, follower->pulse_us,
	    follower->reread_us};
	uint64_t wait_ms = WAIT_MAX_MS;

	for (size_t i = 0; i < ARRAY_COUNT(dues_us); i++) {
		uint64_t due_us = dues_us[i];
		uint64_t ms =
		    due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0;

		wait_ms = ms < wait_ms ? ms : wait_ms;
	}
	return (unsigned)wait_ms;
}

/* 0, or why the connection is lost. */
static int
run_errands(struct follower *follower)
{
	uint64_t now_us = clock_monotonic_us();

	if (is_due(&follower->tell, now_us))
		tell_subjects(follower);
	if (follower->tell_again_us <= now_us)
		tell_subjects_again(follower);
	if (is_due(&follower->read, now_us) || follower->reread_us <= now_us)
		read_rules(follower);
	return follower->pulse_us <= now_us ? feel_pulse(follower) : 0;
}

static void
describe_when_settled(struct follower *follower)
{
	char how[FEED_HOW_SIZE];

	if (follower->was_settled || !feed_is_settled(follower->feed))
		return;
	follower->was_settled = true;
	feed_describe(follower->feed, how);
	report_text(follower, FOLLOWER_LIVE, how);
}

static _Noreturn void
follow(struct follower *follower)
{
	unsigned changed;
	int result;

	for (;;) {
		result = run_errands(follower);
		if (result == 0)
			result = feed_wait(follower->feed,
			    until_next(follower, clock_monotonic_us()),
			    &changed);
		if (result == 0) {
			note(follower, changed);
			describe_when_settled(follower);
		} else if (directory_is_lost(result)) {
			reconnect(follower, result);
		} else {
			reopen(follower);
		}
	}
}

/* ---- the whole */

static void
open_directory(struct follower *follower)
{
	const struct reading_source *source = follower->source;
	char why[DIRECTORY_WHY_SIZE];

	follower->ld =
	    directory_open(source->directory, source->deadline_s, why);
	if (follower->ld == NULL && *source->file == '\0')
		fail(follower, why);
}

/* Connects, reads, and asks to be told; ends the process where nothing is
 * followed. */
static void
begin(struct follower *follower)
{
	const struct reading_source *source = follower->source;
	bool is_followed =
	    source->feed.way != FEED_NONE && source->directory->uri_count > 0;

	if (*source->file == '\0')
		open_directory(follower);
	read_rules(follower);
	if (!is_followed) {
		report_text(follower, FOLLOWER_POLLED, "");
		_exit(EXIT_SUCCESS);
	}
	if (follower->ld == NULL)
		open_directory(follower);
	if (follower->ld == NULL)
		_exit(EXIT_SUCCESS);
	follower->opened_us = clock_monotonic_us();
	open_feed(follower);
}

void
follower_run(const struct reading_source *source, int fd)
{
	struct follower follower = {.source = source,
	    .fd = fd,
	    .read = {.due_us = NEVER},
	    .tell = {.due_us = NEVER},
	    .tell_again_us = NEVER};

	begin(&follower);
	follow(&follower);
}
