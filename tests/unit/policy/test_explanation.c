/* SPDX-License-Identifier: ISC */
/* What each rule has to do with a decision; see test_judge_differential for
 * that it is what decides. */
#include "tests/support/unit.h"

#include <string.h>

#include "policy/explanation.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

#define R(name, action, rest)                                                  \
	"dn: cn=" name "\nobjectClass: gwRule\ncn: " name                      \
	"\ngwAction: " action "\n" rest "\n\n"

static const struct identity alice = {
    .name = "alice@R", .method = METHOD_GSSAPI};

/* What one test explains; torn down behind it. */
static struct explanation explanation;
static struct ruleset *rules;
static struct subject *subject;

static void
begin(const char *text, const char *host)
{
	char why[512];

	rules = rule_text_build(text, why, sizeof(why));
	if (rules == NULL)
		fail_msg("%s", why);
	explanation = (struct explanation){
	    .context = {.rules = rules},
	    .request = {.identity = &alice,
		.command = COMMAND_CONNECT,
		.listener = "office"},
	};
	assert_true(endpoint_parse(host, &explanation.request.destination));
}

static int
teardown(void **state)
{
	(void)state;
	ruleset_unref(rules);
	subject_unref(subject);
	rules = NULL;
	subject = NULL;
	return 0;
}

static void
resolve(const char *first, const char *second)
{
	struct address addresses[2];

	assert_int_equal(explanation.verdict.decision, DECISION_DEPENDS);
	assert_true(address_parse(first, &addresses[0]));
	assert_true(address_parse(second, &addresses[1]));
	explanation_judge(&explanation, addresses, 2);
}

/* Asks the next rule. */
static void
rule_is(
    size_t n, size_t address, enum explanation_part part, const char *failed)
{
	struct explanation_bearing out[EXPLANATION_ADDRESSES_MAX];
	struct explanation copy = explanation;

	for (size_t i = 0; i <= n; i++)
		(void)explanation_ask(&copy, ruleset_rule(rules, i), out);
	assert_int_equal(out[address].part, part);
	if (failed == NULL)
		assert_null(out[address].failed);
	else
		assert_string_equal(out[address].failed, failed);
}

/* Asks all of them. */
static bool
depends_on_client(void)
{
	struct explanation_bearing out[EXPLANATION_ADDRESSES_MAX];
	size_t i = 0;

	while (i < ruleset_count(rules) &&
	       explanation_ask(&explanation, ruleset_rule(rules, i), out))
		i++;
	return explanation_decide(&explanation) == DECISION_DEPENDS;
}

/* Looks at the rules as long as it takes. */
static bool
needs_addresses(void)
{
	enum explanation_hint hint = HINT_NONE;

	if (!explanation_has_look(&explanation))
		return explanation.verdict.decision == DECISION_DEPENDS;
	for (size_t i = 0; i < ruleset_count(rules) && hint == HINT_NONE; i++)
		hint = explanation_look(&explanation, ruleset_rule(rules, i));
	return hint == HINT_RESOLVE;
}

static void
each_address_has_its_own_story(void **state)
{
	(void)state;
	begin(R("no", "deny", "gwDestination: 192.0.2.1") R("dry", "deny",
		  "gwReportOnly: TRUE\ngwDestination: 192.0.2.0/24")
		  R("port", "permit", "gwDestination: *\ngwPort: 1")
		      R("web", "permit", "gwDestination: *"),
	    "www.example.com:443");
	explanation_begin(&explanation);
	resolve("192.0.2.1", "192.0.2.2");
	assert_int_equal(explanation.verdict.decision, DECISION_PERMIT);
	assert_string_equal(explanation.verdict.rule, "web");
	assert_int_equal(
	    explanation.addresses[0].verdict.decision, DECISION_DENY);
	assert_true(explanation_asks_rules(&explanation));
	/* By their order: at the same one denials come first. */
	rule_is(0, 0, PART_REPORTS, NULL);
	rule_is(0, 1, PART_REPORTS, NULL);
	rule_is(1, 0, PART_DENIES, NULL);
	rule_is(1, 1, PART_FAILS, "gwDestination");
	rule_is(2, 0, PART_NOT_ASKED, NULL);
	rule_is(2, 1, PART_FAILS, "gwPort");
	rule_is(3, 1, PART_PERMITS, NULL);
	assert_false(depends_on_client());
}

