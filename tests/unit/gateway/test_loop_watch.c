/* SPDX-License-Identifier: ISC */
/* Whether an event loop turns, and how late it is. */
#include "tests/support/unit.h"

#include <event2/event.h>

#include "gateway/counters.h"
#include "gateway/loop_watch.h"
#include "tests/support/fake_clock.h"

static struct event_base *base;
static struct counters counters;
static struct loop_watch *watch;

static int
set_up(void **state)
{
	(void)state;
	fake_clock_set(1000000, 1000000);
	counters = (struct counters){0};
	base = event_base_new();
	watch = loop_watch_new(base, &counters);
	return watch == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_watch_free(watch);
	loop_watch_free(NULL);
	event_base_free(base);
	return 0;
}

/* Waits for the loop's own timer once; our clock says how long it took. */
static void
turn(uint64_t took_us)
{
	fake_clock_advance(took_us);
	(void)event_base_loop(base, EVLOOP_ONCE);
}

static void
a_loop_in_time_is_well(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		turn(100000);
		assert_int_equal(loop_watch_check(watch, 1), 0);
	}
	turn(110000);
	assert_int_equal(counters_get(&counters, COUNTER_LOOP_LATE), 0);
}

static void
a_late_loop_is_counted(void **state)
{
	(void)state;
	turn(110001);
	assert_int_equal(counters_get(&counters, COUNTER_LOOP_LATE), 1);
	turn(100000);
	turn(5000000);
	assert_int_equal(counters_get(&counters, COUNTER_LOOP_LATE), 2);
	assert_int_equal(loop_watch_check(watch, 1), 0);
}

static void
a_loop_that_does_not_turn_is_noticed(void **state)
{
	(void)state;
	turn(100000);
	assert_int_equal(loop_watch_check(watch, 1), 0);
	for (unsigned i = 1; i <= LOOP_WATCH_DEAD_AFTER; i++)
		assert_int_equal(loop_watch_check(watch, 1), i);
	turn(100000);
	assert_int_equal(loop_watch_check(watch, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_loop_in_time_is_well),
	    TEST(a_late_loop_is_counted),
	    TEST(a_loop_that_does_not_turn_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
