/* SPDX-License-Identifier: ISC */
/* What rules name is asked about once, and what is not there is told. */
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/compiler.h"
#include "ctl/daemon.h"
#include "ctl/lint_report.h"
#include "ctl/lint_world.h"
#include "policy/ruleset.h"
#include "tests/unit/policy/rule_text.h"

static const char rules_text[] =
    "dn: cn=hosts,dc=x\nobjectClass: gwDestinations\ncn: hosts\n"
    "gwDestination: lost.test\ngwDestination: *.test\n"
    "gwDestination: 10.0.0.0/8\n\n"
    "dn: cn=unused,dc=x\nobjectClass: gwDestinations\ncn: unused\n"
    "gwDestination: never.asked.test\n\n"
    "dn: cn=a,dc=x\nobjectClass: gwRule\ncn: a\ngwAction: permit\n"
    "gwGroup: cn=there,dc=x\ngwGroup: cn=missing,dc=x\n"
    "gwUser: uid=missing,dc=x\ngwDestination: there.test\n"
    "gwDestinationSet: cn=hosts,dc=x\n\n"
    "dn: cn=b,dc=x\nobjectClass: gwRule\ncn: b\ngwAction: permit\n"
    "gwGroup: cn=missing,dc=x\ngwDestination: there.test\n"
    "gwListener: in\ngwListener: gone\n\n"
    "dn: cn=c,dc=x\nobjectClass: gwRule\ncn: c\ngwAction: deny\n"
    "gwEnabled: FALSE\ngwGroup: cn=missing2,dc=x\ngwDestination: *\n";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char asked[1024]; /* since the last look */
static bool is_silent, is_gone, is_unresolved;

static void
note(const char *text)
{
	assert_int_equal(pthread_mutex_lock(&lock), 0);
	(void)strlcat(asked, text, sizeof(asked));
	(void)strlcat(asked, ";", sizeof(asked));
	assert_int_equal(pthread_mutex_unlock(&lock), 0);
}

enum outcome __wrap_daemon_ask_entry(const char *socket, const char *dn,
    enum daemon_entry *entry, char silence[DAEMON_SILENCE_SIZE]);
enum outcome
__wrap_daemon_ask_entry(const char *socket, const char *dn,
    enum daemon_entry *entry, char silence[DAEMON_SILENCE_SIZE])
{
	assert_string_equal(socket, "the socket");
	note(dn);
	*entry = strstr(dn, "missing") != NULL ? DAEMON_ENTRY_MISSING
					       : DAEMON_ENTRY_THERE;
	if (is_silent) {
		*entry = DAEMON_ENTRY_UNKNOWN;
		(void)strlcpy(
		    silence, "no server answers", DAEMON_SILENCE_SIZE);
	}
	return is_gone ? OUTCOME_UNAVAILABLE : OUTCOME_OK;
}

enum outcome __wrap_daemon_ask_name(
    const char *socket, const char *name, struct daemon_name *answer);
enum outcome
__wrap_daemon_ask_name(
    const char *socket, const char *name, struct daemon_name *answer)
{
	assert_string_equal(socket, "the socket");
	note(name);
	answer->reason =
	    strcmp(name, "lost.test") == 0 ? REASON_NAME_UNKNOWN : REASON_OK;
	if (is_unresolved)
		answer->reason = REASON_RESOLVER_FAILED;
	return OUTCOME_OK;
}

/* What is printed as a document. */
static json_t *
look_at(const char *text_of_rules, enum outcome outcome)
{
	char why[512], *text = NULL;
	size_t len;
	FILE *real = stdout, *out = open_memstream(&text, &len);
	struct ruleset *rules =
	    rule_text_build(text_of_rules, why, sizeof(why));
	struct daemon_listener listener = {.name = (char[]){"in"}};
	char *realms[] = {(char[]){"pam"}};
	struct daemon_facts facts = {.listener_count = 1,
	    .listeners = &listener,
	    .realm_count = 1,
	    .realms = realms};
	struct lint_report *report = lint_report_new();
	json_t *document;

	assert_non_null(rules);
	assert_non_null(out);
	asked[0] = '\0';
	lint_world("the socket", &facts, rules, report);
	stdout = out;
	assert_int_equal(
	    lint_report_print(report, ruleset_count(rules), true), outcome);
	stdout = real;
	assert_int_equal(fclose(out), 0);
	document = json_loads(text, 0, NULL);
	assert_non_null(document);
	free(text);
	lint_report_free(report);
	ruleset_unref(rules);
	return document;
}

