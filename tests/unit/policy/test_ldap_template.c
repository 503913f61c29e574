/* SPDX-License-Identifier: ISC */
/* Filters made of templates: no value gets out of its place. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	assert_null(expand("(cn=%p)", NULL));
	assert_int_equal(errno, EINVAL);
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
	    cmocka_unit_test(an_unknown_letter_is_refused),
	    cmocka_unit_test(a_percent_sign_is_written_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
