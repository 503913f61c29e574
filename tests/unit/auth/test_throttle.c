/* SPDX-License-Identifier: ISC */
/* How often passwords may be tried: who is let through, and who is not. */
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/throttle.h"
#include "tests/support/fake_clock.h"

#define SECOND UINT64_C(1000000)
#define DAY    (UINT64_C(86400) * SECOND)

static const struct throttle_budgets budgets = {
    .pair = {.burst = 2, .refill_us = 1800 * SECOND},
    .name = {.burst = 4, .refill_us = 1000 * SECOND},
    .source = {.burst = 20, .refill_us = 30 * SECOND},
};

static struct throttle *throttle;

static int
set_up(void **state)
{
	(void)state;
	fake_clock_set(SECOND, 0);
	throttle = throttle_new();
	return throttle == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	throttle_free(throttle);
	return 0;
}

static struct throttle_attempt
attempt_from(const char *name, const char *source)
{
	struct address address;

	assert_true(address_parse(source, &address));
	return throttle_attempt(throttle, name, strlen(name), &address);
}

/* The n-th of many sources. */
static struct throttle_attempt
attempt_by_number(const char *name, uint32_t n)
{
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, (uint8_t)(n >> 24),
	    (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 1};
	struct address address = address_from_ipv6(bytes);

	return throttle_attempt(throttle, name, strlen(name), &address);
}

static enum throttle_verdict
try_attempt(struct throttle_attempt attempt, enum throttle_outcome outcome)
{
	enum throttle_verdict verdict =
	    throttle_begin(throttle, &budgets, &attempt);

	throttle_end(throttle, &budgets, &attempt, outcome);
	return verdict;
}

static enum throttle_verdict
get_wrong(const char *name, const char *source)
{
	return try_attempt(attempt_from(name, source), THROTTLE_FAILED);
}

static enum throttle_verdict
prove(const char *name, const char *source)
{
	return try_attempt(attempt_from(name, source), THROTTLE_PROVED);
}

/* ---- failures */

static void
ten_thousand_wrong_passwords_cost_no_more_than_the_budget(void **state)
{
	unsigned asked = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		asked += get_wrong("alice", "192.0.2.1") == THROTTLE_GO;
	assert_int_equal(asked, 2);
	/* And its owner comes in from elsewhere. */
	assert_int_equal(prove("alice", "192.0.2.2"), THROTTLE_GO);
}

static void
one_source_never_shuts_out_another_however_long_it_goes_on(void **state)
{
	unsigned asked = 0;

	(void)state;
	for (unsigned s = 0; s < 7 * 86400; s += 10) {
		fake_clock_advance(10 * SECOND);
		asked += get_wrong("alice", "192.0.2.1") == THROTTLE_GO;
		/* Each time from an address that nobody knows. */
		if (s % 1000 == 0)
			assert_int_equal(
			    try_attempt(
				attempt_by_number("alice", s), THROTTLE_PROVED),
			    THROTTLE_GO);
	}
	assert_true(asked <= 2 + 7 * 86400 / 1800 + 1);
}

static void
all_sources_together_cost_no_more_than_the_names_budget(void **state)
{
	unsigned asked = 0;

	(void)state;
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	for (uint32_t i = 0; i < 10000; i++) {
		fake_clock_advance(SECOND);
		asked += try_attempt(attempt_by_number("alice", i),
			     THROTTLE_FAILED) == THROTTLE_GO;
	}
	assert_true(asked <= 4 + 10000 / 1000);
	/* Strangers have to wait, who is known does not. */
	assert_int_equal(get_wrong("alice", "192.0.2.2"), THROTTLE_REFUSE);
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	/* And it has an end. */
	fake_clock_advance(1000 * SECOND);
	assert_int_equal(prove("alice", "192.0.2.2"), THROTTLE_GO);
}

