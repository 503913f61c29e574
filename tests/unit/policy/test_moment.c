/* SPDX-License-Identifier: ISC */
/* GeneralizedTime is read as RFC 4517 writes it. */
#include "tests/support/unit.h"

#include "policy/moment.h"

static void
moments_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} moments[] = {
	    {"19700101000000Z", 0},
	    {"19700101000001Z", 1},
	    {"1970010100Z", 0},
	    {"197001010100+01", 0},
	    {"197001010530+0530", 0},
	    {"19691231230000-0100", 0},
	    {"19691231235959Z", -1},
	    {"20261127170000Z", 1795798800},
	    {"20261127170000.0Z", 1795798800},
	    {"20261127170000,999Z", 1795798800},
	    {"20000229000000Z", 951782400},
	    {"20240229000000Z", 1709164800},
	    {"20161231235960Z", 1483228800}, /* a leap second */
	    {"99991231235959Z", 253402300799},
	    {"00000101000000Z", -62167219200},
	};
	int64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(moments); i++) {
		assert_true(moment_parse(moments[i].text, &at));
		assert_true(at == moments[i].at);
	}
}

static void
what_is_no_moment_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "2026",
	    "20261127",
	    "20261127170000", /* no zone */
	    "20261127170000z",
	    "20261127170000Z ",
	    " 20261127170000Z",
	    "20261127170000ZZ",
	    "20261327170000Z", /* month 13 */
	    "20260027170000Z",
	    "20261131170000Z", /* 31 November */
	    "20260229170000Z", /* no leap year */
	    "19000229000000Z",
	    "20261127240000Z",
	    "20261127176000Z",
	    "20261127170061Z",
	    "20261127170000.Z",
	    "2026112717.5Z",   /* fractions of hours */
	    "202611271700.5Z", /* ... and of minutes */
	    "20261127170000+",
	    "20261127170000+1",
	    "20261127170000+24",
	    "20261127170000+0160",
	    "20261127170000+010",
	    "2026-11-27T17:00:00Z",
	    "-0261127170000Z",
	};
	int64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(moment_parse(bad[i], &at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(moments_are_read),
	    cmocka_unit_test(what_is_no_moment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
