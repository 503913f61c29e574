/* SPDX-License-Identifier: ISC */
/* The gateway's side of look-ups, with scripted programs at the other ends. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/wire.h"
#include "policy/lookup_protocol.h"
#include "policy/lookup_servers.h"
#include "policy/lookups.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"
#include "tests/support/fake_clock.h"

#define PROGRAMS 2
#define SECOND	 UINT64_C(1000000)

static const struct subject_cache_settings cache_settings = {
    .ttl_s = 60, .negative_ttl_s = 5, .stale_max_s = 3600, .entries_max = 256};

/* A directory-lookup program of the test's. */
static struct program {
	struct link *link;
	unsigned questions;
	unsigned pending_count; /* the oldest first */
	struct pending {
		uint64_t id;
		uint32_t number;
		char name[64];
	} pending[LOOKUP_WINDOW];
	bool answers;
	bool fails;
} programs[PROGRAMS];

static struct event_base *base;
static struct subject_cache *cache;
static struct lookups *lookups;
static unsigned done_count;
static enum reason done_reason;
static struct subject *done_subject;

/* It answers one question after the other. */
static struct pending
take_oldest(struct program *program)
{
	struct pending oldest = program->pending[0];

	assert_in_range(program->pending_count, 1, LOOKUP_WINDOW);
	program->pending_count--;
	memmove(program->pending, program->pending + 1,
	    program->pending_count * sizeof(oldest));
	return oldest;
}

static void
answer(struct program *program)
{
	struct pending asked = take_oldest(program);
	struct subject *subject = subject_new("uid=alice,dc=example");
	uint8_t *data;
	size_t len;

	if (program->fails) {
		assert_int_equal(link_send(program->link, LOOKUP_FAILED,
				     asked.id, "\0\0\0\4slow", 8),
		    0);
	} else if (strcmp(asked.name, "alice@EXAMPLE.COM") == 0) {
		assert_int_equal(
		    subject_add_group(subject, "cn=staff,dc=example"), 0);
		subject_finish(subject);
		assert_int_equal(
		    lookup_subject_encode(subject, 0, &data, &len), 0);
		assert_int_equal(link_send(program->link, LOOKUP_SUBJECT,
				     asked.id, data, len),
		    0);
		free(data);
	} else {
		assert_int_equal(
		    link_send(program->link, LOOKUP_NOBODY, asked.id, NULL, 0),
		    0);
	}
	subject_unref(subject);
}

static void
on_name(void *arg, struct link_message *message)
{
	struct program *program = arg;
	struct pending *pending = &program->pending[program->pending_count];
	struct wire_reader reader;

	assert_in_range(program->pending_count++, 0, LOOKUP_WINDOW - 1);
	wire_reader_init(&reader, message->data, message->len);
	pending->number = wire_get_u32(&reader);
	wire_get_string(&reader, pending->name, sizeof(pending->name));
	assert_true(wire_is_done(&reader));
	pending->id = message->id;
	program->questions++;
	if (program->answers)
		answer(program);
}

static void
on_closed(void *arg)
{
	struct program *program = arg;

	link_free(program->link);
	program->link = NULL;
}

static const struct link_handler handlers[] = {
    {LOOKUP_NAME, 4, 1024, on_name},
    {.handle = NULL},
};

static void
start_program(uint32_t index)
{
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	lookups_link(lookups, index, fds[0]);
	programs[index].link =
	    link_new(base, fds[1], handlers, on_closed, &programs[index]);
	assert_non_null(programs[index].link);
}

/* A question may wait so long; on a machine that stands still, too. */
#define PATIENT_MS 60000
#define HASTY_MS   50

static int
set_up_with(unsigned timeout_ms)
{
	fake_clock_set(1000 * SECOND, 0);
	memset(programs, 0, sizeof(programs));
	done_count = 0;
	done_subject = NULL;
	base = event_base_new();
	cache = subject_cache_new(&cache_settings);
	lookups = lookups_new(base, cache, timeout_ms);
	for (uint32_t i = 0; i < PROGRAMS; i++) {
		programs[i].answers = true;
		start_program(i);
	}
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return set_up_with(PATIENT_MS);
}

static int
set_up_hasty(void **state)
{
	(void)state;
	return set_up_with(HASTY_MS);
}

static int
tear_down(void **state)
{
	(void)state;
	lookups_free(lookups);
	for (uint32_t i = 0; i < PROGRAMS; i++)
		link_free(programs[i].link);
	subject_cache_free(cache);
	subject_unref(done_subject);
	event_base_free(base);
	return 0;
}