static void
a_source_that_tries_many_names_is_stopped(void **state)
{
	unsigned asked = 0;
	char name[16];

	(void)state;
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		asked += get_wrong(name, "192.0.2.1") == THROTTLE_GO;
	}
	assert_int_equal(asked, 20);
	assert_int_equal(get_wrong("bob", "192.0.2.1"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("bob", "192.0.2.2"), THROTTLE_GO);
	/* Who is known there is not kept out by it. */
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
}

static void
other_failing_proofs_count_for_their_source(void **state)
{
	struct address source;

	(void)state;
	assert_true(address_parse("192.0.2.1", &source));
	for (int i = 0; i < 1000; i++)
		throttle_blame(throttle, &budgets, &source);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("alice", "192.0.2.2"), THROTTLE_GO);
	fake_clock_advance(30 * SECOND);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
}

static void
what_failed_is_forgotten_in_time(void **state)
{
	(void)state;
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
	fake_clock_advance(1800 * SECOND - 1);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
	fake_clock_advance(1);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
}

static void
failures_are_counted_for_the_pair_and_for_the_source(void **state)
{
	struct throttle_attempt alice = attempt_from("alice", "192.0.2.1");
	struct throttle_attempt bob = attempt_from("bob", "192.0.2.1");
	struct throttle_attempt other = attempt_from("alice", "192.0.2.2");

	(void)state;
	assert_int_equal(throttle_failures(throttle, &budgets, &alice), 0);
	(void)get_wrong("alice", "192.0.2.1");
	(void)get_wrong("alice", "192.0.2.1");
	(void)get_wrong("carol", "192.0.2.1");
	assert_int_equal(throttle_failures(throttle, &budgets, &alice), 3);
	assert_int_equal(throttle_failures(throttle, &budgets, &bob), 3);
	/* That others have tried a name does not show. */
	assert_int_equal(throttle_failures(throttle, &budgets, &other), 0);
	fake_clock_advance(90 * SECOND);
	assert_int_equal(throttle_failures(throttle, &budgets, &alice), 2);
	assert_int_equal(throttle_failures(throttle, &budgets, &bob), 0);
	/* Refused ones change nothing. */
	(void)get_wrong("alice", "192.0.2.1");
	assert_int_equal(throttle_failures(throttle, &budgets, &alice), 2);
	fake_clock_advance(3600 * SECOND);
	assert_int_equal(throttle_failures(throttle, &budgets, &alice), 0);
}

/* Else who shares its address would learn which names come from there. */
static void
a_name_that_is_known_at_its_source_fails_no_faster(void **state)
{
	struct throttle_attempt known = attempt_from("alice", "192.0.2.1");
	struct throttle_attempt other = attempt_from("bob", "192.0.2.1");

	(void)state;
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	(void)get_wrong("carol", "192.0.2.1");
	(void)get_wrong("carol", "192.0.2.1");
	assert_int_equal(throttle_failures(throttle, &budgets, &known), 2);
	assert_int_equal(throttle_failures(throttle, &budgets, &other), 2);
}

/* ---- successes */

static void
success_costs_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
}

static void
success_forgives_nothing(void **state)
{
	unsigned asked = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		asked += get_wrong("alice", "192.0.2.1") == THROTTLE_GO;
		(void)prove("alice", "192.0.2.1");
	}
	assert_int_equal(asked, 2);
}

static void
what_was_not_asked_costs_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(try_attempt(attempt_from("alice", "192.0.2.1"),
				     THROTTLE_UNASKED),
		    THROTTLE_GO);
	/* Nor does it make the source a known one. */
	for (uint32_t i = 0; i < 10; i++)
		(void)try_attempt(
		    attempt_by_number("alice", i), THROTTLE_FAILED);
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_REFUSE);
}

