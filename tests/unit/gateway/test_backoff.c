/* SPDX-License-Identifier: ISC */
/* The dead come back at once, until they die too often. */
#include "tests/support/unit.h"

#include "base/clock.h"
#include "gateway/backoff.h"
#include "tests/support/fake_clock.h"

#define SECOND 1000000

/* Lives for so long, dies: the delay. */
static unsigned
live_and_die(struct backoff *backoff, uint64_t us)
{
	uint64_t started_us = clock_monotonic_us();

	fake_clock_advance(us);
	return backoff_died(backoff, started_us);
}

static void
the_fifth_death_in_ten_seconds_is_the_first_to_wait(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(live_and_die(&backoff, 2 * SECOND), 0);
	assert_int_equal(live_and_die(&backoff, 2 * SECOND), BACKOFF_FIRST_MS);
}

static void
deaths_further_apart_never_wait(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(live_and_die(&backoff, 26 * SECOND / 10), 0);
}

static void
waiting_doubles_up_to_its_limit(void **state)
{
	struct backoff backoff = {0};
	unsigned expected = BACKOFF_FIRST_MS;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)live_and_die(&backoff, 0);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(live_and_die(&backoff, SECOND), expected);
		fake_clock_advance((uint64_t)expected * 1000);
		expected = expected * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS
							  : expected * 2;
	}
	assert_int_equal(expected, BACKOFF_LAST_MS);
}

static void
a_life_longer_than_ten_seconds_is_forgiven(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		(void)live_and_die(&backoff, 0);
	assert_int_not_equal(live_and_die(&backoff, 10 * SECOND), 0);
	assert_int_equal(live_and_die(&backoff, 10 * SECOND + 1), 0);
	assert_int_equal(live_and_die(&backoff, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_fifth_death_in_ten_seconds_is_the_first_to_wait),
	    cmocka_unit_test(deaths_further_apart_never_wait),
	    cmocka_unit_test(waiting_doubles_up_to_its_limit),
	    cmocka_unit_test(a_life_longer_than_ten_seconds_is_forgiven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
