/* SPDX-License-Identifier: ISC */
/* Decisions on record, judged again. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "ctl/retrial.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

static struct retrial_world world;
static struct address today[AUDIT_ADDRESSES_MAX];
static size_t today_count;

static void
use(const char *text)
{
	char why[512];
	struct ruleset *rules = rule_text_build(text, why, sizeof(why));

	if (rules == NULL)
		fail_msg("%s", why);
	world = (struct retrial_world){.context = {.rules = rules}};
}

static int
teardown(void **state)
{
	(void)state;
	ruleset_unref((struct ruleset *)(uintptr_t)world.context.rules);
	world = (struct retrial_world){.resolve = NULL};
	return 0;
}

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

/* Of Tuesday 2026-11-24 09:30 UTC. */
static struct audit_record
record_to(const char *destination)
{
	struct audit_record record = {
	    .event = AUDIT_DECISION,
	    .time_us = 1795512600000000,
	    .identity = "alice@R",
	    .has_method = true,
	    .method = METHOD_GSSAPI,
	    .mechanism = "krb5",
	    .has_protection = true,
	    .protection = PROTECTION_CONFIDENTIALITY,
	    .client = {.address = address("192.0.2.7"), .port = 1},
	    .listener = "office",
	    .command = COMMAND_CONNECT,
	    .has_destination = true,
	    .rule = "web",
	};

	assert_true(endpoint_parse(destination, &record.destination));
	return record;
}

static struct retrial
judge(const struct audit_record *record)
{
	return retrial_judge(&world, record);
}

#define RULE(name, action, rest)                                               \
	"dn: cn=" name "\nobjectClass: gwRule\ncn: " name                      \
	"\ngwAction: " action "\n" rest "\n\n"

static void
what_is_still_so_is_no_change(void **state)
{
	struct audit_record record = record_to("192.0.2.80:443");
	struct retrial retrial;

	(void)state;
	use(RULE("web", "permit", "gwDestination: 192.0.2.0/24"));
	retrial = judge(&record);
	assert_int_equal(retrial.kind, RETRIAL_SAME);
	assert_true(
	    address_is_equal(&retrial.address, &record.destination.address));
}

static void
another_decision_or_another_rule_is_one(void **state)
{
	struct audit_record record = record_to("192.0.2.80:443");

	(void)state;
	use(RULE("all", "permit", "gwDestination: 192.0.2.0/24"));
	assert_int_equal(judge(&record).kind, RETRIAL_OTHER_RULE);
	record.reason = REASON_DENIED_NO_RULE;
	record.rule[0] = '\0';
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
	record = record_to("192.0.3.80:443");
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
	assert_int_equal(judge(&record).verdict.reason, REASON_DENIED_NO_RULE);
}

static void
everything_that_rules_ask_for_is_of_the_record(void **state)
{
	static const struct {
		const char *condition;
		bool holds;
	} rows[] = {
	    {"gwPrincipal: alice@R", true},
	    {"gwPrincipal: bob@R", false},
	    {"gwClient: 192.0.2.7", true},
	    {"gwClient: 192.0.2.8", false},
	    {"gwListener: office", true},
	    {"gwListener: vpn", false},
	    {"gwMethod: gssapi", true},
	    {"gwMethod: password", false},
	    {"gwProtection: confidentiality", true},
	    {"gwIndicator: otp", true},
	    {"gwIndicator: pkinit", false},
	    {"gwCommand: bind", false},
	    {"gwPort: 443", true},
	    {"gwPort: 80", false},
	    {"gwSchedule: Tue 09:00-10:00 UTC", true},
	    {"gwSchedule: Tue 10:00-11:00 UTC", false},
	    {"gwNotAfter: 20261124093001Z", true},
	    {"gwNotAfter: 20261124093000Z", false},
	};
	struct audit_record record = record_to("192.0.2.80:443");
	char text[256];

	(void)state;
	memcpy(record.indicators, "otp hardened", 13);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text),
		    RULE("web", "permit", "gwDestination: 192.0.2.0/24\n%s"),
		    rows[i].condition);
		use(text);
		if ((judge(&record).kind == RETRIAL_SAME) != rows[i].holds)
			fail_msg("%s", rows[i].condition);
		(void)teardown(NULL);
	}
	record.protection = PROTECTION_INTEGRITY;
	use(RULE("web", "permit",
	    "gwDestination: 192.0.2.0/24\ngwProtection: confidentiality"));
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
}

static size_t
resolve(void *arg, const char *name, struct address out[AUDIT_ADDRESSES_MAX])
{
	(void)arg;
	assert_string_equal(name, "www.example.com");
	memcpy(out, today, today_count * sizeof(*out));
	return today_count;
}

