/* SPDX-License-Identifier: ISC */
/* Arrays keep their elements while they grow, and are copied seldom. */
#include "tests/support/unit.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"

static void
elements_stay_and_copies_are_few(void **state)
{
	size_t *numbers = NULL;
	size_t moves = 0;

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		size_t *grown = array_room(numbers, i, sizeof(*grown));

		assert_non_null(grown);
		moves += grown != numbers;
		numbers = grown;
		numbers[i] = i;
	}
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(numbers[i], i);
	assert_true(moves <= 18);
	free(numbers);
}

static void
what_was_cut_grows_again(void **state)
{
	int *numbers = NULL;

	(void)state;
	for (size_t i = 0; i < 21; i++) {
		numbers = array_room(numbers, i, sizeof(*numbers));
		assert_non_null(numbers);
		numbers[i] = (int)i;
	}
	for (size_t i = 3; i < 40; i++) {
		numbers = array_room(numbers, i, sizeof(*numbers));
		assert_non_null(numbers);
		numbers[i] = (int)i;
	}
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(numbers[i], i);
	free(numbers);
}

static void
too_many_are_refused(void **state)
{
	int one;

	(void)state;
	assert_null(array_room(&one, (size_t)1 << (sizeof(size_t) * 8 - 1), 1));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_stay_and_copies_are_few),
	    cmocka_unit_test(what_was_cut_grows_again),
	    cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
