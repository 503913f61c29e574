/* SPDX-License-Identifier: ISC */
/* The example rules are taken, and do what their descriptions say. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/judge.h"
#include "policy/ldap_file.h"
#include "policy/moment.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

#define PEOPLE ",ou=people,dc=example,dc=com"
#define GROUPS ",ou=groups,dc=example,dc=com"

static char why[512];

static int
add(void *arg, const struct entry *entry)
{
	struct ruleset_builder *builder = arg;

	return ruleset_builder_add(builder, entry, why, sizeof(why));
}

static FILE *
open_source(const char *folder, const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s/%s",
	    srcdir != NULL ? srcdir : ".", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		fail_msg("%s cannot be read", path);
	return file;
}

/* Closes the file. */
static struct ruleset *
load_file(FILE *file, const char *name)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	struct ruleset *rules;

	assert_non_null(builder);
	if (ldif_read(file, add, builder, why, sizeof(why)) != 0)
		fail_msg("%s: %s", name, why);
	(void)fclose(file);
	rules = ruleset_build(builder, 1, why, sizeof(why));
	if (rules == NULL)
		fail_msg("%s: %s", name, why);
	return rules;
}

static struct ruleset *
load_example(const char *name)
{
	return load_file(open_source("examples", name), name);
}

static int
load(void **state)
{
	*state = load_example("rules.ldif");
	return 0;
}

static int
unload(void **state)
{
	ruleset_unref(*state);
	return 0;
}

/* Who asks, from where; a row of the table below. */
struct row {
	const char *principal, *user, *group, *client;
	enum protection protection;
	const char *host, *address;
	uint16_t port;
	const char *rule; /* that decides; "" if none does */
	bool is_permitted;
};

static struct subject *
subject_of(const struct row *row)
{
	struct subject *subject = subject_new(row->user);

	assert_non_null(subject);
	if (row->group != NULL)
		assert_int_equal(subject_add_group(subject, row->group), 0);
	subject_finish(subject);
	return subject;
}

static void
check_row(const struct ruleset *rules, const struct row *row)
{
	struct identity identity = {.method = METHOD_GSSAPI};
	struct request request = {.identity = &identity,
	    .command = COMMAND_CONNECT,
	    .listener = "office",
	    .protection = row->protection};
	struct subject *subject = subject_of(row);
	struct judge_context context = {.rules = rules, .subject = subject};
	struct address address;
	struct verdict verdict;

	(void)snprintf(
	    identity.name, sizeof(identity.name), "%s", row->principal);
	assert_true(address_parse(row->client, &request.client.address));
	assert_true(endpoint_from_name(
	    row->host, strlen(row->host), row->port, &request.destination));
	assert_true(address_parse(row->address, &address));
	verdict = judge_address(&context, &request, &address);
	assert_string_equal(verdict.rule, row->rule);
	assert_int_equal(
	    verdict.decision == DECISION_PERMIT, row->is_permitted);
	subject_unref(subject);
}

