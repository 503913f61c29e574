/* SPDX-License-Identifier: ISC */
/* Where groups come from: each origin has a word, each finding a way back to
 * the user. */
#include "tests/support/unit.h"

#include <errno.h>

#include "policy/provenance.h"

static void
each_origin_has_a_word_of_its_own(void **state)
{
	enum origin origin;

	(void)state;
	for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
		assert_true(
		    origin_parse(origin_print((enum origin)i), &origin));
		assert_int_equal(origin, i);
	}
	assert_false(origin_parse("Member", &origin));
	assert_false(origin_parse("", &origin));
}

static void
groups_are_kept_in_their_order_and_normalised(void **state)
{
	struct provenance *found = provenance_new();

	(void)state;
	assert_non_null(found);
	assert_int_equal(provenance_add(found, "CN=Staff, dc=Example",
			     ORIGIN_MEMBER, FINDING_DIRECT),
	    0);
	assert_int_equal(
	    provenance_add(found, "cn=all,dc=example", ORIGIN_MEMBER_OF, 0), 0);
	assert_int_equal(found->count, 2);
	assert_string_equal(found->findings[0].group, "cn=staff,dc=example");
	assert_int_equal(found->findings[0].through, FINDING_DIRECT);
	assert_int_equal(found->findings[1].origin, ORIGIN_MEMBER_OF);
	assert_int_equal(found->findings[1].through, 0);
	provenance_free(found);
	provenance_free(NULL);
}

/* So that every way back ends at the user. */
static void
a_way_leads_through_what_was_found_before_only(void **state)
{
	struct provenance *found = provenance_new();

	(void)state;
	assert_int_equal(
	    provenance_add(found, "cn=a", ORIGIN_MEMBER, 0), -EINVAL);
	assert_int_equal(
	    provenance_add(found, "cn=a", ORIGIN_MEMBER, FINDING_DIRECT), 0);
	assert_int_equal(
	    provenance_add(found, "cn=b", ORIGIN_MEMBER, 1), -EINVAL);
	assert_int_equal(
	    provenance_add(found, "no dn", ORIGIN_MEMBER, 0), -EINVAL);
	assert_int_equal(found->count, 1);
	provenance_free(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_origin_has_a_word_of_its_own),
	    cmocka_unit_test(groups_are_kept_in_their_order_and_normalised),
	    cmocka_unit_test(a_way_leads_through_what_was_found_before_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
