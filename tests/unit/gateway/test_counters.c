/* SPDX-License-Identifier: ISC */
/* What the gateway counts, and how it says so. */
#include "tests/support/unit.h"

#include <string.h>

#include "gateway/counters.h"

static void
what_is_zero_is_not_said(void **state)
{
	struct counters counters = {0};
	char text[COUNTERS_TEXT_SIZE];

	(void)state;
	counters_print(&counters, text);
	assert_string_equal(text, "");
	counters_add(&counters, COUNTER_ACCEPTED);
	counters_add(&counters, COUNTER_ACCEPTED);
	counters_add_end(&counters, REASON_BAD_VERSION);
	assert_int_equal(counters_get(&counters, COUNTER_ACCEPTED), 2);
	assert_int_equal(counters_get(&counters, COUNTER_TURNED_AWAY), 0);
	counters_print(&counters, text);
	assert_string_equal(text, "accepted=2 ended:bad_version=1");
}

static void
what_does_not_fit_is_left_out_whole(void **state)
{
	static struct counters counters;
	char text[COUNTERS_TEXT_SIZE], *last;

	(void)state;
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		atomic_store(&counters.values[i], UINT64_MAX);
	for (size_t i = 0; i < REASON_COUNT; i++)
		atomic_store(&counters.ends[i], UINT64_MAX);
	counters_print(&counters, text);
	assert_true(strlen(text) < sizeof(text));
	last = strrchr(text, '=');
	assert_string_equal(last, "=18446744073709551615");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_zero_is_not_said),
	    cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
