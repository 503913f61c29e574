/* SPDX-License-Identifier: ISC */
/* A subject holds normalised names and compares them whole. */
#include "tests/support/unit.h"

#include <errno.h>

#include "policy/subject.h"

static void
names_are_held_normalised(void **state)
{
	struct subject *subject = subject_new("CN=Alice, DC=Example");

	(void)state;
	assert_non_null(subject);
	assert_string_equal(subject->dn, "cn=alice,dc=example");
	assert_int_equal(subject_add_group(subject, "CN=B"), 0);
	assert_int_equal(subject_add_group(subject, "cn=a"), 0);
	assert_int_equal(subject_add_group(subject, "cn = b"), 0);
	subject_finish(subject);
	assert_int_equal(subject->count, 2);
	assert_string_equal(subject->groups[0], "cn=a");
	assert_string_equal(subject->groups[1], "cn=b");
	subject_unref(subject);
}

static void
groups_are_compared_whole(void **state)
{
	struct subject *subject = subject_new("cn=alice");

	(void)state;
	assert_false(subject_is_member(subject, "cn=admins"));
	assert_int_equal(subject_add_group(subject, "cn=admins"), 0);
	assert_int_equal(subject_add_group(subject, "cn=users"), 0);
	subject_finish(subject);
	assert_true(subject_is_member(subject, "cn=admins"));
	assert_true(subject_is_member(subject, "cn=users"));
	assert_false(subject_is_member(subject, "cn=admin"));
	assert_false(subject_is_member(subject, "cn=admins2"));
	assert_false(subject_is_member(subject, "cn=admins,dc=x"));
	assert_false(subject_is_member(subject, ""));
	subject_unref(subject);
}

static void
what_is_no_name_is_refused(void **state)
{
	struct subject *subject;

	(void)state;
	assert_null(subject_new("alice"));
	assert_int_equal(errno, EINVAL);
	subject = subject_new(NULL);
	assert_non_null(subject);
	assert_null(subject->dn);
	assert_int_equal(subject_add_group(subject, "admins"), -EINVAL);
	assert_int_equal(subject->count, 0);
	subject_finish(subject);
	subject_unref(subject);
}

static void
the_last_reference_frees(void **state)
{
	struct subject *subject = subject_new("cn=alice");

	(void)state;
	assert_ptr_equal(subject_ref(subject), subject);
	subject_unref(subject);
	assert_string_equal(subject->dn, "cn=alice");
	subject_unref(subject);
	subject_unref(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_held_normalised),
	    cmocka_unit_test(groups_are_compared_whole),
	    cmocka_unit_test(what_is_no_name_is_refused),
	    cmocka_unit_test(the_last_reference_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