static void
on_done(void *arg, enum reason reason, struct subject *subject)
{
	assert_ptr_equal(arg, &done_count);
	subject_unref(done_subject);
	done_subject = subject;
	done_reason = reason;
	done_count++;
}

static struct lookup *
start(const char *name)
{
	struct lookup *lookup =
	    lookup_start(lookups, name, on_done, &done_count);

	assert_non_null(lookup);
	assert_int_equal(done_count, 0); /* never before it has returned */
	return lookup;
}

static void
settle(void)
{
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static unsigned
questions(void)
{
	return programs[0].questions + programs[1].questions;
}

static void
a_user_is_looked_up_once_and_kept(void **state)
{
	(void)state;
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_OK);
	assert_true(subject_is_member(done_subject, "cn=staff,dc=example"));
	done_count = 0;
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(questions(), 1);
}

static void
all_who_ask_at_the_same_time_share_one_question(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	(void)start("alice@EXAMPLE.COM");
	lookup_cancel(start("alice@EXAMPLE.COM"));
	settle();
	assert_int_equal(questions(), 1);
	answer(&programs[programs[0].questions == 1 ? 0 : 1]);
	settle();
	assert_int_equal(done_count, 2);
}

static struct program *
asked(void)
{
	return &programs[programs[0].questions == 1 ? 0 : 1];
}

/* Of one program, if either has been asked. */
static void
answer_one(void)
{
	answer(programs[0].pending_count > 0 ? &programs[0] : &programs[1]);
	settle();
}

static void
answer_all(void)
{
	programs[0].answers = programs[1].answers = true;
	while (programs[0].pending_count + programs[1].pending_count > 0)
		answer_one();
}

static bool
is_alice_known(void)
{
	struct subject *subject =
	    subject_cache_get(cache, "alice@EXAMPLE.COM", DIRECTORY_ANSWERS);

	subject_unref(subject);
	return subject != NULL;
}

static void
on_slow_done(void *arg, enum reason reason, struct subject *subject)
{
	on_done(arg, reason, subject);
	fake_clock_advance(200);
}

static void
thousands_who_wait_are_told_a_few_in_a_turn(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	for (int i = 0; i < 100; i++)
		assert_non_null(lookup_start(
		    lookups, "alice@EXAMPLE.COM", on_slow_done, &done_count));
	settle();
	assert_int_equal(questions(), 1);
	answer(programs[0].questions == 1 ? &programs[0] : &programs[1]);
	while (done_count == 0)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_in_range(done_count, 1, 3);
	for (unsigned before = done_count; done_count < 100;
	     before = done_count) {
		(void)event_base_loop(base, EVLOOP_ONCE);
		assert_in_range(done_count - before, 0, 3);
	}
	settle();
	assert_int_equal(done_count, 100);
	assert_true(subject_is_member(done_subject, "cn=staff,dc=example"));
	assert_int_equal(questions(), 1);
}

/* The first has another try as well: one question is for both. */
static void
who_asks_after_a_change_does_not_share_a_question_from_before(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	subject_cache_expire(cache);
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(questions(), 1); /* one at a time */
	answer_one();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 0);
	answer_one();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 2);
	assert_int_equal(done_reason, REASON_OK);
}

/* Who asked first has had his second try, and waits no longer; who asks after
 * the second change is not told what was asked before it. */
static void
a_second_try_is_for_nobody_who_asks_after_it(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	subject_cache_expire(cache);
	answer_one();
	assert_int_equal(questions(), 2);
	subject_cache_expire(cache);
	(void)start("alice@EXAMPLE.COM");
	(void)start("alice@EXAMPLE.COM");
	answer_one();
	assert_int_equal(done_count, 1);
	assert_int_equal(questions(), 3);
	answer_one();
	assert_int_equal(done_count, 3);
	assert_int_equal(questions(), 3);
}

/* A session that is asked about again with each change gives up what it waited
 * for: what was asked serves nobody then, and is followed by one more question,
 * not by one for each change. */
static void
many_changes_are_one_question_more(void **state)
{
	struct lookup *lookup;

	(void)state;
	programs[0].answers = programs[1].answers = false;
	lookup = start("alice@EXAMPLE.COM");
	settle();
	for (int i = 0; i < 50; i++) {
		subject_cache_expire(cache);
		lookup_cancel(lookup);
		lookup = start("alice@EXAMPLE.COM");
		settle();
	}
	assert_int_equal(questions(), 1);
	answer_one();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 0);
	answer_one();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 1);
	assert_true(subject_is_member(done_subject, "cn=staff,dc=example"));
}

