/* SPDX-License-Identifier: ISC */
/* Findings: what is printed, and how --check ends. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/findings.h"

static void
assert_printed(enum finding finding, const struct finding_place *about,
    const char *wanted, int status)
{
	char *text = NULL;
	size_t len = 0;
	struct findings findings = {.out = open_memstream(&text, &len)};

	assert_non_null(findings.out);
	assert_int_equal(findings_status(&findings), 0);
	findings_add(&findings, finding, about, "%s is wrong", "it");
	assert_int_equal(fclose(findings.out), 0);
	assert_string_equal(text, wanted);
	assert_int_equal(findings_status(&findings), status);
	free(text);
}

static void
names_place_and_command(void **state)
{
	const struct finding_place about = {"a.conf:3", "/etc/key", NULL};

	(void)state;
	assert_printed(FINDING_SECRET_OPEN, &about,
	    "a.conf:3: it is wrong\n\tsecret_open: chmod g-w,o= /etc/key\n",
	    EX_CONFIG);
}

static void
quotes_what_a_shell_would_read(void **state)
{
	const struct finding_place about = {NULL, "/a b;'$(c)", "me too"};

	(void)state;
	assert_printed(FINDING_SECRET_UNREADABLE, &about,
	    "it is wrong\n\tsecret_unreadable: chown 'me too' "
	    "'/a b;'\\''$(c)' && chmod 0400 '/a b;'\\''$(c)'\n",
	    EX_CONFIG);
}

static void
ends_otherwise_where_only_the_host_is_wrong(void **state)
{
	const struct finding_place about = {"a.conf", "/x", "me"};

	(void)state;
	assert_printed(FINDING_STATE_OWNER, &about,
	    "a.conf: it is wrong\n\tstate_owner: chown me /x && chmod 0700 "
	    "/x\n",
	    EX_UNAVAILABLE);
}

static void
warnings_change_no_status(void **state)
{
	const struct finding_place about = {"a.conf", "42", NULL};

	(void)state;
	assert_printed(FINDING_DESCRIPTORS, &about,
	    "a.conf: it is wrong (a warning)\n\tdescriptors: prlimit --pid $$ "
	    "--nofile=42\n",
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_place_and_command),
	    cmocka_unit_test(quotes_what_a_shell_would_read),
	    cmocka_unit_test(ends_otherwise_where_only_the_host_is_wrong),
	    cmocka_unit_test(warnings_change_no_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
