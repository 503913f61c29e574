/* SPDX-License-Identifier: ISC */
/* Entries become a rule set as a whole, or say what is wrong with them. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/request.h"
#include "policy/entry.h"
#include "policy/ruleset.h"
#include "policy/ruleset_private.h"
#include "tests/unit/policy/rule_text.h"

/* The attributes of a rule that lacks nothing, for more lines behind. */
#define RULE                                                                   \
	"dn: cn=r,dc=x\nobjectClass: top\nobjectClass: gwRule\ncn: r\n"        \
	"gwAction: permit\n"
#define WHOLE RULE "gwDestination: *\n"
#define SET   "dn: cn=s,dc=x\nobjectClass: gwDestinations\ncn: s\n"

static struct ruleset *
built(const char *text)
{
	char why[512];
	struct ruleset *rules = rule_text_build(text, why, sizeof(why));

	if (rules == NULL)
		fail_msg("%s\nrefused: %s", text, why);
	return rules;
}

static const struct rule *
first_rule(const struct ruleset *rules)
{
	assert_true(rules->rule_count > 0);
	return rules->rules[0];
}

static void
what_is_absent_has_its_default(void **state)
{
	struct ruleset *rules = built(WHOLE);
	const struct rule *rule = first_rule(rules);

	(void)state;
	assert_int_equal(ruleset_generation(rules), 7);
	assert_int_equal(ruleset_count(rules), 1);
	assert_false(ruleset_needs_subject(rules));
	assert_string_equal(rule->name, "r");
	assert_string_equal(rule->dn, "cn=r,dc=x");
	assert_true(rule->permits);
	assert_false(rule->is_disabled);
	assert_int_equal(rule->order, 1000);
	assert_int_equal(rule->commands, 1U << COMMAND_CONNECT);
	assert_int_equal(
	    rule->methods, 1U << METHOD_GSSAPI | 1U << METHOD_PASSWORD);
	assert_int_equal(rule->protection, PROTECTION_NONE);
	assert_int_equal(rule->users.count, 0);
	assert_int_equal(rule->client_count, 0);
	assert_int_equal(rule->targets.port_count, 0);
	ruleset_unref(rules);

	rules = built("dn: cn=d,dc=x\nobjectClass: gwRule\ncn: d\n"
		      "gwAction: deny\ngwDestination: *\n");
	assert_int_equal(first_rule(rules)->methods,
	    1U << METHOD_NONE | 1U << METHOD_GSSAPI | 1U << METHOD_PASSWORD);
	ruleset_unref(rules);
}

