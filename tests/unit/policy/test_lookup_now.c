/* SPDX-License-Identifier: ISC */
/* What the directory says now, with a scripted directory-lookup at the other
 * end. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/wire.h"
#include "policy/lookup_now.h"
#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"

#define TIMEOUT_MS 100
#define NAME	   "alice@EXAMPLE.COM"

/* The program: it keeps its last question, and answers when it is told to. */
static struct program {
	struct link *link;
	unsigned questions;
	uint16_t type;
	uint64_t id;
	uint32_t number;
	char text[LOOKUP_DN_MAX];
} program;

static struct event_base *base;
static struct lookup_now *now;

/* The last answer. */
static unsigned done_count;
static char done_why[256];
static struct subject *done_subject;
static struct provenance *done_provenance;
static bool done_is_there;

static void
on_question(void *arg, struct link_message *message)
{
	struct wire_reader reader;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	if (message->type == LOOKUP_EXPLAIN)
		program.number = wire_get_u32(&reader);
	wire_get_string(&reader, program.text, sizeof(program.text));
	assert_true(wire_is_done(&reader));
	program.type = message->type;
	program.id = message->id;
	program.questions++;
}

static void
on_probe(void *arg, struct link_message *message)
{
	(void)arg;
	assert_int_equal(
	    link_send(program.link, LOOKUP_ALIVE, message->id, NULL, 0), 0);
}

static void
on_closed(void *arg)
{
	(void)arg;
	link_free(program.link);
	program.link = NULL;
}

