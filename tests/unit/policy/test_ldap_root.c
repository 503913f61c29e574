/* SPDX-License-Identifier: ISC */
/* Tests which names are below which. */
#include "tests/support/unit.h"

#include "policy/ldap_root.h"

static char corp[] = "DC=Corp,DC=Example";
static char child[] = "dc=eu, dc=corp, dc=example";
static char broken[] = "no name";
static char offered[] = "1.2.840.113556.1.4.528";

static const struct root root = {
    .controls = {1, {offered}},
    .contexts = {3, {corp, broken, child}},
};

static void
the_nearest_context_holds_a_name(void **state)
{
	(void)state;
	assert_ptr_equal(
	    root_context(&root, "CN=Rules, DC=corp, DC=example"), corp);
	assert_ptr_equal(
	    root_context(&root, "ou=rules,dc=EU,dc=corp,dc=example"), child);
	assert_ptr_equal(root_context(&root, "dc=corp,dc=example"), corp);
	assert_null(root_context(&root, "dc=example"));
	assert_null(root_context(&root, "no name either"));
}

static void
a_control_is_offered_or_not(void **state)
{
	(void)state;
	assert_true(root_offers(&root, "1.2.840.113556.1.4.528"));
	assert_false(root_offers(&root, "1.2.840.113556.1.4.52"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_nearest_context_holds_a_name),
	    cmocka_unit_test(a_control_is_offered_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