static void
each_rule_does_what_it_says(void **state)
{
	static const struct row rows[] = {
	    {"alice@EXAMPLE.COM", "uid=alice" PEOPLE, "cn=staff" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "wiki.example.com",
		"10.1.0.1", 443, "intranet", true},
	    {"alice@EXAMPLE.COM", "uid=alice" PEOPLE, "cn=staff" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "www.example.net",
		"203.0.113.1", 80, "staff to the web", true},
	    {"alice@EXAMPLE.COM", "uid=alice" PEOPLE, "cn=staff" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "payroll.example.com",
		"203.0.113.1", 443, "nobody to payroll", false},
	    {"alice@EXAMPLE.COM", "uid=alice" PEOPLE, "cn=staff" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "other.example.com",
		"10.99.0.5", 443, "nobody to payroll", false},
	    {"alice@EXAMPLE.COM", "uid=alice" PEOPLE, "cn=staff" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "www.example.net",
		"127.0.0.1", 80, "", false},
	    {"alice/admin@EXAMPLE.COM", NULL, NULL, "203.0.113.9",
		PROTECTION_CONFIDENTIALITY, "10.20.1.1", "10.20.1.1", 8443,
		"operators to production", true},
	    {"bob@EXAMPLE.COM", "uid=bob" PEOPLE, "cn=engineers" GROUPS,
		"192.0.2.7", PROTECTION_CONFIDENTIALITY, "db.example.com",
		"10.20.1.1", 22, "engineers to production", true},
	    {"bob@EXAMPLE.COM", "uid=bob" PEOPLE, "cn=engineers" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "db.example.com",
		"10.20.1.1", 22, "no one else to production", false},
	    {"bob@EXAMPLE.COM", "uid=bob" PEOPLE, "cn=engineers" GROUPS,
		"203.0.113.9", PROTECTION_CONFIDENTIALITY, "db.example.com",
		"10.20.1.1", 22, "no one else to production", false},
	    {"bob@EXAMPLE.COM", "uid=bob" PEOPLE, "cn=engineers" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "127.0.0.1", "127.0.0.1",
		9090, "metrics on the gateway", true},
	    {"carol@EXAMPLE.COM", "uid=carol" PEOPLE, "cn=contractors" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "a.test.example.com",
		"10.30.0.1", 80, "", false},
	    {"carol@EXAMPLE.COM", "uid=carol" PEOPLE, "cn=contractors" GROUPS,
		"192.0.2.7", PROTECTION_INTEGRITY, "x.apps.example.com",
		"10.1.0.1", 443, "intranet", true},
	    {"backup@EXAMPLE.COM", NULL, NULL, "192.0.2.7",
		PROTECTION_INTEGRITY, "www.example.net", "203.0.113.1", 443,
		"staff to the web", true},
	};
	const struct ruleset *rules = *state;

	assert_int_equal(ruleset_count(rules), 7);
	assert_true(ruleset_needs_subject(rules));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check_row(rules, &rows[i]);
}

/* A member of one group does something at some moment. */
struct deed {
	const char *group, *principal;
	const char *at; /* GeneralizedTime */
	const char *indicators, *host, *address;
	enum command command;
	uint16_t port;
	const char *rule, *reported;
};

#define CONTRACTOR                                                             \
	.group = "cn=contractors" GROUPS, .principal = "carol@EXAMPLE.COM",    \
	.command = COMMAND_CONNECT, .host = "git.example.com",                 \
	.address = "10.1.0.9", .reported = ""
#define WEDNESDAY    "20261125090000Z" /* ten o'clock in Amsterdam */
#define UNTIL_FRIDAY "contractors to git and tickets"

static struct verdict
verdict_on(const struct ruleset *rules, const struct deed *deed)
{
	struct identity identity = {.method = METHOD_GSSAPI};
	struct request request = {.identity = &identity,
	    .command = deed->command,
	    .listener = "office",
	    .protection = PROTECTION_CONFIDENTIALITY};
	struct subject *subject = subject_new("uid=somebody" PEOPLE);
	struct judge_context context = {.rules = rules, .subject = subject};
	struct address address;
	struct verdict verdict;
	int64_t at;

	assert_non_null(subject);
	assert_int_equal(subject_add_group(subject, deed->group), 0);
	subject_finish(subject);
	(void)snprintf(
	    identity.name, sizeof(identity.name), "%s", deed->principal);
	(void)snprintf(identity.indicators, sizeof(identity.indicators), "%s",
	    deed->indicators);
	assert_true(moment_parse(deed->at, &at));
	request.time_us = (uint64_t)at * 1000000;
	assert_true(address_parse("192.0.2.40", &request.client.address));
	assert_true(endpoint_from_name(
	    deed->host, strlen(deed->host), deed->port, &request.destination));
	assert_true(address_parse(deed->address, &address));
	verdict = judge_address(&context, &request, &address);
	subject_unref(subject);
	return verdict;
}

/* No rule of these files denies: what has a rule is permitted. */
static void
check_deed(const struct ruleset *rules, const struct deed *deed)
{
	struct verdict verdict = verdict_on(rules, deed);

	assert_string_equal(verdict.rule, deed->rule);
	assert_int_equal(
	    verdict.decision == DECISION_PERMIT, deed->rule[0] != '\0');
	assert_string_equal(verdict.reported, deed->reported);
}

