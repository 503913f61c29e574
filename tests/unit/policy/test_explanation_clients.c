/* SPDX-License-Identifier: ISC */
/*
 * Whatever the rules are, by the reference: who asks without saying where the
 * client is hears what holds for every client, or that it depends, and then
 * there are two that differ; and the rule that is said to decide is the one
 * that does.
 *
 * usage: test_explanation_clients [CASES [SEED]]
 */
#include "tests/support/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "policy/explanation.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/random_policy.h"

#define CASES_DEFAULT 5000
#define OF_A_NAME_MAX 3 /* addresses that it resolves to */

/* In each of the networks that rules name, and in none. */
static const char *const clients[] = {"192.0.2.1", "192.0.2.9", "192.0.2.10",
    "192.0.2.11", "198.51.100.1", "2001:db8::1", "2001:db8:ffff::1",
    "203.0.113.1", "::1", "10.0.0.1"};

static struct world world;
static struct question question;
static uint64_t cases = CASES_DEFAULT;
static uint64_t depending, certain, by_name;

/* Does the reference permit that client any of the addresses? */
static bool
is_permitted(const char *client, const struct address *addresses, size_t count)
{
	struct reference_ask ask = question.ask;
	char text[ADDRESS_TEXT_SIZE];

	ask.client = client;
	ask.address = text;
	if (question.request.command == COMMAND_UDP &&
	    strcmp(reference_judge_command(world.entries, world.count, &ask)
		       .reason,
		"ok") != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		(void)address_print(&addresses[i], text);
		if (strcmp(reference_judge(world.entries, world.count, &ask)
			       .reason,
			"ok") == 0)
			return true;
	}
	return false;
}

/* Is the name resolved? */
static bool
needs_addresses(const struct explanation *explanation)
{
	enum explanation_hint hint = HINT_NONE;

	if (!explanation_has_look(explanation))
		return explanation->verdict.decision == DECISION_DEPENDS;
	for (size_t i = 0; i < ruleset_count(world.rules) && hint == HINT_NONE;
	     i++)
		hint =
		    explanation_look(explanation, ruleset_rule(world.rules, i));
	return hint == HINT_RESOLVE;
}

static void
fill(struct explanation *explanation, const struct address *addresses,
    size_t count)
{
	*explanation = (struct explanation){
	    .context = question.context, .request = question.request};
	explanation->request.client = (struct socket_address){.port = 0};
	explanation_begin(explanation);
	if (needs_addresses(explanation))
		explanation_judge(explanation, addresses, count);
	by_name += explanation->addresses[0].address.family == ADDRESS_NONE;
}

/* Asks all rules; each address's decider has to be its verdict's. */
static void
ask_rules(struct explanation *explanation)
{
	struct explanation_bearing bearings[EXPLANATION_ADDRESSES_MAX];
	const char *deciders[EXPLANATION_ADDRESSES_MAX];

	for (size_t i = 0; i < explanation->count; i++)
		deciders[i] = "";
	for (size_t n = 0; n < ruleset_count(world.rules); n++) {
		const struct rule *rule = ruleset_rule(world.rules, n);

		if (!explanation_ask(explanation, rule, bearings))
			break;
		for (size_t i = 0; i < explanation->count; i++)
			if (bearings[i].part >= PART_UNKNOWN)
				deciders[i] = rule->name;
	}
	for (size_t i = 0; i < explanation->count; i++)
		if (explanation->addresses[i].address.family != ADDRESS_NONE)
			assert_string_equal(deciders[i],
			    explanation->addresses[i].verdict.rule);
}

static void
compare_with_clients(
    enum decision decision, const struct address *addresses, size_t count)
{
	unsigned permitted = 0;

	for (size_t i = 0; i < ARRAY_COUNT(clients); i++)
		permitted += is_permitted(clients[i], addresses, count);
	if ((decision == DECISION_PERMIT && permitted < ARRAY_COUNT(clients)) ||
	    (decision == DECISION_DENY && permitted > 0) ||
	    (decision == DECISION_DEPENDS &&
		(permitted == 0 || permitted == ARRAY_COUNT(clients))))
		fail_msg("seed %llu: decision %d, and %u of %zu are "
			 "permitted\n%s",
		    (unsigned long long)random_seed, (int)decision, permitted,
		    ARRAY_COUNT(clients), world.text);
}

static void
ask_one(void)
{
	struct address addresses[OF_A_NAME_MAX];
	size_t count = 1 + random_below(OF_A_NAME_MAX);
	struct explanation explanation;

	random_question(&question, &world);
	for (size_t i = 0; i < count; i++) {
		random_choose_address(&question);
		addresses[i] = question.address;
	}
	if (question.request.destination.kind == ENDPOINT_ADDRESS) {
		addresses[0] = question.request.destination.address;
		count = 1;
	}
	fill(&explanation, addresses, count);
	if (explanation_asks_rules(&explanation)) {
		enum decision decision;

		ask_rules(&explanation);
		decision = explanation_decide(&explanation);
		compare_with_clients(decision, addresses, count);
		if (decision == DECISION_DEPENDS)
			depending++;
		else
			certain++;
	}
	subject_unref(question.subject);
}

static void
what_is_said_holds_for_all_clients_or_two_differ(void **state)
{
	(void)state;
	random_addresses_make();
	for (uint64_t i = 0; i < cases; i++) {
		random_world(&world);
		ask_one();
		ruleset_unref(world.rules);
	}
	(void)printf("%" PRIu64 " certain, %" PRIu64
		     " depend on the client, %" PRIu64 " without an address\n",
	    certain, depending, by_name);
	assert_true(certain > cases / 4);
	assert_true(depending > cases / 100);
	assert_true(by_name > cases / 100);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_said_holds_for_all_clients_or_two_differ),
	};

	if ((argc > 1 && !text_parse_u64(argv[1], 1, UINT64_MAX, &cases)) ||
	    (argc > 2 &&
		!text_parse_u64(argv[2], 0, UINT64_MAX, &random_seed))) {
		(void)fprintf(stderr, "usage: %s [CASES [SEED]]\n", argv[0]);
		return 64;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
