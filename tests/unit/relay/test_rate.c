/* SPDX-License-Identifier: ISC */
/* What passes in a time is what the rate says, whoever asks and how. */
#include "tests/support/unit.h"

#include "relay/rate.h"
#include "tests/support/fake_clock.h"

static int
set_up(void **state)
{
	(void)state;
	fake_clock_set(1000000, 1000000);
	return 0;
}

static size_t
take(struct rate *rate, size_t want)
{
	uint64_t wait_us;

	return rate_take(rate, want, &wait_us);
}

static void
a_burst_passes_at_once_and_no_more(void **state)
{
	struct rate *rate = rate_new(1000000);
	uint64_t wait_us;

	(void)state;
	assert_int_equal(take(rate, 100000), 100000);
	assert_int_equal(take(rate, 1000000), 150000);
	assert_int_equal(rate_take(rate, 5000, &wait_us), 0);
	assert_int_equal(wait_us, RATE_PIECE + 1);
	fake_clock_advance(wait_us);
	assert_int_equal(take(rate, 1000000), wait_us);
	fake_clock_advance(3600 * UINT64_C(1000000));
	assert_int_equal(take(rate, 1000000), 250000);
	rate_free(rate);
	rate_free(NULL);
}

static void
odd_rates_are_exact_over_time(void **state)
{
	static const uint64_t rates[] = {
	    1, 7, 999, 1000, 65537, 123456789, 1000000000000};
	static const uint64_t steps_us[] = {1, 13, 999, 20000, 250001};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rates); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(steps_us); j++) {
			struct rate *rate = rate_new(rates[i]);
			uint64_t passed = 0, taken = 0, expected;

			(void)take(rate, SIZE_MAX);
			while (take(rate, 1) > 0)
				continue;
			for (int k = 0; k < 5000; k++) {
				uint64_t step =
				    steps_us[j] < 240000 ? steps_us[j] : 240000;

				fake_clock_advance(step);
				passed += step;
				taken += take(rate, SIZE_MAX);
			}
			expected = passed * (rates[i] / 1000000) +
				   passed * (rates[i] % 1000000) / 1000000;
			/* Less than a piece may be there still. */
			assert_in_range(taken,
			    expected > RATE_PIECE ? expected - RATE_PIECE : 0,
			    expected);
			rate_free(rate);
		}
	}
}

static void
a_slow_one_is_asked_every_second(void **state)
{
	struct rate *rate = rate_new(1);
	uint64_t wait_us;

	(void)state;
	assert_int_equal(take(rate, SIZE_MAX), RATE_BURST_MIN);
	assert_int_equal(rate_take(rate, 1, &wait_us), 0);
	assert_int_equal(wait_us, 1000000);
	fake_clock_advance(wait_us);
	assert_int_equal(take(rate, SIZE_MAX), 0); /* not for so little */
	assert_int_equal(take(rate, 1), 1);
	fake_clock_advance(UINT64_MAX / 4);
	assert_int_equal(take(rate, SIZE_MAX), RATE_BURST_MIN);
	rate_free(rate);
}

static void
what_did_not_pass_is_put_back(void **state)
{
	struct rate *rate = rate_new(1000000);

	(void)state;
	assert_int_equal(take(rate, 250000), 250000);
	rate_give(rate, 100000);
	assert_int_equal(take(rate, SIZE_MAX), 100000);
	rate_give(rate, 1000000);
	assert_int_equal(take(rate, SIZE_MAX), 250000);
	rate_free(rate);
}

static void
another_rate_counts_from_now_on(void **state)
{
	struct rate *rate = rate_new(1000000);

	(void)state;
	assert_int_equal(take(rate, SIZE_MAX), 250000);
	fake_clock_advance(100000);
	rate_set(rate, 10000); /* what has come in stays, if it fits */
	assert_int_equal(take(rate, SIZE_MAX), RATE_BURST_MIN);
	fake_clock_advance(200000);
	assert_int_equal(take(rate, SIZE_MAX), 2000);
	rate_free(rate);
}

static void
what_cannot_be_cut_passes_whole_or_not(void **state)
{
	struct rate *rate = rate_new(1000000);

	(void)state;
	assert_true(rate_is_full(rate));
	assert_false(rate_take_whole(rate, 250001));
	assert_true(rate_is_full(rate));
	assert_true(rate_take_whole(rate, 249999));
	assert_false(rate_take_whole(rate, 2));
	assert_true(rate_take_whole(rate, 1));
	assert_false(rate_is_full(rate));
	fake_clock_advance(250000);
	assert_true(rate_is_full(rate));
	rate_free(rate);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_burst_passes_at_once_and_no_more),
	    TEST(odd_rates_are_exact_over_time),
	    TEST(a_slow_one_is_asked_every_second),
	    TEST(what_did_not_pass_is_put_back),
	    TEST(another_rate_counts_from_now_on),
	    TEST(what_cannot_be_cut_passes_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