static void
contractors_come_in_as_long_as_they_should(void **state)
{
	static const struct deed deeds[] = {
	    {CONTRACTOR, .at = WEDNESDAY, .indicators = "otp", .port = 443,
		.rule = UNTIL_FRIDAY},
	    {CONTRACTOR, .at = "20261127165959Z", .indicators = "otp",
		.port = 443, .rule = UNTIL_FRIDAY},
	    /* Friday is over; the next Monday. */
	    {CONTRACTOR, .at = "20261127170000Z", .indicators = "otp",
		.port = 443, .rule = ""},
	    {CONTRACTOR, .at = "20261130090000Z", .indicators = "otp",
		.port = 443, .rule = ""},
	    /* Before eight, from six on, on a Sunday. */
	    {CONTRACTOR, .at = "20261125065959Z", .indicators = "otp",
		.port = 443, .rule = ""},
	    {CONTRACTOR, .at = "20261125170000Z", .indicators = "otp",
		.port = 443, .rule = ""},
	    {CONTRACTOR, .at = "20261122090000Z", .indicators = "otp",
		.port = 443, .rule = ""},
	    /* Without a second factor. */
	    {CONTRACTOR, .at = WEDNESDAY, .indicators = "", .port = 443,
		.rule = ""},
	    {CONTRACTOR, .at = WEDNESDAY, .indicators = "spake", .port = 443,
		.rule = ""},
	    /* Elsewhere. */
	    {CONTRACTOR, .at = WEDNESDAY, .indicators = "otp", .port = 22,
		.rule = ""},
	    {.group = "cn=contractors" GROUPS,
		.principal = "carol@EXAMPLE.COM",
		.command = COMMAND_CONNECT,
		.host = "wiki.example.com",
		.address = "10.1.0.9",
		.at = WEDNESDAY,
		.indicators = "otp",
		.port = 443,
		.rule = "",
		.reported = ""},
	    {.group = "cn=staff" GROUPS,
		.principal = "alice@EXAMPLE.COM",
		.command = COMMAND_CONNECT,
		.host = "git.example.com",
		.address = "10.1.0.9",
		.at = WEDNESDAY,
		.indicators = "otp",
		.port = 443,
		.rule = "",
		.reported = ""},
	};
	struct ruleset *rules = load_example("contractors.ldif");

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(deeds); i++)
		check_deed(rules, &deeds[i]);
	ruleset_unref(rules);
}

#define SOMEBODY(name)                                                         \
	.group = "cn=" name GROUPS, .principal = "alice@EXAMPLE.COM",          \
	.reported = ""

static void
common_jobs_are_done(void **state)
{
	static const struct deed deeds[] = {
	    {SOMEBODY("administrators"), .command = COMMAND_CONNECT,
		.at = WEDNESDAY, .indicators = "hardened pkinit",
		.host = "a.servers.example.com", .address = "10.2.0.1",
		.port = 22, .rule = "administrators by ssh"},
	    {SOMEBODY("administrators"), .command = COMMAND_CONNECT,
		.at = WEDNESDAY, .indicators = "",
		.host = "a.servers.example.com", .address = "10.2.0.1",
		.port = 22, .rule = ""},
	    {SOMEBODY("staff"), .command = COMMAND_CONNECT, .at = WEDNESDAY,
		.indicators = "", .host = "www.example.net",
		.address = "203.0.113.1", .port = 443,
		.rule = "web in office hours"},
	    {SOMEBODY("staff"), .command = COMMAND_CONNECT,
		.at = "20261128090000Z", .indicators = "",
		.host = "www.example.net", .address = "203.0.113.1",
		.port = 443, .rule = ""},
	    {SOMEBODY("staff"), .command = COMMAND_BIND, .at = WEDNESDAY,
		.indicators = "", .host = "198.51.100.21",
		.address = "198.51.100.21", .port = 20, .rule = "ftp data"},
	    {SOMEBODY("staff"), .command = COMMAND_CONNECT, .at = WEDNESDAY,
		.indicators = "", .host = "198.51.100.21",
		.address = "198.51.100.21", .port = 21, .rule = "ftp control"},
	    {SOMEBODY("staff"), .command = COMMAND_UDP, .at = WEDNESDAY,
		.indicators = "", .host = "198.51.100.53",
		.address = "198.51.100.53", .port = 53, .rule = "names by udp"},
	    {.group = "cn=staff" GROUPS,
		.principal = "alice@EXAMPLE.COM",
		.command = COMMAND_CONNECT,
		.at = WEDNESDAY,
		.indicators = "",
		.host = "old.example.com",
		.address = "10.40.0.1",
		.port = 80,
		.rule = "web in office hours",
		.reported = "close the old network"},
	};
	static const struct deed backup = {.group = "cn=services" GROUPS,
	    .principal = "backup@EXAMPLE.COM",
	    .command = COMMAND_CONNECT,
	    .at = WEDNESDAY,
	    .indicators = "",
	    .host = "vault.example.net",
	    .address = "203.0.113.7",
	    .port = 443};
	struct ruleset *rules = load_example("jobs.ldif");
	struct verdict verdict = verdict_on(rules, &backup);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(deeds); i++)
		check_deed(rules, &deeds[i]);
	assert_string_equal(verdict.rule, "backup service");
	assert_int_equal(verdict.limits->max_sessions, 4);
	assert_int_equal(verdict.limits->max_rate, 10000000);
	ruleset_unref(rules);
}

