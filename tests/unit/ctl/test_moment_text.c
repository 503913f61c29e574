/* SPDX-License-Identifier: ISC */
/* Moments are read as people write them, and only so. */
#include "tests/support/unit.h"

#include "base/compiler.h"
#include "ctl/moment_text.h"

#define NOON 1795694400 /* 2026-11-26T12:00:00Z */

static void
both_forms_are_read(void **state)
{
	static const char *const noons[] = {
	    "2026-11-26T12:00:00Z",
	    "2026-11-26t12:00:00z",
	    "2026-11-26 12:00:00Z",
	    "2026-11-26T12:00Z",
	    "2026-11-26T13:00:00+01:00",
	    "2026-11-26T07:00:00.250-05:00",
	    "20261126120000Z",
	    "202611261300+0100",
	};
	uint64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(noons); i++) {
		at = 0;
		assert_true(moment_text_parse(noons[i], &at));
		assert_true(at == NOON);
	}
}

static void
what_is_none_is_refused(void **state)
{
	static const char *const others[] = {
	    "",
	    "noon",
	    "2026-11-26",
	    "2026-11-26T12:00:00", /* of no zone */
	    "2026-11-26T24:00:00Z",
	    "2026-02-29T12:00:00Z",
	    "2026-13-01T12:00:00Z",
	    "2026-11-26X12:00:00Z",
	    "2026-1126T12:00:00Z",
	    "1969-12-31T23:59:59Z",
	    "2026-11-26T12:00:00.0000000000000000000000000000000000Z",
	    "1795694400",
	};
	uint64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		assert_false(moment_text_parse(others[i], &at));
}

static void
what_is_printed_reads_back(void **state)
{
	static const uint64_t moments[] = {0, 1, NOON, 253402300799};
	char text[MOMENT_TEXT_SIZE];
	uint64_t at;

	(void)state;
	assert_string_equal(
	    moment_text_print(NOON, text), "2026-11-26T12:00:00Z");
	for (size_t i = 0; i < ARRAY_COUNT(moments); i++) {
		assert_true(moment_text_parse(
		    moment_text_print(moments[i], text), &at));
		assert_true(at == moments[i]);
	}
	assert_string_equal(moment_text_print(UINT64_MAX, text), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_forms_are_read),
	    cmocka_unit_test(what_is_none_is_refused),
	    cmocka_unit_test(what_is_printed_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
