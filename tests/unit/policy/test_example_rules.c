/* SPDX-License-Identifier: ISC */
/* The example rules are taken, and do what their descriptions say. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/judge.h"
#include "policy/ldap_file.h"
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

static int
load(void **state)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	const char *srcdir = getenv("srcdir");
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/examples/rules.ldif",
	    srcdir != NULL ? srcdir : ".");
	file = fopen(path, "r");
	if (file == NULL || builder == NULL)
		fail_msg("%s cannot be read", path);
	if (ldif_read(file, add, builder, why, sizeof(why)) != 0)
		fail_msg("%s: %s", path, why);
	(void)fclose(file);
	*state = ruleset_build(builder, 1, why, sizeof(why));
	if (*state == NULL)
		fail_msg("%s: %s", path, why);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rule_does_what_it_says),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