/* The example as it is once the other file turned it on. */
static struct ruleset *
load_broken_glass(void)
{
	char text[4096], *off;
	FILE *file = open_source("examples", "break-glass.ldif");
	size_t len = fread(text, 1, sizeof(text) - 1, file);

	(void)fclose(file);
	text[len] = '\0';
	off = strstr(text, "gwEnabled: FALSE");
	assert_non_null(off);
	memcpy(off, "gwEnabled: TRUE", 15); /* one octet less */
	memmove(off + 15, off + 16, len - (size_t)(off - text) - 15);
	len--;
	file = fmemopen(text, len, "r");
	assert_non_null(file);
	return load_file(file, "break-glass.ldif, turned on");
}

static void
glass_is_whole_until_it_is_broken(void **state)
{
	struct deed deed = {SOMEBODY("emergency"), .command = COMMAND_CONNECT,
	    .at = "20261129030000Z", .indicators = "", .host = "10.20.0.1",
	    .address = "10.20.0.1", .port = 22, .rule = "break glass"};
	struct ruleset *rules = load_example("break-glass.ldif");

	(void)state;
	assert_int_equal(ruleset_count(rules), 0);
	ruleset_unref(rules);
	rules = load_broken_glass();
	check_deed(rules, &deed);
	deed.host = deed.address = "127.0.0.1"; /* stays closed */
	deed.rule = "";
	check_deed(rules, &deed);
	deed.host = deed.address = "10.20.0.1";
	deed.group = "cn=staff" GROUPS;
	check_deed(rules, &deed);
	ruleset_unref(rules);
}

/* What stands between ```ldif and ``` is copied; break glass is a change. */
static void
copy_blocks(FILE *from, FILE *to)
{
	char line[512];
	bool is_inside = false;

	while (fgets(line, sizeof(line), from) != NULL &&
	       strncmp(line, "## Break glass", 14) != 0) {
		if (strncmp(line, "```", 3) == 0) {
			is_inside = strcmp(line, "```ldif\n") == 0;
			(void)fputs("\n", to);
		} else if (is_inside) {
			(void)fputs(line, to);
		}
	}
}

static void
the_guides_rules_are_taken_together(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *guide = open_source("docs", "modelling.md");
	FILE *copy = open_memstream(&text, &len);
	struct ruleset *rules;

	(void)state;
	assert_non_null(copy);
	copy_blocks(guide, copy);
	(void)fclose(guide);
	(void)fclose(copy);
	copy = fmemopen(text, len, "r");
	assert_non_null(copy);
	rules = load_file(copy, "modelling.md");
	assert_int_equal(ruleset_count(rules), 8);
	ruleset_unref(rules);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rule_does_what_it_says),
	    cmocka_unit_test(contractors_come_in_as_long_as_they_should),
	    cmocka_unit_test(common_jobs_are_done),
	    cmocka_unit_test(glass_is_whole_until_it_is_broken),
	    cmocka_unit_test(the_guides_rules_are_taken_together),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
