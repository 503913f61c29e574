/* SPDX-License-Identifier: ISC */
/* Tests which attributes are followed. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/ldap_attributes.h"

static size_t
count(char *const *attributes, const char *name)
{
	size_t found = 0;

	for (; *attributes != NULL; attributes++)
		found += strcasecmp(*attributes, name) == 0;
	return found;
}

static void
membership_and_accounts_matter(void **state)
{
	char **attributes = attributes_that_matter(NULL, 0);

	(void)state;
	assert_int_equal(count(attributes, "member"), 1);
	assert_int_equal(count(attributes, "memberUid"), 1);
	assert_int_equal(count(attributes, "userAccountControl"), 1);
	assert_int_equal(count(attributes, "description"), 0);
	attributes_free(attributes);
}

static void
what_filters_name_matters(void **state)
{
	static const char first[] =
	    "(&(objectClass=person)(|(mail=%p)(!(employeeType~=left))"
	    "(MEMBER=x))(shoeSize>=9)(cn;lang-nl=%u))";
	const char *const filters[] = {first,
	    "(memberX:1.2.840.113556.1.4.1941:=%d)", "(", "()", "no filter"};
	static const char *const names[] = {"objectClass", "mail",
	    "employeeType", "shoeSize", "cn", "memberX", "member"};
	char **attributes =
	    attributes_that_matter(filters, ARRAY_COUNT(filters));

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_int_equal(count(attributes, names[i]), 1);
	assert_int_equal(count(attributes, ""), 0);
	attributes_free(attributes);
}

static void
a_filter_without_end_is_bounded(void **state)
{
	char filter[4096];
	const char *filters[] = {filter};
	char **attributes;
	size_t total = 0, used = 0;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		used += (size_t)snprintf(
		    filter + used, sizeof(filter) - used, "(a%u=", i);
	attributes = attributes_that_matter(filters, 1);
	while (attributes[total] != NULL)
		total++;
	assert_int_equal(total, 64);
	attributes_free(attributes);
	attributes_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(membership_and_accounts_matter),
	    cmocka_unit_test(what_filters_name_matters),
	    cmocka_unit_test(a_filter_without_end_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