static void
a_source_is_known_for_thirty_days_and_for_its_name(void **state)
{
	(void)state;
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(prove("bob", "192.0.2.2"), THROTTLE_GO);
	fake_clock_advance(30 * DAY - SECOND);
	for (uint32_t i = 0; i < 10; i++)
		(void)try_attempt(
		    attempt_by_number("alice", i), THROTTLE_FAILED);
	assert_int_equal(get_wrong("alice", "192.0.2.2"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	fake_clock_advance(SECOND);
	for (uint32_t i = 0; i < 10; i++)
		(void)try_attempt(
		    attempt_by_number("alice", i), THROTTLE_FAILED);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
}

/* ---- tries under way */

static void
tries_under_way_hold_their_places(void **state)
{
	struct throttle_attempt one = attempt_from("alice", "192.0.2.1");
	struct throttle_attempt two = one, three = one;

	(void)state;
	assert_int_equal(throttle_begin(throttle, &budgets, &one), THROTTLE_GO);
	assert_int_equal(throttle_begin(throttle, &budgets, &two), THROTTLE_GO);
	assert_int_equal(
	    throttle_begin(throttle, &budgets, &three), THROTTLE_WAIT);
	throttle_end(throttle, &budgets, &one, THROTTLE_FAILED);
	assert_int_equal(
	    throttle_begin(throttle, &budgets, &three), THROTTLE_WAIT);
	throttle_end(throttle, &budgets, &two, THROTTLE_PROVED);
	assert_int_equal(
	    throttle_begin(throttle, &budgets, &three), THROTTLE_GO);
	throttle_end(throttle, &budgets, &three, THROTTLE_FAILED);
	assert_int_equal(
	    throttle_begin(throttle, &budgets, &three), THROTTLE_REFUSE);
	/* It is not under way: its end is nothing. */
	throttle_end(throttle, &budgets, &three, THROTTLE_FAILED);
}

static void
ten_thousand_at_once_are_no_more_than_the_budget(void **state)
{
	static struct throttle_attempt attempts[10000];
	unsigned asked = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		attempts[i] = attempt_from("alice", "192.0.2.1");
		asked += throttle_begin(throttle, &budgets, &attempts[i]) ==
			 THROTTLE_GO;
	}
	assert_int_equal(asked, 2);
	for (size_t i = 0; i < 10000; i++)
		throttle_end(throttle, &budgets, &attempts[i], THROTTLE_FAILED);
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_REFUSE);
}

/* ---- what is the same name, and the same source */

