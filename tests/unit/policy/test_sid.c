/* SPDX-License-Identifier: ISC */
/* A SID's group: only where it is one, and every octet of it. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "policy/sid.h"

static const uint8_t alice[] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0,
    2, 0, 0, 0, 3, 0, 0, 0x80, 0x51, 4, 0, 0};

static void
a_group_has_its_own_identifier_in_the_same_domain(void **state)
{
	char filter[SID_FILTER_SIZE];

	(void)state;
	assert_true(sid_filter(alice, sizeof(alice), 0x01020304, filter));
	assert_string_equal(filter,
	    "(objectSid=\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00"
	    "\\01\\00\\00\\00\\02\\00\\00\\00\\03\\00\\00\\80"
	    "\\04\\03\\02\\01)");
}

static void
the_longest_fits(void **state)
{
	uint8_t sid[SID_SIZE] = {1, 15};
	char filter[SID_FILTER_SIZE];

	(void)state;
	assert_true(sid_filter(sid, sizeof(sid), UINT32_MAX, filter));
	assert_int_equal(strlen(filter), SID_FILTER_SIZE - 1);
}

static void
what_is_cut_or_longer_is_none(void **state)
{
	char filter[SID_FILTER_SIZE];
	uint8_t longer[sizeof(alice) + 1] = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(alice); len++) {
		uint8_t *cut = malloc(len + 1); /* a read past it shows */

		memcpy(cut, alice, len);
		assert_false(sid_filter(cut, len, 513, filter));
		free(cut);
	}
	memcpy(longer, alice, sizeof(alice));
	assert_false(sid_filter(longer, sizeof(longer), 513, filter));
}

static void
what_is_no_domains_account_is_none(void **state)
{
	static const struct {
		size_t len;
		uint8_t sid[8 + 4 * 16];
	} rows[] = {
	    {28, {2, 5}},      /* another revision */
	    {12, {1, 1}},      /* Everyone: no domain */
	    {8, {1, 0}},       /* no identifier at all */
	    {8 + 64, {1, 16}}, /* more than there can be */
	};
	char filter[SID_FILTER_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_false(sid_filter(rows[i].sid, rows[i].len, 513, filter));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_group_has_its_own_identifier_in_the_same_domain),
	    cmocka_unit_test(the_longest_fits),
	    cmocka_unit_test(what_is_cut_or_longer_is_none),
	    cmocka_unit_test(what_is_no_domains_account_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