/* ---- more who are asked about than programs have room for */

#define CROWD 200
#define ROOM  (PROGRAMS * LOOKUP_WINDOW)

static struct lookup *crowd[CROWD];

static void
ask_about_crowd(void)
{
	char name[32];

	for (unsigned i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "u%u@EXAMPLE.COM", i);
		lookup_cancel(crowd[i]);
		crowd[i] = lookup_start_of_standing(
		    lookups, name, on_done, &done_count);
		assert_non_null(crowd[i]);
	}
	settle();
}

/* Each in a session that stands; users or groups change again and again. */
static void
a_crowd_is_asked_about_once_however_many_changes(void **state)
{
	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	assert_int_equal(questions(), ROOM);
	for (int i = 0; i < 20; i++) {
		subject_cache_expire(cache);
		ask_about_crowd();
	}
	assert_int_equal(questions(), ROOM);
	answer_all();
	while (done_count < CROWD)
		(void)event_base_loop(base, EVLOOP_ONCE);
	settle();
	assert_int_equal(done_count, CROWD);
	/* Again only those that had been asked before the changes. */
	assert_int_equal(questions(), CROWD + ROOM);
	assert_int_equal(done_reason, REASON_OK);
}

/* What is in line when a change comes has not been asked: what it will be told
 * is of after the change, and needs no second question. */
static void
who_is_in_line_is_told_what_is_so_after_the_change(void **state)
{
	struct subject *kept;

	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	subject_cache_expire(cache);
	answer_all();
	while (done_count < CROWD)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(questions(), CROWD + ROOM);
	kept = subject_cache_get(cache, "u199@EXAMPLE.COM", DIRECTORY_ANSWERS);
	assert_non_null(kept);
	subject_unref(kept);
}

static void
who_is_at_the_door_does_not_wait_for_the_crowd(void **state)
{
	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	(void)start("alice@EXAMPLE.COM");
	(void)start("u150@EXAMPLE.COM"); /* in line for its session */
	for (unsigned asked = 0; asked < 2 * ROOM; asked++) {
		answer_one();
	}
	assert_true(is_alice_known());
	assert_int_equal(done_count, 2 * ROOM + 1); /* two of u150 */
}

/* And those who stand not for who comes: they take turns. */
static void
who_stands_does_not_wait_for_those_at_the_door(void **state)
{
	char name[32];

	(void)state;
	programs[0].answers = programs[1].answers = false;
	for (unsigned i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "u%u@EXAMPLE.COM", i);
		(void)start(name);
	}
	assert_non_null(lookup_start_of_standing(
	    lookups, "alice@EXAMPLE.COM", on_done, &done_count));
	settle();
	for (unsigned asked = 0; asked < 2 * ROOM; asked++) {
		answer_one();
	}
	assert_true(is_alice_known());
}

/* A round is for the sessions of all threads. */
static void
what_another_thread_was_told_is_not_asked_for(void **state)
{
	struct subject *subject = subject_new("uid=u199,dc=example");

	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	subject_cache_put(
	    cache, "u199@EXAMPLE.COM", subject, subject_cache_epoch(cache));
	subject_unref(subject);
	answer_all();
	while (done_count < CROWD)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(questions(), CROWD - 1);
}

/* Not one timeout after the other. */
static void
who_is_in_line_waits_for_a_silent_directory_once(void **state)
{
	struct timeval wait = {0, 120000};

	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	(void)event_base_loopexit(base, &wait);
	(void)event_base_loop(base, 0);
	settle();
	assert_int_equal(done_count, CROWD);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
who_is_in_line_hears_at_once_that_there_is_no_program(void **state)
{
	(void)state;
	memset(crowd, 0, sizeof(crowd));
	programs[0].answers = programs[1].answers = false;
	ask_about_crowd();
	on_closed(&programs[0]);
	on_closed(&programs[1]);
	settle();
	assert_int_equal(done_count, CROWD);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
an_answer_from_before_a_change_is_asked_for_anew(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	subject_cache_expire(cache);
	programs[0].answers = programs[1].answers = true;
	answer(asked());
	settle();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_OK);
}

static void
changes_without_end_are_not_waited_for(void **state)
{
	(void)state;
	on_closed(&programs[1]);
	settle();
	programs[0].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	for (int i = 0; i < 2; i++) {
		subject_cache_expire(cache);
		answer(&programs[0]);
		settle();
	}
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_OK);
}