static void
every_attribute_is_read(void **state)
{
	struct ruleset *rules =
	    built("dn: CN=Big,DC=X\n"
		  "objectclass: GWRULE\n"
		  "CN: Big\n"
		  "gwaction: DENY\n"
		  "gwOrder: 0\n"
		  "gwEnabled: true\n"
		  "gwUser: UID=Alice, DC=X\n"
		  "gwUser: uid=bob,dc=x\n"
		  "gwGroup: CN=Staff,DC=X\n"
		  "gwPrincipal: */admin@R\n"
		  "gwPrincipal: carol@R\n"
		  "gwClient: 10.0.0.0/8\n"
		  "gwClient: 192.0.2.1\n"
		  "gwClient: 2001:db8::/32\n"
		  "gwListener: office\n"
		  "gwListener: vpn\n"
		  "gwDestination: *\n"
		  "gwDestination: WWW.Example.COM.\n"
		  "gwDestination: *.Example.com\n"
		  "gwDestination: 10.0.0.0/8\n"
		  "gwDestination: 192.0.2.1\n"
		  "gwDestination: 2001:db8::/32\n"
		  "gwDestination: 2001:db8::1\n"
		  "gwDestinationSet: CN=S, DC=X\n"
		  "gwPort: 443\n"
		  "gwPort: 8000-8999\n"
		  "gwPort: 1-65535\n"
		  "gwCommand: connect\n"
		  "gwCommand: BIND\n"
		  "gwCommand: udp\n"
		  "gwMethod: gssapi\n"
		  "gwMethod: none\n"
		  "gwProtection: Confidentiality\n"
		  "description: what it is for\n"
		  "owner: uid=alice,dc=x\n"
		  "structuralObjectClass: gwRule\n"
		  "entryUUID: 0\n"
		  "\n" SET "gwDestination: a.example\ngwPort: 80\n"
		  "description: some\nowner: uid=alice,dc=x\n");
	const struct rule *rule = first_rule(rules);

	(void)state;
	assert_string_equal(rule->name, "Big");
	assert_string_equal(rule->normalised_dn, "cn=big,dc=x");
	assert_false(rule->permits);
	assert_int_equal(rule->order, 0);
	assert_int_equal(rule->users.count, 2);
	assert_string_equal(rule->users.texts[0], "uid=alice,dc=x");
	assert_string_equal(rule->groups.texts[0], "cn=staff,dc=x");
	assert_string_equal(rule->principals.texts[0], "*/admin@R");
	assert_int_equal(rule->client_count, 3);
	assert_string_equal(rule->listeners.texts[1], "vpn");
	assert_int_equal(rule->targets.destination_count, 7);
	assert_int_equal(rule->targets.destinations[0].kind, DESTINATION_ANY);
	assert_string_equal(
	    rule->targets.destinations[1].name, "www.example.com");
	assert_string_equal(rule->targets.destinations[2].name, ".example.com");
	assert_int_equal(rule->targets.destinations[4].network.prefix_len, 32);
	assert_int_equal(rule->targets.destinations[5].network.prefix_len, 32);
	assert_int_equal(rule->targets.destinations[6].network.prefix_len, 128);
	assert_int_equal(rule->targets.port_count, 3);
	assert_int_equal(rule->targets.ports[0].first, 1);
	assert_int_equal(rule->targets.ports[0].last, 65535);
	assert_int_equal(rule->targets.ports[2].first, 8000);
	assert_int_equal(rule->set_dns.count, 1);
	assert_string_equal(rule->sets[0]->name, "s");
	assert_int_equal(rule->commands, 2 | 4 | 8);
	assert_int_equal(
	    rule->methods, 1U << METHOD_NONE | 1U << METHOD_GSSAPI);
	assert_int_equal(rule->protection, PROTECTION_CONFIDENTIALITY);
	assert_true(ruleset_needs_subject(rules));
	ruleset_unref(rules);
}

static void
taken_values_are_taken(void **state)
{
	static const char *const rows[] = {
	    "gwOrder: 2147483647",
	    "gwEnabled: TRUE",
	    "gwEnabled: FALSE",
	    "gwProtection: none",
	    "gwProtection: integrity",
	    "gwClient: 0.0.0.0/0",
	    "gwClient: ::/0",
	    "gwDestination: 0.0.0.0/0",
	    "gwDestination: ::/0",
	    "gwDestination: ::1",
	    "gwDestination: localhost",
	    "gwDestination: *.com",
	    "gwDestination: _ldap._tcp.example.com",
	    "gwDestination: 1.example.com",
	    "gwPort: 65535",
	    "gwPort: 1-1",
	    "gwListener: abcdefghijklmnopqrstuvwxyz012345",
	    "gwMethod: password",
	    "gwCommand;x-option: bind",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s\n", WHOLE, rows[i]);
		ruleset_unref(built(text));
	}
}

static void
assert_refused(const char *text, const char *dn, const char *part)
{
	char why[512] = "";
	struct ruleset *rules = rule_text_build(text, why, sizeof(why));

	if (rules != NULL)
		fail_msg("taken: %s", text);
	if (strncmp(why, dn, strlen(dn)) != 0 || strstr(why, part) == NULL)
		fail_msg("%s\nsays: %s\nnot: %s...%s", text, why, dn, part);
}