static void
a_name_is_judged_by_the_addresses_it_had(void **state)
{
	struct audit_record record = record_to("www.example.com:443");
	struct retrial retrial;

	(void)state;
	use(RULE("web", "permit", "gwDestination: 192.0.2.0/24"));
	record.address_count = 2;
	record.addresses[0] = address("198.51.100.1");
	record.addresses[1] = address("192.0.2.80");
	retrial = judge(&record);
	assert_int_equal(retrial.kind, RETRIAL_SAME);
	assert_true(address_is_equal(&retrial.address, &record.addresses[1]));
	/* Of none that is permitted the first speaks. */
	record.addresses[1] = address("198.51.100.2");
	retrial = judge(&record);
	assert_int_equal(retrial.kind, RETRIAL_OTHERWISE);
	assert_true(address_is_equal(&retrial.address, &record.addresses[0]));
}

static void
addresses_that_are_not_on_record_are_those_of_today(void **state)
{
	struct audit_record record = record_to("www.example.com:443");

	(void)state;
	use(RULE("web", "permit", "gwDestination: 192.0.2.0/24"));
	record.reason = REASON_DENIED_NO_RULE;
	record.rule[0] = '\0';
	assert_int_equal(judge(&record).kind, RETRIAL_NOT);
	assert_string_equal(
	    judge(&record).why, "the name's addresses are not on record");
	world.resolve = resolve;
	today_count = 0;
	assert_int_equal(judge(&record).kind, RETRIAL_NOT);
	today[0] = address("192.0.2.80");
	today_count = 1;
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
}

static void
a_name_that_is_denied_needs_no_address(void **state)
{
	struct audit_record record = record_to("www.example.com:443");

	(void)state;
	use(RULE("no", "deny", "gwDestination: www.example.com"));
	record.reason = REASON_DENIED_NO_RULE;
	record.rule[0] = '\0';
	assert_int_equal(judge(&record).kind, RETRIAL_OTHER_RULE);
	(void)teardown(NULL);
	use(RULE("web", "permit", "gwDestination: other.example"));
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
}

static void
what_was_not_decided_by_rules_is_not_judged(void **state)
{
	struct audit_record record = record_to("192.0.2.80:443");
	size_t judged = 0;

	(void)state;
	use(RULE("web", "permit", "gwDestination: *"));
	for (int reason = 0; reason < REASON_COUNT; reason++) {
		struct retrial retrial;

		record.reason = (enum reason)reason;
		retrial = judge(&record);
		judged += retrial.kind != RETRIAL_NOT;
		if (retrial.kind == RETRIAL_NOT) {
			assert_false(retrial.is_about_rules);
			assert_string_equal(
			    retrial.why, reason_sentence((enum reason)reason));
		}
	}
	assert_int_equal(judged, 6);
}

/* What a silent directory denied is no change of the rules that are tried:
 * they would have been denied it, too. */
static void
an_outage_is_no_change(void **state)
{
	static const enum reason outages[] = {
	    REASON_POLICY_UNAVAILABLE, REASON_DIRECTORY_UNAVAILABLE};
	struct audit_record record = record_to("192.0.2.80:443");

	(void)state;
	use(RULE("web", "permit", "gwDestination: *"));
	for (size_t i = 0; i < ARRAY_COUNT(outages); i++) {
		struct retrial retrial;

		record.reason = outages[i];
		assert_false(retrial_is_about_rules(&record));
		retrial = judge(&record);
		assert_int_equal(retrial.kind, RETRIAL_NOT);
		assert_false(retrial.is_about_rules);
		assert_string_equal(retrial.why, reason_sentence(outages[i]));
	}
}

static void
a_record_that_lacks_something_says_what(void **state)
{
	const struct audit_record whole = record_to("192.0.2.80:443");
	struct audit_record records[9];
	static const char *const lacks[] = {"time", "identity", "identity",
	    "method", "method", "protection", "client", "listener", "command"};

	(void)state;
	use(RULE("web", "permit", "gwDestination: *"));
	for (size_t i = 0; i < ARRAY_COUNT(records); i++)
		records[i] = whole;
	records[0].time_us = 0;
	records[1].identity[0] = '\0';
	records[2].is_claimed = true;
	records[3].has_method = false;
	records[4].method = METHOD_NONE;
	records[5].has_protection = false;
	records[6].client.address.family = ADDRESS_NONE;
	records[7].listener[0] = '\0';
	records[8].command = 4;
	for (size_t i = 0; i < ARRAY_COUNT(records); i++) {
		struct retrial retrial = judge(&records[i]);

		assert_int_equal(retrial.kind, RETRIAL_NOT);
		assert_true(retrial.is_about_rules);
		assert_non_null(strstr(retrial.why, lacks[i]));
	}
	records[0] = whole;
	records[0].has_destination = false;
	assert_int_equal(judge(&records[0]).kind, RETRIAL_NOT);
}

