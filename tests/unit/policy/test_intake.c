/* SPDX-License-Identifier: ISC */
/* Every entry that is wrong is told, and one that is wrong spoils the set. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "policy/entry.h"
#include "policy/intake.h"
#include "policy/ruleset.h"
#include "tests/unit/policy/rule_text.h"

#define RULE(cn, more)                                                         \
	"dn: cn=" cn ",dc=x\nobjectClass: gwRule\ncn: " cn                     \
	"\ngwAction: permit\n" more "\n"

static char told[4096];
static size_t times;

static void
on_wrong(void *arg, const char *why)
{
	(void)arg;
	times++;
	(void)strlcat(told, why, sizeof(told));
	(void)strlcat(told, "\n", sizeof(told));
}

static int
add(void *arg, const struct entry *entry)
{
	intake_add(arg, entry);
	return 0;
}

static struct ruleset *
taken(const char *text, bool has_directory)
{
	struct intake intake;

	told[0] = '\0';
	times = 0;
	intake_begin(&intake, on_wrong, NULL);
	assert_int_equal(rule_text_read(text, strlen(text), add, &intake), 0);
	return intake_end(&intake, 7, has_directory);
}

static void
good_entries_are_a_set(void **state)
{
	struct ruleset *rules =
	    taken(RULE("a", "gwDestination: *\n")
		      RULE("b", "gwGroup: cn=g,dc=x\ngwDestination: *\n"),
		true);

	(void)state;
	assert_non_null(rules);
	assert_int_equal(times, 0);
	assert_int_equal(ruleset_count(rules), 2);
	assert_int_equal(ruleset_generation(rules), 7);
	ruleset_unref(rules);
}

static void
each_bad_entry_is_told(void **state)
{
	(void)state;
	assert_null(taken(RULE("a", "gwDestination: no/destination\n")
			      RULE("b", "gwDestination: *\n")
				  RULE("c", "gwPort: 70000\ngwDestination: *\n")
				      RULE("d", ""),
	    true));
	assert_int_equal(times, 3);
	assert_non_null(strstr(told, "cn=a,dc=x: gwDestination: "
				     "\"no/destination\" must be"));
	assert_non_null(strstr(told, "cn=c,dc=x: gwPort: \"70000\" must be"));
	assert_non_null(strstr(told, "cn=d,dc=x: gwDestination: is required"));
}

static void
what_holds_between_entries_is_looked_at(void **state)
{
	(void)state;
	assert_null(taken(RULE("a", "gwDestinationSet: cn=s,dc=x\n"), true));
	assert_int_equal(times, 1);
	assert_non_null(strstr(told, "cn=a,dc=x: gwDestinationSet"));
	/* All of it. */
	assert_null(taken(RULE("a", "gwDestinationSet: cn=s,dc=x\n"
				    "gwDestinationSet: cn=t,dc=x\n")
			      RULE("b", "gwDestination: *\n")
				  RULE("b", "gwDestination: *\n"),
	    true));
	assert_int_equal(times, 3);
	assert_non_null(strstr(told, "cn=b,dc=x: this entry is there twice"));
	assert_non_null(strstr(told, "there is no entry cn=s,dc=x"));
	assert_non_null(strstr(told, "there is no entry cn=t,dc=x"));
	/* Not while an entry is bad: the set may be that one. */
	assert_null(taken(RULE("a", "gwDestinationSet: cn=s,dc=x\n")
			      RULE("b", "gwPort: 0\ngwDestination: *\n"),
	    true));
	assert_int_equal(times, 1);
	assert_non_null(strstr(told, "cn=b,dc=x: gwPort"));
}

static void
users_need_a_directory(void **state)
{
	(void)state;
	assert_null(
	    taken(RULE("a", "gwUser: uid=u,dc=x\ngwDestination: *\n"), false));
	assert_int_equal(times, 1);
	assert_non_null(strstr(told, "directory.uri"));
}

static void
a_broken_entry_spoils_the_set(void **state)
{
	struct intake intake;

	(void)state;
	told[0] = '\0';
	times = 0;
	intake_begin(&intake, on_wrong, NULL);
	intake_add_broken(&intake);
	assert_null(intake_end(&intake, 1, true));
	assert_int_equal(times, 1);
	/* Nothing is left of it. */
	intake_fini(&intake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_entries_are_a_set),
	    cmocka_unit_test(each_bad_entry_is_told),
	    cmocka_unit_test(what_holds_between_entries_is_looked_at),
	    cmocka_unit_test(users_need_a_directory),
	    cmocka_unit_test(a_broken_entry_spoils_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