static void
a_bad_value_is_refused_with_what_is_allowed(void **state)
{
	static const struct {
		const char *line, *part;
	} rows[] = {
	    {"gwOrder: -1", "gwOrder: \"-1\" must be a number from 0"},
	    {"gwOrder: 2147483648", "gwOrder: \"2147483648\""},
	    {"gwOrder: 01", "gwOrder"},
	    {"gwOrder: ", "gwOrder: \"\" must be"},
	    {"gwEnabled: yes", "must be TRUE or FALSE"},
	    {"gwEnabled: ", "must be TRUE or FALSE"},
	    {"gwUser: alice", "gwUser: \"alice\" must be a distinguished"},
	    {"gwUser: ", "gwUser: \"\" must be a distinguished"},
	    {"gwGroup: staff", "gwGroup: \"staff\" must be"},
	    {"gwGroup: ", "gwGroup"},
	    {"gwPrincipal: *", "gwPrincipal: \"*\" must be a principal"},
	    {"gwPrincipal: al*@R", "whole components"},
	    {"gwPrincipal: ", "gwPrincipal"},
	    {"gwClient: *", "gwClient: \"*\" must be an address"},
	    {"gwClient: ", "gwClient"},
	    {"gwClient: www.example.com", "gwClient"},
	    {"gwClient: 10.0.0.1/8", "without host bits"},
	    {"gwClient: 10.0.0.0/33", "gwClient"},
	    {"gwClient: 10.0.0.0/-1", "gwClient"},
	    {"gwClient: 10.0.0.0/08", "gwClient"},
	    {"gwClient: 10.0.0.0/", "gwClient"},
	    {"gwClient: 10/8", "gwClient"},
	    {"gwClient: 010.1.2.3", "gwClient"},
	    {"gwClient: 1.2.3", "gwClient"},
	    {"gwClient: 2001:db8::1/32", "without host bits"},
	    {"gwClient: ::/129", "gwClient"},
	    {"gwClient: ::ffff:10.0.0.0/104", "IPv4 is written as IPv4"},
	    {"gwClient: ::ffff:10.0.0.1", "IPv4 is written as IPv4"},
	    {"gwListener: ", "gwListener"},
	    {"gwListener: abcdefghijklmnopqrstuvwxyz0123456", "32 octets"},
	    {"gwDestination: ", "gwDestination"},
	    {"gwDestination: *.", "gwDestination"},
	    {"gwDestination: **", "gwDestination"},
	    {"gwDestination: *example.com", "gwDestination"},
	    {"gwDestination: *.*.example.com", "gwDestination"},
	    {"gwDestination: www.*.com", "gwDestination"},
	    {"gwDestination: www.example.*", "gwDestination"},
	    {"gwDestination: *.10.0.0.1", "gwDestination"},
	    {"gwDestination: *.10.0.0.0/8", "gwDestination"},
	    {"gwDestination: .example.com", "gwDestination"},
	    {"gwDestination: a..b", "gwDestination"},
	    {"gwDestination: -a.b", "gwDestination"},
	    {"gwDestination: a b", "gwDestination"},
	    {"gwDestination: b\xc3\xbc"
	     "cher.example",
		"gwDestination"},
	    {"gwDestination: 10.0.0.1/8", "without host bits"},
	    {"gwDestination: 10.0.0.0/33", "gwDestination"},
	    {"gwDestination: 010.0.0.1", "gwDestination"},
	    {"gwDestination: 1.2.3", "gwDestination"},
	    {"gwDestination: 0x7f000001", "gwDestination"},
	    {"gwDestination: ::ffff:10.0.0.1", "IPv4 is written as IPv4"},
	    {"gwDestination: ::ffff:0:0/96", "IPv4 is written as IPv4"},
	    {"gwDestination: fe80::1%eth0", "gwDestination"},
	    {"gwDestination: www.example.com:443", "gwDestination"},
	    {"gwDestinationSet: s", "gwDestinations entry"},
	    {"gwDestinationSet: ", "gwDestinations entry"},
	    {"gwPort: 0", "gwPort: \"0\" must be a port from 1 to 65535"},
	    {"gwPort: 65536", "gwPort"},
	    {"gwPort: ", "gwPort"},
	    {"gwPort: *", "gwPort"},
	    {"gwPort: http", "gwPort"},
	    {"gwPort: 080", "gwPort"},
	    {"gwPort: 0-80", "gwPort"},
	    {"gwPort: 80-22", "such as 8000-8999"},
	    {"gwPort: 80-", "gwPort"},
	    {"gwPort: -80", "gwPort"},
	    {"gwPort: 1-2-3", "gwPort"},
	    {"gwPort: 1 - 2", "gwPort"},
	    {"gwPort: 1-65536", "gwPort"},
	    {"gwPort: 123456789", "gwPort"},
	    {"gwCommand: tcp", "must be connect, bind or udp"},
	    {"gwCommand: ", "must be connect, bind or udp"},
	    {"gwMethod: krb5", "must be gssapi, password or none"},
	    {"gwMethod: ", "must be gssapi, password or none"},
	    {"gwProtection: selective", "none, integrity or confid"},
	    {"gwProtection: ", "none, integrity or confidentiality"},
	    {"gwReportOnly: maybe", "gwReportOnly: \"maybe\" must be TRUE"},
	    {"gwIndicator: ", "authentication indicator"},
	    {"gwIndicator: two words", "one word"},
	    {"gwIndicator: a\tb", "one word"},
	    {"gwSchedule: always", "such as Mon-Fri 08:00-18:00"},
	    {"gwSchedule: Mon 08:00-18:00", "a time zone"},
	    {"gwSchedule: Mon 08:00-18:00 Mars/Base", "tz database"},
	    {"gwNotBefore: tomorrow", "a GeneralizedTime"},
	    {"gwNotAfter: 2026-11-27", "such as 20261127170000Z"},
	    {"gwMaxSessions: 0", "a number from 1 to 1000000"},
	    {"gwMaxSessions: 1000001", "a number from 1 to 1000000"},
	    {"gwMaxRate: 0", "octets a second"},
	    {"gwMaxRate: 1000000000001", "octets a second"},
	    {"gwMaxDuration: 0", "a number of seconds"},
	    {"gwMaxDuration: 31536001", "a number of seconds"},
	    {"gwIdleTimeout: -1", "a number of seconds"},
	    {"gwIdleTimeout: 1m", "a number of seconds"},
	    {"gwEgress: gw.example.com", "an address of this host"},
	    {"gwEgress: 192.0.2.0/24", "an address of this host"},
	    {"gwEgress: ::ffff:192.0.2.1", "IPv4 is written as IPv4"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s\n", WHOLE, rows[i].line);
		assert_refused(text, "cn=r,dc=x: ", rows[i].part);
		/* A rule that is kept for later is checked the same. */
		if (strstr(rows[i].line, "gwEnabled") != NULL)
			continue;
		snprintf(text, sizeof(text), "%sgwEnabled: FALSE\n%s\n", WHOLE,
		    rows[i].line);
		assert_refused(text, "cn=r,dc=x: ", rows[i].part);
	}
}

static void
a_value_twice_is_refused(void **state)
{
	static const struct {
		const char *lines, *part;
	} rows[] = {
	    {"gwUser: cn=a\ngwUser: CN=A", "gwUser: has one value twice"},
	    {"gwGroup: cn=a\ngwGroup: cn=b\ngwGroup: cn = a", "gwGroup: has"},
	    {"gwPrincipal: a@R\ngwPrincipal: a@R", "gwPrincipal: has"},
	    {"gwClient: 10.0.0.1\ngwClient: 10.0.0.1/32", "gwClient: has"},
	    {"gwListener: a\ngwListener: a", "gwListener: has"},
	    {"gwDestination: *", "gwDestination: has"},
	    {"gwDestination: A.x\ngwDestination: a.x.", "gwDestination: has"},
	    {"gwDestination: *.x\ngwDestination: *.X", "gwDestination: has"},
	    {"gwDestination: ::1\ngwDestination: 0::1/128",
		"gwDestination: has"},
	    {"gwPort: 80\ngwPort: 80-80", "gwPort: has"},
	    {"gwCommand: udp\ngwCommand: UDP", "gwCommand: has"},
	    {"gwMethod: none\ngwMethod: none", "gwMethod: has"},
	    {"gwOrder: 1\ngwOrder: 2", "gwOrder: has more than one value"},
	    {"gwAction: deny", "gwAction: has more than one value"},
	    {"cn: also", "cn: has more than one value"},
	    {"gwEnabled: TRUE\ngwEnabled: FALSE", "gwEnabled: has more"},
	    {"gwProtection: none\ngwProtection: integrity",
		"gwProtection: has more"},
	    {"gwIndicator: otp\ngwIndicator: pin\ngwIndicator: otp",
		"gwIndicator: has one value twice"},
	    {"gwSchedule: Mon 08:00-09:00 UTC\n"
	     "gwSchedule: mon-mon 08:00-09:00 UTC",
		"gwSchedule: has one value twice"},
	    {"gwReportOnly: TRUE\ngwReportOnly: TRUE",
		"gwReportOnly: has more"},
	    {"gwNotBefore: 20260101000000Z\ngwNotBefore: 20260101000001Z",
		"gwNotBefore: has more"},
	    {"gwEgress: 192.0.2.1\ngwEgress: 2001:db8::1",
		"gwEgress: has more"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s\n", WHOLE, rows[i].lines);
		assert_refused(text, "cn=r,dc=x: ", rows[i].part);
	}
}

static void
an_attribute_of_ours_that_is_unknown_is_refused(void **state)
{
	static const struct {
		const char *line, *part;
	} rows[] = {
	    {"gwNews: 1", "gwNews: this attribute is unknown"},
	    {"GWports: 80", "GWports: this attribute is unknown"},
	    {"1.2.840.113556.1.8000.2554.65429.33257.44349.21585.37091."
	     "11821051.2452296.2.15: 80",
		"this attribute is unknown"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s%s\n", WHOLE, rows[i].line);
		assert_refused(text, "cn=r,dc=x: ", rows[i].part);
		snprintf(text, sizeof(text), "%sgwEnabled: FALSE\n%s\n", WHOLE,
		    rows[i].line);
		assert_refused(text, "cn=r,dc=x: ", rows[i].part);
	}
	assert_refused(SET "gwDestination: *\ngwAction: deny\n",
	    "cn=s,dc=x: ", "gwAction: this attribute is unknown");
}

static void
times_and_limits_are_read(void **state)
{
	struct ruleset *rules = built(
	    WHOLE "gwReportOnly: TRUE\ngwIndicator: pin\ngwIndicator: otp\n"
		  "gwSchedule: Mon-Fri 08:00-18:00 Europe/Amsterdam\n"
		  "gwSchedule: Sun 10:00-11:00 UTC\n"
		  "gwNotBefore: 19700101000001Z\ngwNotAfter: 19700101000002Z\n"
		  "gwMaxSessions: 3\ngwMaxRate: 1000000000000\n"
		  "gwMaxDuration: 31536000\ngwIdleTimeout: 60\n"
		  "gwEgress: 192.0.2.1\n");
	const struct rule *rule = first_rule(rules);
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(rule->is_report_only);
	assert_int_equal(rule->indicators.count, 2);
	assert_string_equal(rule->indicators.texts[0], "otp");
	assert_int_equal(rule->schedule_count, 2);
	assert_int_equal(rule->schedules[1].days, 0x3e);
	assert_int_equal(rule->schedules[1].start, 480);
	assert_int_equal(rule->schedules[1].end, 1080);
	assert_true(rule->not_before == 1);
	assert_true(rule->not_after == 2);
	assert_true(rule->limits.max_sessions == 3);
	assert_true(rule->limits.max_rate == 1000000000000);
	assert_true(rule->limits.max_duration_s == 31536000);
	assert_true(rule->limits.idle_timeout_s == 60);
	assert_string_equal(
	    address_print(&rule->limits.egress, text), "192.0.2.1");
	ruleset_unref(rules);
}

static void
a_dry_run_may_be_over_and_an_egress_of_ipv6(void **state)
{
	struct ruleset *rules =
	    built(WHOLE "gwReportOnly: FALSE\ngwEgress: 2001:db8::1\n");
	const struct rule *rule = first_rule(rules);
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_false(rule->is_report_only);
	assert_string_equal(
	    address_print(&rule->limits.egress, text), "2001:db8::1");
	ruleset_unref(rules);
}

static void
an_indicator_is_no_longer_than_tickets_carry(void **state)
{
	char text[IDENTITY_INDICATORS_SIZE + 512];

	(void)state;
	snprintf(text, sizeof(text), "%sgwIndicator: %0*d\n", WHOLE,
	    IDENTITY_INDICATORS_SIZE, 0);
	assert_refused(text, "cn=r,dc=x: ", "one word");
	snprintf(text, sizeof(text), "%sgwIndicator: %0*d\n", WHOLE,
	    IDENTITY_INDICATORS_SIZE - 1, 0);
	ruleset_unref(built(text));
}

static void
what_means_nothing_is_refused(void **state)
{
	static const char *const limits[] = {"gwMaxSessions: 1", "gwMaxRate: 1",
	    "gwMaxDuration: 1", "gwIdleTimeout: 1", "gwEgress: 192.0.2.1"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		snprintf(text, sizeof(text),
		    "dn: cn=r\nobjectClass: gwRule\ncn: r\ngwAction: deny\n"
		    "gwDestination: *\n%s\n",
		    limits[i]);
		assert_refused(
		    text, "cn=r: ", "means nothing in a rule that denies");
	}
	assert_refused(WHOLE "gwNotBefore: 20260102000000Z\n"
			     "gwNotAfter: 20260102000000Z\n",
	    "cn=r,dc=x: ", "gwNotAfter: must be after gwNotBefore");
}

static void
what_is_missing_is_named(void **state)
{
	(void)state;
	assert_refused("dn: cn=r,dc=x\nobjectClass: gwRule\ncn: r\n"
		       "gwDestination: *\n",
	    "cn=r,dc=x: ", "gwAction: is required");
	assert_refused("dn: ou=r,dc=x\nobjectClass: gwRule\n"
		       "gwAction: permit\ngwDestination: *\n",
	    "ou=r,dc=x: ", "cn: is required");
	assert_refused(RULE, "cn=r,dc=x: ", "gwDestination: is required");
	assert_refused(SET, "cn=s,dc=x: ", "gwDestination: is required");
	assert_refused("dn: ou=s,dc=x\nobjectClass: gwDestinations\n"
		       "gwDestination: *\n",
	    "ou=s,dc=x: ", "cn: is required");
	assert_refused("dn: cn=r,dc=x\nobjectClass: gwRule\ncn: r\n"
		       "gwAction: maybe\ngwDestination: *\n",
	    "cn=r,dc=x: ", "gwAction: \"maybe\" must be permit or deny");
	assert_refused("dn: cn=r,dc=x\nobjectClass: gwRule\ncn: a\tb\n"
		       "gwAction: deny\ngwDestination: *\n",
	    "cn=r,dc=x: ", "cn: \"a\\x09b\" must be 1 to 128 octets");
	assert_refused(RULE "gwDestinationSet: cn=none,dc=x\n",
	    "cn=r,dc=x: ", "gwDestinationSet: there is no entry cn=none,dc=x");
	assert_refused("dn: r\nobjectClass: gwRule\n",
	    "r: ", "is not a distinguished name");
	assert_refused("dn: s\nobjectClass: gwDestinations\n",
	    "s: ", "is not a distinguished name");
}

static void
a_name_is_at_most_128_octets(void **state)
{
	char text[512], name[130];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[128] = '\0';
	snprintf(text, sizeof(text),
	    "dn: cn=r\nobjectClass: gwRule\ngwAction: deny\n"
	    "gwDestination: *\ncn: %s\n",
	    name);
	ruleset_unref(built(text));
	name[128] = 'n';
	name[129] = '\0';
	snprintf(text, sizeof(text),
	    "dn: cn=r\nobjectClass: gwRule\ngwAction: deny\n"
	    "gwDestination: *\ncn: %s\n",
	    name);
	assert_refused(text, "cn=r: ", "must be 1 to 128 octets");
}

static void
a_value_with_nul_is_refused(void **state)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	struct entry *entry = entry_new("cn=r");
	char why[512];

	(void)state;
	assert_int_equal(entry_add(entry, "objectClass", "gwRule", 6), 0);
	assert_int_equal(entry_add(entry, "gwDestination", "a.x\0.y", 6), 0);
	assert_int_equal(
	    ruleset_builder_add(builder, entry, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "\"a.x\\x00.y\" must be"));
	entry_free(entry);
	ruleset_builder_free(builder);
	ruleset_builder_free(NULL);
}

static void
two_of_one_name_are_refused(void **state)
{
	(void)state;
	assert_refused(WHOLE "\ndn: cn=r,ou=y\nobjectClass: gwRule\ncn: R\n"
			     "gwAction: deny\ngwDestination: *\n",
	    "cn=r,", "cn: has the same name as cn=r,");
	assert_refused(WHOLE "\ndn: CN=R, DC=X\nobjectClass: gwRule\ncn: q\n"
			     "gwAction: deny\ngwDestination: *\n",
	    "", "this entry is there twice");
	assert_refused(SET "gwDestination: *\n\n" SET "gwDestination: *\n",
	    "cn=s,dc=x: ", "this entry is there twice");
}

static void
other_classes_are_ignored(void **state)
{
	struct ruleset *rules = built(
	    "dn: ou=rules,dc=x\nobjectClass: organizationalUnit\nou: rules\n"
	    "\ndn: uid=alice,dc=x\nobjectClass: person\ngwNews: 1\n"
	    "\ndn: uid=bob,dc=x\nuid: bob\n"
	    "\ndn: cn=x\nobjectClass: gwRuleX\nobjectClass: gwRul\n");

	(void)state;
	assert_int_equal(ruleset_count(rules), 0);
	ruleset_unref(rules);
	assert_refused("dn: cn=x\nobjectClass: gwRule\n"
		       "objectClass: gwDestinations\n",
	    "cn=x: ", "is both");
	assert_refused("dn: cn=x\nobjectClass: 1.2.840.113556.1.8000.2554."
		       "65429.33257.44349.21585.37091.11821051.2452296.1.1\n",
	    "cn=x: ", "must be given by its name");
}

static void
rules_are_asked_in_their_order(void **state)
{
#define R(name, rest)                                                          \
	"dn: cn=" name "\nobjectClass: gwRule\ncn: " name                      \
	"\ngwDestination: *\n" rest "\n"
	static const char *const expected[] = {
	    "first", "deny-a", "deny-b", "permit-a", "last", "off"};
	struct ruleset *rules =
	    built(R("last", "gwAction: deny\ngwOrder: 1001\n")
		    R("permit-a", "gwAction: permit\n")
			R("off", "gwAction: deny\ngwOrder: 1\n"
				 "gwEnabled: FALSE\ngwUser: cn=u\n")
			    R("deny-b", "gwAction: deny\ngwOrder: 1000\n")
				R("first", "gwAction: permit\ngwOrder: 9\n")
				    R("deny-a", "gwAction: deny\n"));

	(void)state;
	assert_int_equal(ruleset_count(rules), 5);
	assert_int_equal(rules->rule_count, 6);
	assert_false(ruleset_needs_subject(rules));
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
		assert_string_equal(rules->rules[i]->name, expected[i]);
	ruleset_unref(rules);
#undef R
}

static void
the_last_reference_frees(void **state)
{
	struct ruleset *rules = built(WHOLE);

	(void)state;
	assert_ptr_equal(ruleset_ref(rules), rules);
	ruleset_unref(rules);
	assert_int_equal(ruleset_count(rules), 1);
	ruleset_unref(rules);
	ruleset_unref(NULL);
	rule_free(NULL);
	target_set_free(NULL);
}

static void
a_long_name_leaves_room_for_what_is_wrong(void **state)
{
	char text[4096] = "dn: cn=", why[512];

	(void)state;
	memset(text + 7, 'x', 3000);
	snprintf(text + 3007, sizeof(text) - 3007,
	    "\nobjectClass: gwRule\ncn: a\ngwAction: nothing\n");
	assert_null(rule_text_build(text, why, sizeof(why)));
	assert_non_null(strstr(why, "must be permit or deny"));
}

static void
the_first_of_what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_refused(RULE "gwDestinationSet: cn=s,dc=x\n"
			    "gwDestinationSet: cn=t,dc=x\n\n",
	    "cn=r,dc=x: ", "there is no entry cn=s,dc=x");
}

static void
sets_are_there_by_their_names(void **state)
{
	struct ruleset *rules = built(WHOLE "\n" SET "gwDestination: *\n");

	(void)state;
	assert_string_equal(ruleset_set(rules, 0)->name, "s");
	assert_null(ruleset_set(rules, 1));
	ruleset_unref(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_absent_has_its_default),
	    cmocka_unit_test(every_attribute_is_read),
	    cmocka_unit_test(taken_values_are_taken),
	    cmocka_unit_test(a_bad_value_is_refused_with_what_is_allowed),
	    cmocka_unit_test(a_value_twice_is_refused),
	    cmocka_unit_test(an_attribute_of_ours_that_is_unknown_is_refused),
	    cmocka_unit_test(times_and_limits_are_read),
	    cmocka_unit_test(a_dry_run_may_be_over_and_an_egress_of_ipv6),
	    cmocka_unit_test(an_indicator_is_no_longer_than_tickets_carry),
	    cmocka_unit_test(what_means_nothing_is_refused),
	    cmocka_unit_test(what_is_missing_is_named),
	    cmocka_unit_test(a_name_is_at_most_128_octets),
	    cmocka_unit_test(a_value_with_nul_is_refused),
	    cmocka_unit_test(two_of_one_name_are_refused),
	    cmocka_unit_test(other_classes_are_ignored),
	    cmocka_unit_test(rules_are_asked_in_their_order),
	    cmocka_unit_test(the_last_reference_frees),
	    cmocka_unit_test(a_long_name_leaves_room_for_what_is_wrong),
	    cmocka_unit_test(the_first_of_what_is_wrong_is_said),
	    cmocka_unit_test(sets_are_there_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
