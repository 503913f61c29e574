/* SPDX-License-Identifier: ISC */
/* A realm's line comes apart where it should, or not at all. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/realm_line.h"

static void
a_line_has_three_or_four_parts(void **state)
{
	static const struct {
		const char *text;
		struct realm_line line;
	} rows[] = {
	    {"R ldap://h dc=x", {"R", "ldap://h", "dc=x", ""}},
	    {"EXAMPLE.ORG ldaps://a,ldaps://b:3 ou=Our People,dc=x (uid=%u)",
		{"EXAMPLE.ORG", "ldaps://a,ldaps://b:3", "ou=Our People,dc=x",
		    "(uid=%u)"}},
	    {"R u b (|(a=b) (c=%p))", {"R", "u", "b", "(|(a=b) (c=%p))"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct realm_line line;

		assert_true(realm_line_parse(rows[i].text, &line));
		assert_string_equal(line.realm, rows[i].line.realm);
		assert_string_equal(line.uris, rows[i].line.uris);
		assert_string_equal(line.base, rows[i].line.base);
		assert_string_equal(line.filter, rows[i].line.filter);
	}
}

static void
what_lacks_a_part_is_none(void **state)
{
	static const char *const texts[] = {"", " ", "R", "R ", "R u", "R u ",
	    " u b", "R  b", "R u  (f)", "a@R u b"};
	struct realm_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_false(realm_line_parse(texts[i], &line));
}

static void
what_is_too_long_is_none(void **state)
{
	char text[REALM_TEXT_SIZE + 64];
	struct realm_line line;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "R u b (", 7);
	assert_false(realm_line_parse(text, &line));
	memcpy(text, "R u xxx", 7);
	assert_false(realm_line_parse(text, &line));
	text[4 + REALM_TEXT_SIZE - 1] = '\0';
	assert_true(realm_line_parse(text, &line));
	text[4 + REALM_NAME_SIZE] = ' ';
	memset(text, 'R', 4 + REALM_NAME_SIZE);
	assert_false(realm_line_parse(text, &line));
}

static void
the_realm_of_a_principal_is_behind_its_last_at(void **state)
{
	(void)state;
	assert_string_equal(realm_of("alice@R"), "R");
	assert_string_equal(realm_of("alice@x@R"), "R");
	assert_string_equal(realm_of("alice"), "");
	assert_string_equal(realm_of("alice@"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_three_or_four_parts),
	    cmocka_unit_test(what_lacks_a_part_is_none),
	    cmocka_unit_test(what_is_too_long_is_none),
	    cmocka_unit_test(the_realm_of_a_principal_is_behind_its_last_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
