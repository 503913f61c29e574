/* SPDX-License-Identifier: ISC */
/* Tests what counts as a change of an entry. */
#include "tests/support/unit.h"

#include <string.h>

#include "policy/ldap_sightings.h"

static const uint8_t alice[] = "0123456789abcde";
static const uint8_t bob[] = "0123456789abcdf";

static void
only_another_sum_is_news(void **state)
{
	struct sightings *sightings = sightings_new();

	(void)state;
	assert_true(sightings_note(sightings, alice, 7));
	assert_false(sightings_note(sightings, alice, 7));
	assert_true(sightings_note(sightings, bob, 7));
	assert_true(sightings_note(sightings, alice, 8));
	assert_true(sightings_note(sightings, alice, 7));
	sightings_free(sightings);
}

static void
what_has_no_sum_is_always_news(void **state)
{
	struct sightings *sightings = sightings_new();

	(void)state;
	assert_true(sightings_note(sightings, alice, 0));
	assert_true(sightings_note(sightings, alice, 0));
	sightings_free(sightings);
}

static void
what_was_forgotten_is_news(void **state)
{
	struct sightings *sightings = sightings_new();
	uint8_t id[SIGHTINGS_ID_SIZE] = {0};

	(void)state;
	assert_true(sightings_note(sightings, alice, 7));
	for (uint32_t i = 0; i < 1000000; i++) {
		memcpy(id, &i, sizeof(i));
		assert_true(sightings_note(sightings, id, 7));
	}
	assert_true(sightings_note(sightings, alice, 7));
	sightings_free(sightings);
}

static void
a_sum_knows_where_pieces_end(void **state)
{
	uint64_t sum = sightings_sum(sightings_sum(0, "ab", 2), "c", 1);

	(void)state;
	assert_true(sum != sightings_sum(sightings_sum(0, "a", 1), "bc", 2));
	assert_true(sum != sightings_sum(0, "abc", 3));
	assert_true(sum == sightings_sum(sightings_sum(0, "ab", 2), "c", 1));
	assert_true(sightings_sum(0, "", 0) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_another_sum_is_news),
	    cmocka_unit_test(what_has_no_sum_is_always_news),
	    cmocka_unit_test(what_was_forgotten_is_news),
	    cmocka_unit_test(a_sum_knows_where_pieces_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
