/* SPDX-License-Identifier: ISC */
/* Patterns stand for whole components and nothing else. */
#include "tests/support/unit.h"

#include "base/compiler.h"
#include "policy/principal.h"

static void
a_star_stands_for_whole_components(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
	    {"alice@R", "alice@R", true},
	    {"alice@R", "Alice@R", false},
	    {"alice@R", "alice@r", false},
	    {"alice@R", "alice@R2", false},
	    {"alice@R", "alice", false},
	    {"a@b@R", "a@b@R", true},
	    {"*@R", "alice@R", true},
	    {"*@R", "alice/admin@R", true},
	    {"*@R", "a/b/c@R", true},
	    {"*@R", "alice@S", false},
	    {"*@R", "alice@RR", false},
	    {"*@R", "alice", false},
	    {"*@R", "alice@S@R", false},
	    {"*@R", "alice\\@S@R", true},
	    {"*/admin@R", "alice/admin@R", true},
	    {"*/admin@R", "alice/x/admin@R", false},
	    {"*/admin@R", "alice/admin/x@R", false},
	    {"*/admin@R", "alice/admin2@R", false},
	    {"*/admin@R", "alice/admi@R", false},
	    {"*/admin@R", "admin@R", false},
	    {"*/admin@R", "alice\\/admin@R", false},
	    {"*/admin@R", "a\\/b/admin@R", true},
	    {"host/*@R", "host/www.example.com@R", true},
	    {"host/*@R", "host@R", false},
	    {"host/*@R", "host/a/b@R", false},
	    {"host/*@R", "hosts/a@R", false},
	    {"host/*@R", "HOST/a@R", false},
	    {"*/*@R", "a/b@R", true},
	    {"*/*@R", "a@R", false},
	    {"*/x/*@R", "a/x/b@R", true},
	    {"*/x/*@R", "a/y/b@R", false},
	    {"a\\/b@R", "a\\/b@R", true},
	    {"a\\/b@R", "a/b@R", false},
	    {"a@R\\", "a@R\\", true},
	    {"*@R", "a@R\\", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_true(principal_is_pattern(rows[i].pattern));
		if (principal_matches(rows[i].pattern, rows[i].name) !=
		    rows[i].matches)
			fail_msg(
			    "%s against %s", rows[i].pattern, rows[i].name);
	}
}

static void
what_is_no_pattern_is_refused(void **state)
{
	static const char *const rows[] = {"", "*", "alice", "a\\@R", "*@",
	    "*@*", "alice@*", "al*@R", "*ce@R", "**@R", "*/ad*@R", "h*/x@R",
	    "\\*@R", "*\\@R", "*@R@S", "x*", "alice@R*", "a\nb@R", "*/*admin@R",
	    "*\\/x@R"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (principal_is_pattern(rows[i]))
			fail_msg("taken: %s", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_star_stands_for_whole_components),
	    cmocka_unit_test(what_is_no_pattern_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
