/* SPDX-License-Identifier: ISC */
/* The sessions that a dead gateway leaves open. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/audit_record.h"
#include "gateway/open_sessions.h"
#include "tests/support/fake_clock.h"
#include "tests/support/records.h"

struct closed {
	size_t count;
	size_t refused_from; /* so many are taken */
	struct audit_record records[4];
};

static bool
on_closed(void *arg, const struct audit_record *record)
{
	struct closed *closed = arg;

	if (closed->count == closed->refused_from)
		return false;
	assert_true(closed->count < 4);
	closed->records[closed->count++] = *record;
	return true;
}

static void
note(struct open_sessions *open, enum audit_event event, uint64_t session,
    bool failed)
{
	struct audit_record record = record_full();

	record.event = event;
	record.session = session;
	record.failed = failed;
	open_sessions_note(open, &record);
}

static void
what_was_not_closed_crashes(void **state)
{
	struct open_sessions *open = open_sessions_new(10);
	struct closed closed = {.refused_from = 4};
	const struct audit_record full = record_full();
	char client[SOCKET_ADDRESS_TEXT_SIZE];
	char expected[SOCKET_ADDRESS_TEXT_SIZE];

	(void)state;
	note(open, AUDIT_OPEN, 1, false);
	note(open, AUDIT_OPEN, 2, false);
	note(open, AUDIT_OPEN, 3, true);
	note(open, AUDIT_OPEN, 0, false);
	note(open, AUDIT_DECISION, 4, false);
	note(open, AUDIT_CLOSE, 1, false);
	note(open, AUDIT_CLOSE, 9, false);
	assert_int_equal(open_sessions_count(open), 1);
	fake_clock_set(1, full.time_us + 5000000);
	open_sessions_crash(open, UINT64_MAX, on_closed, &closed);
	assert_int_equal(open_sessions_count(open), 0);
	assert_int_equal(closed.count, 1);
	assert_int_equal(closed.records[0].event, AUDIT_CLOSE);
	assert_int_equal(closed.records[0].reason, REASON_CRASH);
	assert_true(closed.records[0].failed);
	assert_int_equal(closed.records[0].session, 2);
	assert_string_equal(closed.records[0].identity, full.identity);
	assert_string_equal(
	    closed.records[0].destination.name, full.destination.name);
	assert_string_equal(
	    socket_address_print(&closed.records[0].client, client),
	    socket_address_print(&full.client, expected));
	assert_int_equal(closed.records[0].duration_us, 5000000);
	assert_int_equal(closed.records[0].time_us, full.time_us + 5000000);
	open_sessions_free(open);
}

static void
a_session_opened_twice_is_closed_once(void **state)
{
	struct open_sessions *open = open_sessions_new(10);
	struct closed closed = {.refused_from = 4};

	(void)state;
	note(open, AUDIT_OPEN, 1, false);
	note(open, AUDIT_OPEN, 1, false);
	open_sessions_crash(open, UINT64_MAX, on_closed, &closed);
	assert_int_equal(closed.count, 1);
	open_sessions_free(open);
}

static void
no_more_than_the_bound_is_remembered(void **state)
{
	struct open_sessions *open = open_sessions_new(3);

	(void)state;
	for (uint64_t session = 1; session <= 5; session++)
		note(open, AUDIT_OPEN, session, false);
	assert_int_equal(open_sessions_count(open), 3);
	note(open, AUDIT_CLOSE, 2, false);
	note(open, AUDIT_OPEN, 6, false);
	assert_int_equal(open_sessions_count(open), 3);
	open_sessions_free(open);
	open_sessions_free(NULL);
}

static void
what_is_not_taken_is_kept(void **state)
{
	struct open_sessions *open = open_sessions_new(10);
	struct closed closed = {.refused_from = 1};

	(void)state;
	for (uint64_t session = 1; session <= 3; session++)
		note(open, AUDIT_OPEN, session, false);
	open_sessions_crash(open, UINT64_MAX, on_closed, &closed);
	assert_int_equal(closed.count, 1);
	assert_int_equal(open_sessions_count(open), 2);
	closed.refused_from = 4;
	open_sessions_crash(open, UINT64_MAX, on_closed, &closed);
	assert_int_equal(closed.count, 3);
	assert_int_equal(closed.records[2].session, 3);
	open_sessions_free(open);
}

static void
only_those_below_the_bound_crash(void **state)
{
	struct open_sessions *open = open_sessions_new(10);
	struct closed closed = {.refused_from = 4};

	(void)state;
	for (uint64_t session = 1; session <= 5; session++)
		note(open, AUDIT_OPEN, session, false);
	open_sessions_crash(open, 3, on_closed, &closed);
	assert_int_equal(closed.count, 2);
	assert_int_equal(closed.records[1].session, 2);
	assert_int_equal(open_sessions_count(open), 3);
	open_sessions_free(open);
}

static void
moved_they_crash_there(void **state)
{
	struct open_sessions *open = open_sessions_new(10);
	struct open_sessions *all = open_sessions_new(3);
	struct closed closed = {.refused_from = 4};

	(void)state;
	note(open, AUDIT_OPEN, 1, false);
	note(open, AUDIT_OPEN, 2, false);
	note(all, AUDIT_OPEN, 2, false);
	open_sessions_move(open, all);
	assert_int_equal(open_sessions_count(open), 0);
	assert_int_equal(open_sessions_count(all), 2);
	open_sessions_crash(all, UINT64_MAX, on_closed, &closed);
	assert_int_equal(closed.count, 2);
	open_sessions_free(open);
	open_sessions_free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_not_closed_crashes),
	    cmocka_unit_test(a_session_opened_twice_is_closed_once),
	    cmocka_unit_test(what_is_not_taken_is_kept),
	    cmocka_unit_test(only_those_below_the_bound_crash),
	    cmocka_unit_test(moved_they_crash_there),
	    cmocka_unit_test(no_more_than_the_bound_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
