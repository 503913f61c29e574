/* SPDX-License-Identifier: ISC */
/* Filters made of templates: no value gets out of its place. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "policy/ldap_template.h"

static char *
expand(const char *template, const char *value)
{
	const struct template_value values[] = {{'p', value}, {'\0', NULL}};

	return template_expand(template, values);
}

static void
values_are_escaped(void **state)
{
	static const struct {
		const char *value, *filter;
	} rows[] = {
	    {"alice@EXAMPLE.COM", "(cn=alice@EXAMPLE.COM)"},
	    {"*", "(cn=\\2A)"},
	    {"a)(uid=*", "(cn=a\\29\\28uid=\\2A)"},
	    {"%s%p", "(cn=%s%p)"},
	    {"\\", "(cn=\\5C)"},
	    {"../../x", "(cn=../../x)"},
	    {"#x", "(cn=#x)"},
	    {" x ", "(cn= x )"},
	    {"\x80\xff", "(cn=\\80\\FF)"},
	    {"caf\xc3\xa9", "(cn=caf\\C3\\A9)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *filter = expand("(cn=%p)", rows[i].value);

		assert_non_null(filter);
		assert_string_equal(filter, rows[i].filter);
		free(filter);
	}
}

static void
an_empty_value_is_refused(void **state)
{
	(void)state;
	assert_null(expand("(cn=%p)", ""));
	assert_int_equal(errno, EINVAL);
}

#define NOTHING "(!(objectClass=*))"

static void
a_comparison_without_a_value_matches_nothing(void **state)
{
	static const struct {
		const char *template, *filter;
	} rows[] = {
	    {"(cn=%p)", NOTHING},
	    {"(cn=a%p-%d)", NOTHING},
	    {"(|(member=%d)(memberUid=%p))", "(|(member=cn=x)" NOTHING ")"},
	    {"(|(memberUid=%p)(member=%d))", "(|" NOTHING "(member=cn=x))"},
	    {"(&(a=100%%p)(!(b=%p)))", "(&(a=100%p)(!" NOTHING "))"},
	    {"(member:1.2.3:=%d)", "(member:1.2.3:=cn=x)"},
	};
	const struct template_value values[] = {
	    {'d', "cn=x"}, {'p', NULL}, {'\0', NULL}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char *filter = template_expand(rows[i].template, values);

		assert_non_null(filter);
		assert_string_equal(filter, rows[i].filter);
		free(filter);
	}
}

static void
an_unknown_letter_is_refused(void **state)
{
	(void)state;
	assert_null(expand("(cn=%x)", "alice"));
	assert_int_equal(errno, EINVAL);
	assert_null(expand("(cn=%", "alice"));
	assert_int_equal(errno, EINVAL);
}

static void
a_percent_sign_is_written_twice(void **state)
{
	char *filter = expand("(cn=100%%)", "alice");

	(void)state;
	assert_string_equal(filter, "(cn=100%)");
	free(filter);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_escaped),
	    cmocka_unit_test(an_empty_value_is_refused),
	    cmocka_unit_test(a_comparison_without_a_value_matches_nothing),
	    cmocka_unit_test(an_unknown_letter_is_refused),
	    cmocka_unit_test(a_percent_sign_is_written_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
