/* SPDX-License-Identifier: ISC */
/* Which records are looked for: all conditions must hold. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/audit_text.h"
#include "ctl/record_filter.h"
#include "tests/support/records.h"

static bool
takes(const struct record_filter *filter)
{
	const struct audit_record record = record_full();
	const struct audit_stamp stamp = {
	    .sd_id = "gatewarden@32473",
	    .instance = "gate1",
	    .boot_id = "9f3d",
	    .sequence = 7,
	};
	char message[AUDIT_RECORD_MAX], at[33];
	size_t len = audit_record_print(&record, &stamp, message);
	struct audit_text text;
	const char *why;

	assert_int_equal(
	    audit_text_parse(message, len, &text, &why, at), AUDIT_TEXT_RECORD);
	return record_filter_takes(filter, message, len, &text);
}

static bool
takes_where(const char *one, const char *other)
{
	struct record_filter filter = {.count = 0};

	assert_int_equal(record_filter_add(&filter, one), OUTCOME_OK);
	if (other != NULL)
		assert_int_equal(record_filter_add(&filter, other), OUTCOME_OK);
	return takes(&filter);
}

static void
a_value_is_compared_whole_or_by_a_pattern(void **state)
{
	(void)state;
	assert_true(takes_where("identity=alice@EXAMPLE.COM", NULL));
	assert_true(takes_where("identity=alice@*", NULL));
	assert_true(takes_where("client=192.0.2.?:*", NULL));
	assert_true(takes_where("rule=cn=web,*", NULL));
	assert_true(takes_where("seq=7", NULL));
	assert_false(takes_where("identity=alice", NULL));
	assert_false(takes_where("identity=ALICE@*", NULL));
	assert_false(takes_where("seq=77", NULL));
	assert_false(takes_where("identity=", NULL));
}

static void
a_field_that_is_absent_has_no_value(void **state)
{
	(void)state;
	assert_false(takes_where("claimed=*", NULL));
	assert_false(takes_where("delayed=*", NULL));
}

static void
all_conditions_must_hold(void **state)
{
	(void)state;
	assert_true(takes_where("event=close", "reason=idle_timeout"));
	assert_false(takes_where("event=close", "reason=ok"));
	assert_false(takes_where("event=open", "reason=idle_timeout"));
	assert_false(takes_where("event=close", "event=open"));
}

/* The record is of 2025-11-24T16:00:00.123456Z. */
static void
moments_bound_it(void **state)
{
	struct record_filter filter = {.count = 0};

	(void)state;
	assert_int_equal(
	    record_filter_since(&filter, "2025-11-24T16:00:00Z"), OUTCOME_OK);
	assert_true(takes(&filter));
	assert_int_equal(
	    record_filter_since(&filter, "2025-11-24T16:00:01Z"), OUTCOME_OK);
	assert_false(takes(&filter));
	filter.since_us = 0;
	assert_int_equal(
	    record_filter_until(&filter, "2025-11-24T16:00:01Z"), OUTCOME_OK);
	assert_true(takes(&filter));
	assert_int_equal(
	    record_filter_until(&filter, "2025-11-24T16:00:00Z"), OUTCOME_OK);
	assert_false(takes(&filter));
}

static void
what_is_no_condition_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "=",
	    "=alice",
	    "identity",
	    "nobody=alice",
	    "Identity=alice",
	    "a_name_that_is_longer_than_any_field_may_be=x",
	};
	struct record_filter filter = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
		    record_filter_add(&filter, texts[i]), OUTCOME_USAGE);
	assert_int_equal(record_filter_since(&filter, "noon"), OUTCOME_USAGE);
	for (size_t i = 0; i < RECORD_CONDITIONS_MAX; i++)
		assert_int_equal(
		    record_filter_add(&filter, "seq=7"), OUTCOME_OK);
	assert_true(takes(&filter));
	assert_int_equal(record_filter_add(&filter, "seq=7"), OUTCOME_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_compared_whole_or_by_a_pattern),
	    cmocka_unit_test(a_field_that_is_absent_has_no_value),
	    cmocka_unit_test(all_conditions_must_hold),
	    cmocka_unit_test(moments_bound_it),
	    cmocka_unit_test(what_is_no_condition_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