static const struct link_handler handlers[] = {
    {LOOKUP_EXPLAIN, 8, 1032, on_question},
    {LOOKUP_ENTRY, 4, LOOKUP_DN_MAX + 4, on_question},
    {LOOKUP_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

static void
settle(void)
{
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
start_program(void)
{
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	lookup_now_link(now, 0, fds[0]);
	program.link = link_new(base, fds[1], handlers, on_closed, NULL);
	assert_non_null(program.link);
}

static void
forget_answer(void)
{
	subject_unref(done_subject);
	done_subject = NULL;
	provenance_free(done_provenance);
	done_provenance = NULL;
	done_count = 0;
	done_why[0] = '\0';
	done_is_there = false;
}

static int
set_up(void **state)
{
	(void)state;
	memset(&program, 0, sizeof(program));
	base = event_base_new();
	now = lookup_now_new(base, TIMEOUT_MS);
	assert_non_null(now);
	start_program();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	lookup_now_free(now);
	link_free(program.link);
	forget_answer();
	event_base_free(base);
	return 0;
}

static void
on_done(void *arg, struct lookup_now_answer *answer)
{
	assert_ptr_equal(arg, &program);
	forget_answer();
	done_count = 1;
	(void)snprintf(done_why, sizeof(done_why), "%s", answer->why);
	done_subject = answer->subject;
	answer->subject = NULL;
	done_provenance = answer->provenance;
	answer->provenance = NULL;
	done_is_there = answer->is_there;
}

static struct lookup_now_question *
ask_user(const char *name)
{
	struct lookup_now_question *question =
	    lookup_now_user(now, name, on_done, &program);

	assert_non_null(question);
	assert_int_equal(done_count, 0); /* never before it has returned */
	settle();
	return question;
}

static void
ask_entry(const char *dn)
{
	assert_non_null(lookup_now_entry(now, dn, on_done, &program));
	assert_int_equal(done_count, 0);
	settle();
}

/* ---- the program's answers */

static void
say(uint16_t type, uint64_t id, const void *data, size_t len)
{
	assert_int_equal(link_send(program.link, type, id, data, len), 0);
	settle();
}

static void
say_findings(const struct provenance *provenance, uint32_t number)
{
	size_t first = 0, len;
	uint8_t *data;

	assert_int_equal(
	    lookup_findings_encode(provenance, &first, number, &data, &len), 0);
	say(LOOKUP_FINDINGS, 0, data, len);
	free(data);
}

/* With that many groups, all of which are to have gone ahead. */
static void
say_subject(const struct provenance *provenance)
{
	struct subject *subject = subject_new("uid=alice,dc=example");
	uint8_t *data;
	size_t len;

	for (size_t i = 0; i < provenance->count; i++)
		assert_int_equal(
		    subject_add_group(subject, provenance->findings[i].group),
		    0);
	assert_int_equal(
	    lookup_subject_encode(subject, subject->count, &data, &len), 0);
	say(LOOKUP_SUBJECT, program.id, data, len);
	free(data);
	subject_unref(subject);
}

static struct provenance *
two_groups(void)
{
	struct provenance *provenance = provenance_new();

	assert_int_equal(provenance_add(provenance, "cn=staff", ORIGIN_MEMBER,
			     FINDING_DIRECT),
	    0);
	assert_int_equal(
	    provenance_add(provenance, "cn=all", ORIGIN_MEMBER_OF, 0), 0);
	return provenance;
}

static void
must_fail(const char *because)
{
	assert_int_equal(done_count, 1);
	assert_null(done_subject);
	assert_null(done_provenance);
	if (strstr(done_why, because) == NULL)
		fail_msg("%s", done_why);
}

/* ---- users */

static void
a_user_comes_with_where_its_groups_come_from(void **state)
{
	struct provenance *sent = two_groups();

	(void)state;
	(void)ask_user(NAME);
	assert_int_equal(program.type, LOOKUP_EXPLAIN);
	assert_string_equal(program.text, NAME);
	say_findings(sent, program.number);
	say_subject(sent);
	assert_int_equal(done_count, 1);
	assert_string_equal(done_why, "");
	assert_int_equal(done_subject->count, 2);
	assert_true(subject_is_member(done_subject, "cn=all"));
	assert_int_equal(done_provenance->count, 2);
	assert_string_equal(done_provenance->findings[1].group, "cn=all");
	assert_int_equal(done_provenance->findings[1].through, 0);
	provenance_free(sent);
}

static void
nobody_is_an_answer(void **state)
{
	(void)state;
	(void)ask_user(NAME);
	say(LOOKUP_NOBODY, program.id, NULL, 0);
	assert_int_equal(done_count, 1);
	assert_string_equal(done_why, "");
	assert_null(done_subject->dn);
	assert_int_equal(done_provenance->count, 0);
}

static void
each_question_gets_its_own_findings(void **state)
{
	struct provenance *sent = two_groups(), *none = provenance_new();
	uint32_t number;
	uint64_t id;

	(void)state;
	(void)ask_user(NAME);
	number = program.number;
	id = program.id;
	(void)ask_user("bob@EXAMPLE.COM");
	assert_int_not_equal(program.number, number);
	say_findings(sent, number);
	say_subject(none); /* bob's */
	assert_int_equal(done_count, 1);
	assert_string_equal(done_why, "");
	assert_int_equal(done_subject->count, 0);
	forget_answer();
	program.id = id;
	say_subject(sent);
	assert_string_equal(done_why, "");
	assert_int_equal(done_subject->count, 2);
	provenance_free(sent);
	provenance_free(none);
}

static void
findings_that_did_not_come_are_missed(void **state)
{
	struct provenance *sent = two_groups();

	(void)state;
	(void)ask_user(NAME);
	say_findings(sent, program.number + 1);
	say_subject(sent);
	must_fail("not whole");
	provenance_free(sent);
}

static void
findings_that_are_none_are_missed(void **state)
{
	struct provenance *sent = two_groups();
	uint8_t odd[] = {0, 0, 0, 0, 99};

	(void)state;
	(void)ask_user(NAME);
	odd[3] = (uint8_t)program.number;
	say(LOOKUP_FINDINGS, 0, odd, sizeof(odd));
	say_findings(sent, program.number);
	say_subject(sent);
	must_fail("not whole");
	provenance_free(sent);
}

/* Groups without an origin: an answer to another kind of question. */
static void
groups_that_did_not_go_ahead_are_refused(void **state)
{
	struct subject *subject = subject_new("uid=alice");
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(subject_add_group(subject, "cn=staff"), 0);
	assert_int_equal(lookup_subject_encode(subject, 0, &data, &len), 0);
	(void)ask_user(NAME);
	say(LOOKUP_SUBJECT, program.id, data, len);
	must_fail("not whole");
	free(data);
	subject_unref(subject);
}

static void
a_failure_is_told_and_quoted(void **state)
{
	static const uint8_t failure[] = {0, 0, 0, 4, 's', 'l', 'o', '\n'};

	(void)state;
	(void)ask_user(NAME);
	say(LOOKUP_FAILED, program.id, failure, sizeof(failure));
	must_fail("slo\\x0a");
	forget_answer();
	(void)ask_user(NAME);
	say(LOOKUP_FAILED, program.id, NULL, 0);
	must_fail("no reason given");
}

static void
a_name_that_is_too_long_is_not_asked(void **state)
{
	char name[1025];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	errno = 0;
	assert_null(lookup_now_user(now, name, on_done, &program));
	assert_int_equal(errno, EINVAL);
	name[1023] = '\0';
	(void)ask_user(name);
	assert_string_equal(program.text, name);
}

/* ---- entries */

static void
an_entry_is_there_or_not(void **state)
{
	(void)state;
	ask_entry("cn=staff,dc=example");
	assert_int_equal(program.type, LOOKUP_ENTRY);
	assert_string_equal(program.text, "cn=staff,dc=example");
	say(LOOKUP_THERE, program.id, NULL, 0);
	assert_int_equal(done_count, 1);
	assert_string_equal(done_why, "");
	assert_true(done_is_there);
	forget_answer();
	ask_entry("cn=staff,dc=example");
	say(LOOKUP_MISSING, program.id, NULL, 0);
	assert_string_equal(done_why, "");
	assert_false(done_is_there);
}

static void
an_answer_to_something_else_is_refused(void **state)
{
	(void)state;
	ask_entry("cn=staff,dc=example");
	say(LOOKUP_NOBODY, program.id, NULL, 0);
	must_fail("something else");
	forget_answer();
	(void)ask_user(NAME);
	say(LOOKUP_THERE, program.id, NULL, 0);
	must_fail("something else");
}

/* ---- a program that is away */

static void
a_program_that_dies_fails_its_questions(void **state)
{
	(void)state;
	(void)ask_user(NAME);
	on_closed(NULL);
	settle();
	must_fail("not there");
	forget_answer();
	ask_entry("cn=staff");
	must_fail("not there");
	forget_answer();
	start_program();
	ask_entry("cn=staff");
	say(LOOKUP_THERE, program.id, NULL, 0);
	assert_true(done_is_there);
}

static void
a_program_that_hangs_is_not_waited_for(void **state)
{
	struct timeval wait = {0, 3 * TIMEOUT_MS * 1000};

	(void)state;
	(void)ask_user(NAME);
	(void)event_base_loopexit(base, &wait);
	(void)event_base_loop(base, 0);
	must_fail("in time");
	/* Its late answer is dropped, and it is asked again. */
	forget_answer();
	say(LOOKUP_NOBODY, program.id, NULL, 0);
	assert_int_equal(done_count, 0);
	ask_entry("cn=staff");
	say(LOOKUP_THERE, program.id, NULL, 0);
	assert_true(done_is_there);
}

static void
who_has_cancelled_hears_nothing(void **state)
{
	struct provenance *sent = two_groups();

	(void)state;
	lookup_now_cancel(ask_user(NAME));
	lookup_now_cancel(NULL);
	say_findings(sent, program.number);
	say_subject(sent);
	assert_int_equal(done_count, 0);
	/* One that is under way ends with all of them. */
	(void)ask_user(NAME);
	provenance_free(sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_user_comes_with_where_its_groups_come_from),
	    TEST(nobody_is_an_answer),
	    TEST(each_question_gets_its_own_findings),
	    TEST(findings_that_did_not_come_are_missed),
	    TEST(findings_that_are_none_are_missed),
	    TEST(groups_that_did_not_go_ahead_are_refused),
	    TEST(a_failure_is_told_and_quoted),
	    TEST(a_name_that_is_too_long_is_not_asked),
	    TEST(an_entry_is_there_or_not),
	    TEST(an_answer_to_something_else_is_refused),
	    TEST(a_program_that_dies_fails_its_questions),
	    TEST(a_program_that_hangs_is_not_waited_for),
	    TEST(who_has_cancelled_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
