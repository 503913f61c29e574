/* SPDX-License-Identifier: ISC */
/* Tests the names of the programs. */
#include "tests/support/unit.h"

#include "base/role.h"

static void
every_program_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
			    role_name((enum role)i), role_name((enum role)j));
	assert_string_equal(role_name(ROLE_DIRECTORY_WATCH), "directory-watch");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_program_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