static void
nobody_is_an_answer(void **state)
{
	(void)state;
	(void)start("nobody@EXAMPLE.COM");
	settle();
	assert_int_equal(done_reason, REASON_OK);
	assert_non_null(done_subject);
	assert_null(done_subject->dn);
}

/* ---- groups that come ahead of their subject */

/* One group of `whose` ahead, and an answer that counts on it. */
static void
answer_with_one_ahead(struct program *program, uint32_t whose)
{
	struct subject *subject = subject_new("uid=alice,dc=example");
	uint8_t *data;
	size_t len, first = 0;

	assert_int_equal(subject_add_group(subject, "cn=ahead,dc=example"), 0);
	if (whose != 0) {
		assert_int_equal(
		    lookup_groups_encode(subject, &first, whose, &data, &len),
		    0);
		assert_int_equal(
		    link_send(program->link, LOOKUP_GROUPS, 0, data, len), 0);
		free(data);
	}
	assert_int_equal(subject_add_group(subject, "cn=behind,dc=example"), 0);
	subject_finish(subject);
	assert_int_equal(lookup_subject_encode(subject, 1, &data, &len), 0);
	assert_int_equal(link_send(program->link, LOOKUP_SUBJECT,
			     program->pending[0].id, data, len),
	    0);
	free(data);
	subject_unref(subject);
}

static struct program *
ask_silently(void)
{
	programs[0].answers = programs[1].answers = false;
	done_count = 0;
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(done_count, 0);
	return programs[0].pending_count > 0 ? &programs[0] : &programs[1];
}

static void
groups_come_ahead_of_their_subject(void **state)
{
	struct program *program = ask_silently();

	(void)state;
	answer_with_one_ahead(program, program->pending[0].number);
	settle();
	assert_int_equal(done_reason, REASON_OK);
	assert_int_equal(done_subject->count, 2);
	assert_true(subject_is_member(done_subject, "cn=ahead,dc=example"));
	assert_true(subject_is_member(done_subject, "cn=behind,dc=example"));
}

/* Such as those of a question that was given up. */
static void
groups_of_another_question_are_nobodys(void **state)
{
	struct program *program = ask_silently();

	(void)state;
	answer_with_one_ahead(program, program->pending[0].number + 1);
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
groups_that_did_not_come_are_missed(void **state)
{
	struct program *program = ask_silently();

	(void)state;
	answer_with_one_ahead(program, 0);
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
groups_that_are_none_are_missed(void **state)
{
	struct program *program = ask_silently();

	(void)state;
	assert_int_equal(
	    link_send(program->link, LOOKUP_GROUPS, 0, "\0\0\0\1x", 5), 0);
	answer_with_one_ahead(program, 0);
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

/* An account that is not good is known as such, and kept. */
static void
an_account_that_is_not_good_is_an_answer(void **state)
{
	struct program *program = ask_silently();
	struct subject *subject = subject_new("uid=alice,dc=example");
	uint8_t *data;
	size_t len;

	(void)state;
	subject->is_disabled = true;
	assert_int_equal(lookup_subject_encode(subject, 0, &data, &len), 0);
	subject_unref(subject);
	assert_int_equal(link_send(program->link, LOOKUP_SUBJECT,
			     program->pending[0].id, data, len),
	    0);
	free(data);
	settle();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(done_count, 1);
		assert_int_equal(done_reason, REASON_OK);
		assert_true(done_subject->is_disabled);
		done_count = 0;
		(void)start("alice@EXAMPLE.COM");
		settle();
	}
	assert_int_equal(questions(), 1);
}

static void
the_idle_program_gets_the_next_question(void **state)
{
	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	(void)start("bob@EXAMPLE.COM");
	settle();
	assert_int_equal(programs[0].questions, 1);
	assert_int_equal(programs[1].questions, 1);
}

static void
a_question_that_was_lost_goes_to_another_program(void **state)
{
	struct program *first;

	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	first = programs[0].questions == 1 ? &programs[0] : &programs[1];
	programs[0].answers = programs[1].answers = true;
	on_closed(first);
	settle();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_OK);
}

/* And is of now there: for those, too, who asked after a change. */
static void
a_question_that_was_lost_is_for_all_who_ask(void **state)
{
	struct program *first;

	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	settle();
	subject_cache_expire(cache);
	(void)start("alice@EXAMPLE.COM");
	first = asked();
	programs[0].answers = programs[1].answers = true;
	on_closed(first);
	settle();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_count, 2);
	assert_int_equal(done_reason, REASON_OK);
}