static void
without_an_address_the_name_is_asked_about(void **state)
{
	(void)state;
	begin(R("net", "deny", "gwOrder: 1\ngwDestination: 192.0.2.0/24")
		  R("port", "permit",
		      "gwOrder: 2\ngwPort: 1\n"
		      "gwDestination: 192.0.2.0/24") R("bob", "permit",
		      "gwOrder: 3\ngwPrincipal: bob@R\n"
		      "gwDestination: 192.0.2.0/24")
		      R("no", "deny", "gwDestination: www.example.com"),
	    "www.example.com:443");
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.decision, DECISION_DENY);
	assert_int_equal(explanation.count, 1);
	assert_int_equal(explanation.addresses[0].address.family, ADDRESS_NONE);
	rule_is(0, 0, PART_NEEDS_ADDRESS, "gwDestination");
	rule_is(1, 0, PART_FAILS, "gwDestination");
	rule_is(2, 0, PART_FAILS, "gwPrincipal");
	rule_is(3, 0, PART_DENIES, NULL);
}

static void
a_rule_without_networks_needs_no_address(void **state)
{
	(void)state;
	begin(R("other", "permit", "gwOrder: 1\ngwDestination: other.example")
		  R("port", "permit",
		      "gwPort: 1\n"
		      "gwDestination: www.example.com"),
	    "www.example.com:443");
	explanation_begin(&explanation);
	rule_is(0, 0, PART_FAILS, "gwDestination");
	rule_is(1, 0, PART_FAILS, "gwPort");
	assert_false(depends_on_client());
}

static void
special_addresses_are_closed(void **state)
{
	(void)state;
	begin(R("web", "permit", "gwDestination: *"), "127.0.0.1:443");
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.reason, REASON_DENIED_SPECIAL);
	rule_is(0, 0, PART_CLOSED, NULL);
}

static void
groups_that_are_not_known_deny(void **state)
{
	(void)state;
	begin(R("web", "permit", "gwGroup: cn=staff\ngwDestination: *"),
	    "192.0.2.1:443");
	explanation_begin(&explanation);
	assert_int_equal(
	    explanation.verdict.reason, REASON_DIRECTORY_UNAVAILABLE);
	assert_true(explanation_asks_rules(&explanation));
	rule_is(0, 0, PART_UNKNOWN, NULL);
}

static void
what_is_denied_whatever_the_rules_say_asks_none(void **state)
{
	(void)state;
	begin(R("web", "permit", "gwDestination: *"), "192.0.2.1:443");
	subject = subject_new("uid=alice");
	assert_non_null(subject);
	assert_false(explanation_asks_rules(&explanation)); /* not begun */
	subject->is_disabled = true;
	explanation.context.subject = subject;
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.reason, REASON_ACCOUNT_DISABLED);
	assert_false(explanation_asks_rules(&explanation));
	explanation.context.subject = NULL;
	explanation.context.checks_accounts = true;
	explanation_begin(&explanation);
	assert_int_equal(
	    explanation.verdict.reason, REASON_DIRECTORY_UNAVAILABLE);
	assert_false(explanation_asks_rules(&explanation));
	explanation.context.rules = NULL;
	explanation_begin(&explanation);
	assert_false(explanation_asks_rules(&explanation));
}

static void
an_association_may_be_denied_as_a_whole(void **state)
{
	(void)state;
	begin(R("web", "permit", "gwDestination: *"), "192.0.2.1:443");
	explanation.request.command = COMMAND_UDP;
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.reason, REASON_DENIED_NO_RULE);
	rule_is(0, 0, PART_FAILS, "gwCommand");
	(void)teardown(NULL);
	begin(R("web", "permit", "gwCommand: udp\ngwDestination: 192.0.2.2"),
	    "192.0.2.2:443");
	explanation.request.command = COMMAND_UDP;
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.decision, DECISION_PERMIT);
	/* It may be, but not go there. */
	assert_true(
	    endpoint_parse("192.0.2.1:443", &explanation.request.destination));
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.reason, REASON_DENIED_NO_RULE);
	rule_is(0, 0, PART_FAILS, "gwDestination");
}

