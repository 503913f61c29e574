/* SPDX-License-Identifier: ISC */
/* Tests the names and octets of the methods. */
#include "tests/support/unit.h"

#include "base/method.h"

static void
names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		enum method method = METHOD_COUNT;

		assert_true(method_parse(method_name((enum method)i), &method));
		assert_int_equal(method, i);
	}
}

static void
the_words_and_octets_are_those_of_the_rfc(void **state)
{
	(void)state;
	assert_string_equal(method_name(METHOD_NONE), "none");
	assert_string_equal(method_name(METHOD_GSSAPI), "gssapi");
	assert_string_equal(method_name(METHOD_PASSWORD), "password");
	assert_int_equal(METHOD_OCTET(METHOD_NONE), 0);
	assert_int_equal(METHOD_OCTET(METHOD_GSSAPI), 1);
	assert_int_equal(METHOD_OCTET(METHOD_PASSWORD), 2);
	assert_int_equal(METHOD_NOT_ACCEPTABLE, 0xff);
}

static void
other_words_are_no_method(void **state)
{
	static const char *const words[] = {"", "GSSAPI", "gss", "gssapi "};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		enum method method = METHOD_COUNT;

		assert_false(method_parse(words[i], &method));
		assert_int_equal(method, METHOD_COUNT);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_go_both_ways),
	    cmocka_unit_test(the_words_and_octets_are_those_of_the_rfc),
	    cmocka_unit_test(other_words_are_no_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
