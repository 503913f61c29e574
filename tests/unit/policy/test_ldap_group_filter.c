/* SPDX-License-Identifier: ISC */
/* Filters for the groups of many members, and what a filter names. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/ldap_account.h"
#include "policy/ldap_group_filter.h"

static void
a_filter_is_for_each_member_by_each_of_its_names(void **state)
{
	static char first[] = "a", second[] = "b(c)";
	const struct account user = {.name_count = 2, .names = {first, second}};
	const struct account nameless = {.name_count = 0};
	struct group_filter *filter =
	    group_filter_new("(|(member=%d)(memberUid=%u))");
	char *text;

	(void)state;
	assert_non_null(filter);
	group_filter_add(filter, "cn=u", &user);
	group_filter_add(filter, "cn=g", NULL);
	group_filter_add(filter, "cn=*", &nameless);
	text = group_filter_end(filter);
	assert_string_equal(text, "(|(|(member=cn=u)(memberUid=a))"
				  "(|(member=cn=u)(memberUid=b\\28c\\29))"
				  "(|(member=cn=g)(!(objectClass=*)))"
				  "(|(member=cn=\\2A)(!(objectClass=*))))");
	free(text);
}

static void
a_filter_for_nobody_matches_nothing(void **state)
{
	char *text = group_filter_end(group_filter_new("(member=%d)"));

	(void)state;
	assert_string_equal(text, "(|)"); /* RFC 4526 */
	free(text);
}

static void
what_cannot_be_made_is_said_at_the_end(void **state)
{
	struct group_filter *filter = group_filter_new("(member=%d)");

	(void)state;
	group_filter_add(filter, "cn=g", NULL);
	group_filter_add(filter, "", NULL);
	group_filter_add(filter, "cn=h", NULL);
	errno = 0;
	assert_null(group_filter_end(filter));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(group_filter_end(NULL));
	assert_int_equal(errno, ENOMEM);
}

static void
a_filter_names_the_attributes_that_it_compares(void **state)
{
	static const struct {
		const char *filter, *attribute;
		bool is_named;
	} rows[] = {
	    {"(member=%d)", "member", true},
	    {"(MEMBER=%d)", "member", true},
	    {"(member:1.2.840.113556.1.4.1941:=%d)", "member", true},
	    {"(&(objectClass=group)(|(cn=x)(member=%d)))", "member", true},
	    {"(member;range=0-1=%d)", "member", true},
	    {"(memberUid=%u)", "member", false},
	    {"(memberUid=%u)", "memberUid", true},
	    {"(cn=member=)", "member", false},
	    {"(member", "member", false},
	    {"((", "member", false},
	    {"", "member", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_int_equal(
		    group_filter_names(rows[i].filter, rows[i].attribute),
		    rows[i].is_named);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_filter_is_for_each_member_by_each_of_its_names),
	    cmocka_unit_test(a_filter_for_nobody_matches_nothing),
	    cmocka_unit_test(what_cannot_be_made_is_said_at_the_end),
	    cmocka_unit_test(a_filter_names_the_attributes_that_it_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
