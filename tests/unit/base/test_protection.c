/* SPDX-License-Identifier: ISC */
/* Tests the protections' names, levels and what they satisfy. */
#include "tests/support/unit.h"

#include "base/protection.h"

#define NONE		PROTECTION_NONE
#define INTEGRITY	PROTECTION_INTEGRITY
#define SELECTIVE	PROTECTION_SELECTIVE
#define CONFIDENTIALITY PROTECTION_CONFIDENTIALITY

static void
names_go_both_ways(void **state)
{
	static const char *const names[] = {
	    "none", "integrity", "selective", "confidentiality"};

	(void)state;
	assert_int_equal(ARRAY_COUNT(names), PROTECTION_COUNT);
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		enum protection protection = PROTECTION_COUNT;

		assert_string_equal(
		    protection_name((enum protection)i), names[i]);
		assert_true(protection_parse(names[i], &protection));
		assert_int_equal(protection, i);
	}
}

static void
other_words_are_no_protection(void **state)
{
	enum protection protection = PROTECTION_COUNT;

	(void)state;
	assert_false(protection_parse("", &protection));
	assert_false(protection_parse("None", &protection));
	assert_false(protection_parse("integrit", &protection));
	assert_int_equal(protection, PROTECTION_COUNT);
}

static void
levels_are_those_of_the_rfc(void **state)
{
	(void)state;
	assert_int_equal(protection_to_level(NONE), 0);
	assert_int_equal(protection_to_level(INTEGRITY), 1);
	assert_int_equal(protection_to_level(CONFIDENTIALITY), 2);
	assert_int_equal(protection_to_level(SELECTIVE), 3);
	for (unsigned level = 0; level < 256; level++) {
		enum protection protection = PROTECTION_COUNT;

		assert_int_equal(
		    protection_from_level((uint8_t)level, &protection),
		    level <= 3);
		if (level <= 3)
			assert_int_equal(
			    protection_to_level(protection), level);
	}
}

static void
selective_satisfies_integrity_only(void **state)
{
	static const struct {
		enum protection granted, demanded;
		bool is_enough;
	} rows[] = {
	    {NONE, NONE, true},
	    {NONE, INTEGRITY, false},
	    {NONE, SELECTIVE, false},
	    {NONE, CONFIDENTIALITY, false},
	    {INTEGRITY, NONE, true},
	    {INTEGRITY, INTEGRITY, true},
	    {INTEGRITY, CONFIDENTIALITY, false},
	    {SELECTIVE, NONE, true},
	    {SELECTIVE, INTEGRITY, true},
	    {SELECTIVE, CONFIDENTIALITY, false},
	    {CONFIDENTIALITY, NONE, true},
	    {CONFIDENTIALITY, INTEGRITY, true},
	    {CONFIDENTIALITY, SELECTIVE, true},
	    {CONFIDENTIALITY, CONFIDENTIALITY, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_int_equal(
		    protection_satisfies(rows[i].granted, rows[i].demanded),
		    rows[i].is_enough);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_go_both_ways),
	    cmocka_unit_test(other_words_are_no_protection),
	    cmocka_unit_test(levels_are_those_of_the_rfc),
	    cmocka_unit_test(selective_satisfies_integrity_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