static void
without_a_program_the_directory_is_unavailable(void **state)
{
	(void)state;
	on_closed(&programs[0]);
	on_closed(&programs[1]);
	settle();
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
	assert_null(done_subject);
	done_count = 0;
	start_program(0); /* started anew */
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(done_reason, REASON_OK);
}

static void
a_failure_is_served_from_what_was_known(void **state)
{
	(void)state;
	(void)start("alice@EXAMPLE.COM");
	settle();
	fake_clock_advance(61 * SECOND);
	programs[0].fails = programs[1].fails = true;
	done_count = 0;
	(void)start("alice@EXAMPLE.COM");
	settle();
	assert_int_equal(questions(), 2);
	assert_int_equal(done_reason, REASON_OK);
	assert_true(subject_is_member(done_subject, "cn=staff,dc=example"));
	done_count = 0;
	(void)start("bob@EXAMPLE.COM");
	settle();
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
a_program_that_hangs_is_not_waited_for(void **state)
{
	struct timeval wait = {0, 120000};

	(void)state;
	programs[0].answers = programs[1].answers = false;
	(void)start("alice@EXAMPLE.COM");
	(void)event_base_loopexit(base, &wait);
	(void)event_base_loop(base, 0);
	assert_int_equal(done_count, 1);
	assert_int_equal(done_reason, REASON_DIRECTORY_UNAVAILABLE);
}

static void
a_slow_directory_is_not_waited_for_where_an_old_answer_serves(void **state)
{
	struct timeval wait = {0, 250000};

	(void)state;
	lookups_free(lookups);
	lookups = lookups_new(base, cache, 5000);
	on_closed(&programs[0]);
	on_closed(&programs[1]);
	start_program(0);
	(void)start("alice@EXAMPLE.COM");
	settle();
	fake_clock_advance(61 * SECOND);
	programs[0].answers = false;
	done_count = 0;
	(void)start("alice@EXAMPLE.COM");
	(void)start("bob@EXAMPLE.COM");
	settle();
	assert_int_equal(done_count, 0);
	(void)event_base_loopexit(base, &wait);
	(void)event_base_loop(base, 0);
	assert_int_equal(done_count, 1); /* of alice; bob was never known */
	assert_int_equal(done_reason, REASON_OK);
	assert_non_null(done_subject);
	done_count = 0;
	(void)start("alice@EXAMPLE.COM"); /* without a wait now */
	settle();
	assert_int_equal(done_count, 1);
	assert_int_equal(questions(), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define HASTY_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up_hasty, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_user_is_looked_up_once_and_kept),
	    TEST(all_who_ask_at_the_same_time_share_one_question),
	    TEST(thousands_who_wait_are_told_a_few_in_a_turn),
	    TEST(who_asks_after_a_change_does_not_share_a_question_from_before),
	    TEST(a_second_try_is_for_nobody_who_asks_after_it),
	    TEST(many_changes_are_one_question_more),
	    TEST(a_crowd_is_asked_about_once_however_many_changes),
	    TEST(who_is_in_line_is_told_what_is_so_after_the_change),
	    TEST(who_is_at_the_door_does_not_wait_for_the_crowd),
	    TEST(who_stands_does_not_wait_for_those_at_the_door),
	    TEST(what_another_thread_was_told_is_not_asked_for),
	    HASTY_TEST(who_is_in_line_waits_for_a_silent_directory_once),
	    TEST(who_is_in_line_hears_at_once_that_there_is_no_program),
	    TEST(an_answer_from_before_a_change_is_asked_for_anew),
	    TEST(changes_without_end_are_not_waited_for),
	    TEST(nobody_is_an_answer),
	    TEST(groups_come_ahead_of_their_subject),
	    TEST(groups_of_another_question_are_nobodys),
	    TEST(groups_that_did_not_come_are_missed),
	    TEST(groups_that_are_none_are_missed),
	    TEST(an_account_that_is_not_good_is_an_answer),
	    TEST(the_idle_program_gets_the_next_question),
	    TEST(a_question_that_was_lost_goes_to_another_program),
	    TEST(a_question_that_was_lost_is_for_all_who_ask),
	    TEST(without_a_program_the_directory_is_unavailable),
	    TEST(a_failure_is_served_from_what_was_known),
	    HASTY_TEST(a_program_that_hangs_is_not_waited_for),
	    TEST(a_slow_directory_is_not_waited_for_where_an_old_answer_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