static void
names_that_differ_in_case_are_one(void **state)
{
	(void)state;
	assert_int_equal(get_wrong("alice", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("ALICE", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("aLiCe", "192.0.2.1"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("alicf", "192.0.2.1"), THROTTLE_GO);
	/* Only letters have a case. */
	assert_int_equal(get_wrong("[", "192.0.2.3"), THROTTLE_GO);
	assert_int_equal(get_wrong("[", "192.0.2.3"), THROTTLE_GO);
	assert_int_equal(get_wrong("{", "192.0.2.3"), THROTTLE_GO);
}

static void
a_source_is_an_address_or_a_64(void **state)
{
	(void)state;
	assert_int_equal(get_wrong("alice", "2001:db8::1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "2001:db8::ffff:1"), THROTTLE_GO);
	assert_int_equal(get_wrong("alice", "2001:db8::2"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("alice", "2001:db8:0:1::1"), THROTTLE_GO);
	assert_int_equal(get_wrong("bob", "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("bob", "::ffff:192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong("bob", "192.0.2.1"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("bob", "192.0.2.2"), THROTTLE_GO);
}

static void
the_longest_name_is_one(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	assert_int_equal(get_wrong(name, "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong(name, "192.0.2.1"), THROTTLE_GO);
	assert_int_equal(get_wrong(name, "192.0.2.1"), THROTTLE_REFUSE);
	name[254] = 'y';
	assert_int_equal(get_wrong(name, "192.0.2.1"), THROTTLE_GO);
}

/* ---- a full table */

static void
a_flood_of_names_neither_locks_out_nor_lets_in(void **state)
{
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		(void)try_attempt(attempt_by_number("alice", UINT32_MAX - i),
		    THROTTLE_FAILED);
	(void)get_wrong("bob", "192.0.2.1");
	(void)get_wrong("bob", "192.0.2.1");
	assert_int_equal(get_wrong("bob", "192.0.2.1"), THROTTLE_REFUSE);
	/* Far more than any table holds, each of another source. */
	for (uint32_t i = 0; i < 1000000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", (unsigned)i);
		assert_int_equal(
		    try_attempt(attempt_by_number(name, i), THROTTLE_FAILED),
		    THROTTLE_GO);
	}
	/* Who was attacked is not forgotten ... */
	assert_int_equal(get_wrong("alice", "192.0.2.9"), THROTTLE_REFUSE);
	assert_int_equal(get_wrong("bob", "192.0.2.1"), THROTTLE_REFUSE);
	/* ... and who comes now comes in. */
	assert_int_equal(prove("carol", "192.0.2.2"), THROTTLE_GO);
}

static void
those_under_way_are_never_forgotten(void **state)
{
	const size_t many = 200000;
	struct throttle_attempt *attempts = calloc(many, sizeof(*attempts));
	size_t asked = 0;
	char name[16];

	(void)state;
	assert_non_null(attempts);
	for (uint32_t i = 0; i < many; i++) {
		enum throttle_verdict verdict;

		(void)snprintf(name, sizeof(name), "n%u", (unsigned)i);
		attempts[i] = attempt_by_number(name, i);
		verdict = throttle_begin(throttle, &budgets, &attempts[i]);
		assert_int_not_equal(verdict, THROTTLE_REFUSE);
		asked += verdict == THROTTLE_GO;
	}
	/* As many as there are places, and the rest waits for one. */
	assert_true(asked > 16384 && asked <= 32768);
	for (size_t i = 0; i < many; i++)
		throttle_end(throttle, &budgets, &attempts[i], THROTTLE_FAILED);
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	free(attempts);
}

static void
many_sources_of_one_name_press_out_only_its_own(void **state)
{
	(void)state;
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
	/* An insider, with a password and many addresses. */
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(try_attempt(attempt_by_number("mallory", i),
				     THROTTLE_PROVED),
		    THROTTLE_GO);
	for (uint32_t i = 0; i < 10; i++)
		(void)try_attempt(
		    attempt_by_number("alice", i), THROTTLE_FAILED);
	assert_int_equal(prove("alice", "192.0.2.1"), THROTTLE_GO);
}

/* ---- threads */

static void *
hammer(void *arg)
{
	unsigned *asked = arg;

	for (int i = 0; i < 20000; i++)
		*asked += get_wrong("alice", "192.0.2.1") == THROTTLE_GO;
	return NULL;
}

static void
threads_share_one_budget(void **state)
{
	pthread_t threads[4];
	unsigned asked[4] = {0}, sum = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, hammer, &asked[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		sum += asked[i];
	}
	assert_int_equal(sum, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(ten_thousand_wrong_passwords_cost_no_more_than_the_budget),
	    TEST(one_source_never_shuts_out_another_however_long_it_goes_on),
	    TEST(all_sources_together_cost_no_more_than_the_names_budget),
	    TEST(a_source_that_tries_many_names_is_stopped),
	    TEST(other_failing_proofs_count_for_their_source),
	    TEST(what_failed_is_forgotten_in_time),
	    TEST(failures_are_counted_for_the_pair_and_for_the_source),
	    TEST(a_name_that_is_known_at_its_source_fails_no_faster),
	    TEST(success_costs_nothing),
	    TEST(success_forgives_nothing),
	    TEST(what_was_not_asked_costs_nothing),
	    TEST(a_source_is_known_for_thirty_days_and_for_its_name),
	    TEST(tries_under_way_hold_their_places),
	    TEST(ten_thousand_at_once_are_no_more_than_the_budget),
	    TEST(names_that_differ_in_case_are_one),
	    TEST(a_source_is_an_address_or_a_64),
	    TEST(the_longest_name_is_one),
	    TEST(a_flood_of_names_neither_locks_out_nor_lets_in),
	    TEST(those_under_way_are_never_forgotten),
	    TEST(many_sources_of_one_name_press_out_only_its_own),
	    TEST(threads_share_one_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