static json_t *
look(enum outcome outcome)
{
	return look_at(rules_text, outcome);
}

static size_t
count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

static bool
is_told(const json_t *document, const char *kind, const char *name,
    const char *value)
{
	size_t i;
	json_t *finding;

	json_array_foreach(json_object_get(document, "findings"), i, finding)
	{
		if (strcmp(json_string_value(json_object_get(finding, "kind")),
			kind) == 0 &&
		    strcmp(json_string_value(json_object_get(finding, "name")),
			name) == 0 &&
		    strcmp(json_string_value(json_object_get(finding, "value")),
			value) == 0)
			return true;
	}
	return false;
}

static void
what_is_not_there_is_told_of_each_rule(void **state)
{
	json_t *document = look(OUTCOME_FOUND);

	(void)state;
	assert_int_equal(
	    json_integer_value(json_object_get(document, "mistakes")), 5);
	assert_true(is_told(document, "no_group", "a", "cn=missing,dc=x"));
	assert_true(is_told(document, "no_group", "b", "cn=missing,dc=x"));
	assert_true(is_told(document, "no_user", "a", "uid=missing,dc=x"));
	assert_true(is_told(document, "no_name", "hosts", "lost.test"));
	assert_true(is_told(document, "no_listener", "b", "gone"));
	assert_int_equal(
	    json_array_size(json_object_get(document, "not_looked_at")), 0);
	json_decref(document);
}

static void
each_thing_is_asked_about_once(void **state)
{
	(void)state;
	json_decref(look(OUTCOME_FOUND));
	assert_int_equal(count_of(asked, ";"), 5);
	assert_int_equal(count_of(asked, "cn=missing,dc=x;"), 1);
	assert_int_equal(count_of(asked, "there.test;"), 1);
	assert_null(strstr(asked, "never.asked"));
	assert_null(strstr(asked, "missing2"));
}

static void
check_silence(const char *because)
{
	json_t *document = look(OUTCOME_FOUND); /* the listener */
	const char *text = json_string_value(
	    json_array_get(json_object_get(document, "not_looked_at"), 0));

	assert_non_null(text);
	assert_non_null(strstr(text, because));
	assert_false(is_told(document, "no_group", "a", "cn=there,dc=x"));
	json_decref(document);
}

static void
silence_is_no_finding(void **state)
{
	(void)state;
	is_silent = true;
	check_silence("no server answers");
	is_silent = false;
	is_gone = true;
	check_silence("the gateway does not answer");
	is_gone = false;
	is_unresolved = true;
	check_silence("the name servers give no answer");
	is_unresolved = false;
}

#define OF(name, principal)                                                    \
	"dn: cn=" name ",dc=x\nobjectClass: gwRule\ncn: " name                 \
	"\ngwAction: permit\ngwDestination: 192.0.2.1\n"                       \
	"gwPrincipal: " principal "\n\n"

/* One is the keytab's; of two, one may be misspelt. */
static void
a_realm_that_nobody_names_is_told(void **state)
{
	json_t *document =
	    look_at(OF("a", "alice@EXAMPLE.COM") OF("b", "*/admin@EXAMPLE.COM")
			OF("c", "carol@pam"),
		OUTCOME_OK);

	(void)state;
	assert_int_equal(
	    json_array_size(json_object_get(document, "findings")), 0);
	json_decref(document);
	document = look_at(OF("a", "alice@EXAMPLE.COM") OF(
			       "b", "alice@EXAMPEL.COM") OF("c", "carol@pam"),
	    OUTCOME_OK);
	assert_true(is_told(document, "no_realm", "a", "alice@EXAMPLE.COM"));
	assert_true(is_told(document, "no_realm", "b", "alice@EXAMPEL.COM"));
	assert_false(is_told(document, "no_realm", "c", "carol@pam"));
	assert_int_equal(
	    json_integer_value(json_object_get(document, "mistakes")), 0);
	json_decref(document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_there_is_told_of_each_rule),
	    cmocka_unit_test(each_thing_is_asked_about_once),
	    cmocka_unit_test(silence_is_no_finding),
	    cmocka_unit_test(a_realm_that_nobody_names_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
