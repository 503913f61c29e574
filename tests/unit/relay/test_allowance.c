/* SPDX-License-Identifier: ISC */
/* So much a second, by a clock that the test sets. */
#include "tests/support/unit.h"

#include "relay/allowance.h"
#include "tests/support/fake_clock.h"

static void
without_a_limit_there_is_always_enough(void **state)
{
	struct allowance allowance = allowance_of(0);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(allowance_take(&allowance, UINT64_MAX));
}

static void
two_seconds_worth_is_there_at_once(void **state)
{
	struct allowance allowance = allowance_of(5);

	(void)state;
	assert_false(allowance_take(&allowance, 11));
	assert_true(allowance_take(&allowance, 10));
	assert_false(allowance_take(&allowance, 1));
	assert_true(allowance_take(&allowance, 0));
	fake_clock_advance(1999999);
	assert_false(allowance_take(&allowance, 10));
	assert_true(allowance_take(&allowance, 9));
	fake_clock_advance(UINT64_C(1) << 40);
	assert_false(allowance_take(&allowance, 11));
	assert_true(allowance_take(&allowance, 10));
}

/* However often it is asked, no part of a second is lost. */
static void
small_steps_count_together(void **state)
{
	static const uint64_t rates[] = {1, 3, 7, 1000, UINT64_C(1) << 40};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rates); i++) {
		struct allowance allowance = allowance_of(rates[i]);
		uint64_t taken = 0, piece = rates[i] / 1000 + 1;

		assert_true(allowance_take(&allowance, 2 * rates[i]));
		for (int step = 0; step < 10000; step++) {
			fake_clock_advance(1009);
			while (allowance_take(&allowance, piece))
				taken += piece;
		}
		/* 10.09 s */
		assert_true(taken <= rates[i] * 1009 / 100 + 1);
		assert_true(
		    taken + piece + rates[i] / 50 + 1 >= rates[i] * 1009 / 100);
	}
}

static void
what_was_not_used_is_put_back(void **state)
{
	struct allowance allowance = allowance_of(5);

	(void)state;
	assert_true(allowance_is_full(&allowance));
	assert_true(allowance_take(&allowance, 8));
	assert_false(allowance_is_full(&allowance));
	allowance_give(&allowance, 3);
	assert_int_equal(allowance_left(&allowance), 5);
	allowance_give(&allowance, UINT64_MAX);
	assert_int_equal(allowance_left(&allowance), 10);
	assert_true(allowance_is_full(&allowance));
	allowance_set(&allowance, 100, 7);
	assert_int_equal(allowance_left(&allowance), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_limit_there_is_always_enough),
	    cmocka_unit_test(two_seconds_worth_is_there_at_once),
	    cmocka_unit_test(small_steps_count_together),
	    cmocka_unit_test(what_was_not_used_is_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