/* The question says no client. */
static void
rules_about_clients_may_decide(void **state)
{
	static const struct {
		const char *rules, *host;
		bool depends;
	} rows[] = {
	    {R("in", "permit", "gwClient: 192.0.2.0/24\ngwDestination: *"),
		"198.51.100.1:443", true},
	    /* It fails for other reasons as well. */
	    {R("in", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: 203.0.113.1"),
		"198.51.100.1:443", false},
	    /* It would not decide. */
	    {R("in", "permit",
		 "gwClient: 192.0.2.0/24\ngwReportOnly: TRUE\n"
		 "gwDestination: *"),
		"198.51.100.1:443", false},
	    {R("in", "permit", "gwClient: 192.0.2.0/24\ngwDestination: *"),
		"127.0.0.1:443", false},
	    /* What it would decide is decided anyway. */
	    {R("in", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: *\n"
		 "gwOrder: 1") R("all", "permit", "gwDestination: *"),
		"198.51.100.1:443", false},
	    {R("out", "deny",
		 "gwClient: 192.0.2.0/24\ngwDestination: *\n"
		 "gwOrder: 1") R("all", "permit", "gwDestination: *"),
		"198.51.100.1:443", true},
	    {R("who", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: *\n"
		 "gwGroup: cn=staff\ngwOrder: 1")
		    R("all", "permit", "gwDestination: *"),
		"198.51.100.1:443", true},
	    /* No other rule permits it to those that this one denies. */
	    {R("no", "deny",
		 "gwClient: 192.0.2.0/24\ngwDestination: *\n"
		 "gwOrder: 1") R("yes", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: *"),
		"198.51.100.1:443", false},
	    /* But to some of them. */
	    {R("no", "deny",
		 "gwClient: 192.0.2.0/25\ngwDestination: *\n"
		 "gwOrder: 1") R("yes", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: *"),
		"198.51.100.1:443", true},
	    /* To nobody, since both halves have been denied. */
	    {R("low", "deny",
		 "gwClient: 192.0.2.0/25\ngwDestination: *\n"
		 "gwOrder: 1") R("high", "deny",
		 "gwClient: 192.0.2.128/25\ngwDestination: *\n"
		 "gwOrder: 1") R("yes", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: *"),
		"198.51.100.1:443", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		begin(rows[i].rules, rows[i].host);
		explanation_begin(&explanation);
		if (depends_on_client() != rows[i].depends)
			fail_msg("%s%s", rows[i].rules, rows[i].host);
		(void)teardown(NULL);
	}
	/* Where the client is said, nothing depends on it. */
	begin(rows[0].rules, rows[0].host);
	assert_true(
	    address_parse("203.0.113.7", &explanation.request.client.address));
	explanation_begin(&explanation);
	rule_is(0, 0, PART_FAILS, "gwClient");
	assert_false(depends_on_client());
}

static void
every_client_may_be_one_that_rules_name(void **state)
{
	(void)state;
	begin(R("in", "permit",
		  "gwClient: 0.0.0.0/0\ngwClient: ::/0\n"
		  "gwDestination: *"),
	    "198.51.100.1:443");
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.decision, DECISION_DENY);
	assert_false(depends_on_client());
	assert_int_equal(explanation.verdict.decision, DECISION_PERMIT);
	assert_string_equal(explanation.verdict.rule, "in");
}

static void
our_own_port_is_permitted_to_no_client(void **state)
{
	static const uint16_t port = 443;
	struct address here;
	struct own_addresses own = {
	    .count = 1, .addresses = &here, .port_count = 1, .ports = &port};

	(void)state;
	assert_true(address_parse("198.51.100.1", &here));
	begin(R("in", "permit",
		  "gwClient: 192.0.2.0/24\ngwDestination: 198.51.100.1/32"),
	    "198.51.100.1:443");
	explanation.context.own = &own;
	explanation_begin(&explanation);
	rule_is(0, 0, PART_NEEDS_CLIENT, "gwClient");
	assert_false(depends_on_client());
	assert_int_equal(explanation.verdict.decision, DECISION_DENY);
}

/* Denied to whom no rule names: is it worth a query? */
static void
a_name_is_resolved_if_an_address_could_be_permitted_to_some(void **state)
{
	static const struct {
		const char *rules;
		bool needs;
	} rows[] = {
	    {R("in", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: 198.51.100.1"),
		true},
	    {R("in", "permit",
		 "gwClient: 192.0.2.0/24\ngwDestination: www.example.com"),
		true},
	    {R("out", "deny",
		 "gwClient: 192.0.2.0/24\ngwDestination: 198.51.100.1"),
		false},
	    {R("dry", "permit",
		 "gwClient: 192.0.2.0/24\ngwReportOnly: TRUE\n"
		 "gwDestination: 198.51.100.1"),
		false},
	    {R("who", "permit",
		 "gwClient: 192.0.2.0/24\ngwPrincipal: bob@R\n"
		 "gwDestination: 198.51.100.1"),
		false},
	    {R("no", "deny", "gwDestination: www.example.com\ngwOrder: 1") R(
		 "in", "permit", "gwClient: 192.0.2.0/24\ngwDestination: *"),
		false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		begin(rows[i].rules, "www.example.com:443");
		explanation_begin(&explanation);
		assert_int_equal(explanation.verdict.decision, DECISION_DENY);
		if (needs_addresses() != rows[i].needs)
			fail_msg("%s", rows[i].rules);
		/* Where the client is said it is a session's question. */
		assert_true(address_parse(
		    "203.0.113.7", &explanation.request.client.address));
		assert_false(explanation_has_look(&explanation));
		(void)teardown(NULL);
	}
}

static void
resolved_for_some_it_may_be_denied_to_all(void **state)
{
	struct address address;

	(void)state;
	begin(R("in", "permit",
		  "gwClient: 192.0.2.0/24\ngwDestination: 198.51.100.1"),
	    "www.example.com:443");
	explanation_begin(&explanation);
	assert_true(needs_addresses());
	assert_true(address_parse("203.0.113.1", &address));
	explanation_judge(&explanation, &address, 1);
	rule_is(0, 0, PART_FAILS, "gwDestination");
	assert_false(depends_on_client());
	assert_true(address_parse("198.51.100.1", &address));
	explanation.addresses[0].is_over = false;
	explanation_judge(&explanation, &address, 1);
	rule_is(0, 0, PART_NEEDS_CLIENT, "gwClient");
	assert_true(depends_on_client());
}

static void
a_name_without_an_address_is_asked_about_as_a_name(void **state)
{
	(void)state;
	begin(R("net", "deny", "gwOrder: 1\ngwDestination: 192.0.2.0/24")
		  R("web", "permit", "gwDestination: www.example.com"),
	    "www.example.com:443");
	explanation_begin(&explanation);
	assert_int_equal(explanation.verdict.decision, DECISION_DEPENDS);
	explanation_unresolved(&explanation, REASON_NAME_UNKNOWN);
	assert_int_equal(explanation.verdict.reason, REASON_NAME_UNKNOWN);
	assert_true(explanation_asks_rules(&explanation));
	rule_is(0, 0, PART_NEEDS_ADDRESS, "gwDestination");
	rule_is(1, 0, PART_PERMITS, NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_address_has_its_own_story),
	    TEST(without_an_address_the_name_is_asked_about),
	    TEST(a_rule_without_networks_needs_no_address),
	    TEST(special_addresses_are_closed),
	    TEST(groups_that_are_not_known_deny),
	    TEST(what_is_denied_whatever_the_rules_say_asks_none),
	    TEST(an_association_may_be_denied_as_a_whole),
	    TEST(rules_about_clients_may_decide),
	    TEST(every_client_may_be_one_that_rules_name),
	    TEST(our_own_port_is_permitted_to_no_client),
	    TEST(a_name_is_resolved_if_an_address_could_be_permitted_to_some),
	    TEST(resolved_for_some_it_may_be_denied_to_all),
	    TEST(a_name_without_an_address_is_asked_about_as_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
