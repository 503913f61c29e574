/* SPDX-License-Identifier: ISC */
/* Tests what may be the name of an identity. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/identity.h"

static void
printable_names_are_valid(void **state)
{
	static const char *const names[] = {"alice@EXAMPLE.COM", "a",
	    "alice/admin@EXAMPLE.COM", "al ice@X", "a\\@b@X", "j\xc3\xbcrgen@X",
	    "*", "\"]@X"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_true(identity_name_is_valid(names[i], strlen(names[i])));
}

static void
names_with_hidden_or_broken_characters_are_not(void **state)
{
	static const char *const names[] = {"", "a\nb@X", "a\x1b@X", "a\x7f@X",
	    "a\xc2\x85@X", "a\xe2\x80\xae@X", "a\xff@X", "a\xc3@X"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_false(
		    identity_name_is_valid(names[i], strlen(names[i])));
	assert_false(identity_name_is_valid("alice\0@X", 8));
}

static void
names_are_refused_rather_than_cut(void **state)
{
	char name[IDENTITY_NAME_SIZE];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(identity_name_is_valid(name, IDENTITY_NAME_MAX));
	assert_false(identity_name_is_valid(name, IDENTITY_NAME_MAX + 1));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(printable_names_are_valid),
	    cmocka_unit_test(names_with_hidden_or_broken_characters_are_not),
	    cmocka_unit_test(names_are_refused_rather_than_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
