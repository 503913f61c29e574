/* SPDX-License-Identifier: ISC */
/* The sessions that a sender of records has opened and not closed. */
#include "gateway/open_sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"

struct open_session {
	RB_ENTRY(open_session) entry;
	uint64_t session;
	size_t len;
	uint8_t record[]; /* AUDIT_OPEN, of audit_record_encode: short */
};

RB_HEAD(session_tree, open_session);

struct open_sessions {
	struct session_tree tree;
	size_t count, max;
};

static int
compare(const struct open_session *a, const struct open_session *b)
{
	return a->session < b->session ? -1 : a->session > b->session;
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    session_tree, open_session, entry, compare, __attribute__((unused)) static)

struct open_sessions *
open_sessions_new(size_t max)
{
	struct open_sessions *open = must_alloc(1, sizeof(*open));

	RB_INIT(&open->tree);
	open->max = max;
	return open;
}

static void
forget(struct open_sessions *open, struct open_session *session)
{
	(void)RB_REMOVE(session_tree, &open->tree, session);
	open->count--;
	free(session);
}

void
open_sessions_free(struct open_sessions *open)
{
	struct open_session *session;

	if (open == NULL)
		return;
	while ((session = RB_MIN(session_tree, &open->tree)) != NULL)
		forget(open, session);
	free(open);
}

static void
remember(struct open_sessions *open, const struct audit_record *record)
{
	uint8_t encoded[AUDIT_ENCODED_MAX];
	size_t len = audit_record_encode(record, encoded);
	struct open_session *session;

	if (open->count == open->max)
		return;
	session = malloc(sizeof(*session) + len);
	if (session == NULL) {
		log_warning(NULL, "no memory to remember an open session");
		return;
	}
	session->session = record->session;
	session->len = len;
	memcpy(session->record, encoded, len);
	if (RB_INSERT(session_tree, &open->tree, session) == NULL)
		open->count++;
	else
		free(session); /* opened twice: one close is due */
}

void
open_sessions_note(
    struct open_sessions *open, const struct audit_record *record)
{
	struct open_session key = {.session = record->session};
	struct open_session *session;

	if (record->session == 0)
		return;
	if (record->event == AUDIT_OPEN && !record->failed) {
		remember(open, record);
	} else if (record->event == AUDIT_CLOSE) {
		session = RB_FIND(session_tree, &open->tree, &key);
		if (session != NULL)
			forget(open, session);
	}
}

size_t
open_sessions_count(const struct open_sessions *open)
{
	return open->count;
}

static void
print_close(const struct open_session *session, struct audit_record *record)
{
	static const char unknown[] = "how much was sent is unknown";
	uint64_t opened_us;

	must(audit_record_decode(session->record, session->len, record));
	opened_us = record->time_us;
	record->event = AUDIT_CLOSE;
	record->failed = true;
	record->reason = REASON_CRASH;
	record->time_us = clock_wall_us();
	if (record->time_us > opened_us)
		record->duration_us = record->time_us - opened_us;
	memcpy(record->detail, unknown, sizeof(unknown));
}

void
open_sessions_crash(struct open_sessions *open, uint64_t below,
    bool (*closed)(void *arg, const struct audit_record *record), void *arg)
{
	struct open_session *session;

	while ((session = RB_MIN(session_tree, &open->tree)) != NULL &&
	       session->session < below) {
		struct audit_record record;

		print_close(session, &record);
		if (!closed(arg, &record))
			return;
		forget(open, session);
	}
}

void
open_sessions_move(struct open_sessions *from, struct open_sessions *to)
{
	struct open_session *session;

	while ((session = RB_MIN(session_tree, &from->tree)) != NULL) {
		(void)RB_REMOVE(session_tree, &from->tree, session);
		from->count--;
		if (to->count < to->max &&
		    RB_INSERT(session_tree, &to->tree, session) == NULL)
			to->count++;
		else
			free(session);
	}
}
