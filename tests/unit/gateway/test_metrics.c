/* SPDX-License-Identifier: ISC */
/* What is counted for who watches us: latencies, and what went by each rule. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "gateway/latency.h"
#include "gateway/rule_totals.h"

static void
a_latency_is_in_each_bucket_that_it_fits(void **state)
{
	static struct latency latency;
	struct options *line = options_new();

	(void)state;
	latency_note(&latency, 0);
	latency_note(&latency, latency_bounds_us[0]);
	latency_note(&latency, latency_bounds_us[0] + 1);
	latency_note(&latency, UINT32_MAX);
	latency_describe(&latency, line);
	assert_string_equal(options_get_nth(line, "below", 0), "2");
	assert_string_equal(options_get_nth(line, "below", 1), "3");
	assert_string_equal(
	    options_get_nth(line, "below", LATENCY_BOUNDS - 1), "3");
	assert_null(options_get_nth(line, "below", LATENCY_BOUNDS));
	assert_string_equal(options_get(line, "count", ""), "4");
	assert_int_equal(options_get_u64(line, "sum_us", 0),
	    2 * latency_bounds_us[0] + 1 + UINT32_MAX);
	options_free(line);
}

struct seen {
	char names[128];
	uint64_t rules, rest, to_target, to_client;
};

static void
see(void *arg, const char *rule, uint64_t sessions, uint64_t to_target,
    uint64_t to_client)
{
	struct seen *seen = arg;

	if (*rule == '\0')
		seen->rest += sessions;
	else
		seen->rules++;
	if (seen->rules <= 3) {
		(void)strlcat(seen->names, rule, sizeof(seen->names));
		(void)strlcat(seen->names, " ", sizeof(seen->names));
	}
	seen->to_target += to_target;
	seen->to_client += to_client;
}

static void
rules_are_told_by_name_each_once(void **state)
{
	struct rule_totals *totals = rule_totals_new();
	struct seen seen = {0};

	(void)state;
	assert_non_null(totals);
	rule_totals_add(totals, "web", 1, 10);
	rule_totals_add(totals, "mail", 2, 20);
	rule_totals_add(totals, "web", 4, 40);
	rule_totals_each(totals, see, &seen);
	assert_string_equal(seen.names, "mail web ");
	assert_int_equal(seen.to_target, 7);
	assert_int_equal(seen.to_client, 70);
	rule_totals_free(totals);
}

static void
rules_without_room_are_one(void **state)
{
	struct rule_totals *totals = rule_totals_new();
	struct seen seen = {0};
	char rule[16];

	(void)state;
	assert_non_null(totals);
	for (unsigned n = 0; n < RULE_TOTALS_MAX + 5; n++) {
		(void)snprintf(rule, sizeof(rule), "r%u", n);
		rule_totals_add(totals, rule, 1, 0);
	}
	rule_totals_each(totals, see, &seen);
	assert_int_equal(seen.rules, RULE_TOTALS_MAX);
	assert_int_equal(seen.rest, 5);
	assert_int_equal(seen.to_target, RULE_TOTALS_MAX + 5);
	rule_totals_free(totals);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_latency_is_in_each_bucket_that_it_fits),
	    cmocka_unit_test(rules_are_told_by_name_each_once),
	    cmocka_unit_test(rules_without_room_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