static void
groups_that_are_not_known_are_not_guessed(void **state)
{
	struct audit_record record = record_to("192.0.2.80:443");
	struct audit_record named = record_to("www.example.com:443");
	struct subject *subject = subject_new("uid=alice");

	(void)state;
	use(RULE("web", "permit", "gwOrder: 1\ngwDestination: 192.0.2.80") RULE(
	    "vpn", "permit", "gwDestination: 192.0.2.0/24\ngwGroup: cn=staff"));
	/* The first rule decides, whoever it is. */
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	record.destination.address = address("192.0.2.81");
	assert_int_equal(judge(&record).kind, RETRIAL_NOT);
	assert_non_null(strstr(judge(&record).why, "group"));
	/* The same of a name's addresses; without them it is not known. */
	assert_int_equal(judge(&named).kind, RETRIAL_NOT);
	named.address_count = 1;
	named.addresses[0] = address("192.0.2.80");
	assert_int_equal(judge(&named).kind, RETRIAL_SAME);
	named.addresses[0] = address("192.0.2.81");
	assert_int_equal(judge(&named).kind, RETRIAL_NOT);
	/* Known, and in none. */
	assert_non_null(subject);
	world.context.subject = subject;
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
	assert_int_equal(judge(&named).kind, RETRIAL_OTHERWISE);
	subject_unref(subject);
}

static void
accounts_that_are_not_known_are_not_guessed(void **state)
{
	struct audit_record record = record_to("192.0.2.80:443");
	struct subject *subject = subject_new("uid=alice");

	(void)state;
	use(RULE("web", "permit", "gwDestination: *"));
	world.context.checks_accounts = true;
	assert_int_equal(judge(&record).kind, RETRIAL_NOT);
	assert_non_null(subject);
	world.context.subject = subject;
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	subject->is_disabled = true;
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
	assert_int_equal(
	    judge(&record).verdict.reason, REASON_ACCOUNT_DISABLED);
	subject_unref(subject);
}

static void
an_association_is_judged_as_one(void **state)
{
	struct audit_record record = record_to("192.0.2.7:5000");

	(void)state;
	use(RULE(
	    "web", "permit", "gwCommand: udp\ngwDestination: 198.51.100.0/24"));
	record.command = COMMAND_UDP;
	/* Where it sends from, which no rule is about. */
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	record.has_destination = false;
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	record = record_to("a.example:5000");
	record.command = COMMAND_UDP;
	record.asked_len = 1;
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	/* One of its destinations. */
	record = record_to("192.0.2.8:53");
	record.command = COMMAND_UDP;
	assert_int_equal(judge(&record).kind, RETRIAL_OTHERWISE);
	record = record_to("198.51.100.8:53");
	record.command = COMMAND_UDP;
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
}

static void
datagrams_are_judged_by_where_they_went(void **state)
{
	struct audit_record record = record_to("www.example.com:53");
	struct retrial retrial;

	(void)state;
	use(RULE("first", "permit",
	    "gwCommand: udp\ngwDestination: 198.51.100.1") RULE("web", "permit",
	    "gwCommand: udp\ngwDestination: 198.51.100.2"));
	record.command = COMMAND_UDP;
	record.dialled.address = address("198.51.100.2");
	record.dialled.port = 53;
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	record.address_count = 3;
	record.addresses[0] = address("198.51.100.1");
	record.addresses[1] = address("198.51.100.2");
	record.addresses[2] = address("198.51.100.3");
	assert_int_equal(judge(&record).kind, RETRIAL_SAME);
	/* Of none that is permitted the first speaks, as for a stream. */
	record.addresses[0] = record.addresses[1] = address("192.0.2.1");
	retrial = judge(&record);
	assert_int_equal(retrial.kind, RETRIAL_OTHERWISE);
	assert_true(address_is_equal(&retrial.address, &record.addresses[0]));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_still_so_is_no_change),
	    TEST(another_decision_or_another_rule_is_one),
	    TEST(everything_that_rules_ask_for_is_of_the_record),
	    TEST(a_name_is_judged_by_the_addresses_it_had),
	    TEST(addresses_that_are_not_on_record_are_those_of_today),
	    TEST(a_name_that_is_denied_needs_no_address),
	    TEST(what_was_not_decided_by_rules_is_not_judged),
	    TEST(an_outage_is_no_change),
	    TEST(a_record_that_lacks_something_says_what),
	    TEST(groups_that_are_not_known_are_not_guessed),
	    TEST(accounts_that_are_not_known_are_not_guessed),
	    TEST(an_association_is_judged_as_one),
	    TEST(datagrams_are_judged_by_where_they_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
