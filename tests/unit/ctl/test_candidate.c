/* SPDX-License-Identifier: ISC */
/* Files of rules are taken as the daemon would take them. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/candidate.h"
#include "ctl/daemon.h"
#include "policy/ruleset.h"

#define RULE(rest)                                                             \
	"dn: cn=a,dc=x\nobjectClass: gwRule\ncn: a\ngwAction: permit\n"        \
	"gwDestination: *\n" rest "\n"
#define SET                                                                    \
	"dn: cn=s,dc=x\nobjectClass: gwDestinations\ncn: s\n"                  \
	"gwDestination: *\n\n"

/* What is said of it on standard error goes there. */
static enum outcome
read_text(const char *text, const struct daemon_facts *facts)
{
	char path[] = "/tmp/gatewarden-test-XXXXXX";
	struct ruleset *rules = NULL;
	enum outcome outcome;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	outcome = candidate_read_file(path, facts, &rules);
	assert_int_equal(rules != NULL, outcome == OUTCOME_OK);
	ruleset_unref(rules);
	assert_int_equal(unlink(path), 0);
	return outcome;
}

static void
a_set_without_any_rule_is_taken_where_the_daemon_does(void **state)
{
	static const struct daemon_facts strict = {.has_directory = true};
	static const struct daemon_facts lax = {
	    .has_directory = true, .allow_empty = true};
	static const char *const empty[] = {"", "\n", "# none\n", SET};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(empty); i++) {
		assert_int_equal(read_text(empty[i], NULL), OUTCOME_DATA);
		assert_int_equal(read_text(empty[i], &strict), OUTCOME_DATA);
		assert_int_equal(read_text(empty[i], &lax), OUTCOME_OK);
	}
	assert_int_equal(read_text(SET RULE(""), NULL), OUTCOME_OK);
	assert_int_equal(read_text(SET RULE(""), &strict), OUTCOME_OK);
	/* One that is disabled is one. */
	assert_int_equal(
	    read_text(RULE("gwEnabled: FALSE\n"), NULL), OUTCOME_OK);
}

static void
groups_need_a_directory(void **state)
{
	static const struct daemon_facts with = {.has_directory = true};
	static const struct daemon_facts without = {.has_directory = false};

	(void)state;
	assert_int_equal(
	    read_text(RULE("gwGroup: cn=g,dc=x\n"), NULL), OUTCOME_OK);
	assert_int_equal(
	    read_text(RULE("gwGroup: cn=g,dc=x\n"), &with), OUTCOME_OK);
	assert_int_equal(
	    read_text(RULE("gwGroup: cn=g,dc=x\n"), &without), OUTCOME_DATA);
	assert_int_equal(read_text(RULE(""), &without), OUTCOME_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_set_without_any_rule_is_taken_where_the_daemon_does),
	    cmocka_unit_test(groups_need_a_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
