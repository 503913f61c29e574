/* SPDX-License-Identifier: ISC */
/* Tests that the clocks tell microseconds. */
#include "tests/support/unit.h"

#include <time.h>

#include "base/clock.h"

#define SECOND 1000000

static void
the_monotonic_clock_counts_microseconds(void **state)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	uint64_t before = clock_monotonic_us(), after;

	(void)state;
	nanosleep(&pause, NULL);
	after = clock_monotonic_us();
	assert_true(after - before >= 20000);
	assert_true(after - before < 60 * (uint64_t)SECOND);
}

static void
the_wall_clock_is_the_calendars(void **state)
{
	uint64_t before = (uint64_t)time(NULL) * SECOND;
	uint64_t now = clock_wall_us();

	(void)state;
	assert_true(now + SECOND >= before);
	assert_true(now < before + 60 * (uint64_t)SECOND);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_monotonic_clock_counts_microseconds),
	    cmocka_unit_test(the_wall_clock_is_the_calendars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
