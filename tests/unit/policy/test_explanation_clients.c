/* SPDX-License-Identifier: ISC */
/*
 * Whatever the rules are: who asks without saying where the client is hears
 * what holds for every client, or that it depends; and the rule that is said
 * to decide is the one that does.
 */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "policy/explanation.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/random_policy.h"

#define CASES	      5000
#define OF_A_NAME_MAX 3 /* addresses that it resolves to */

/* In each of the networks that rules name, and in none. */
static const char *const clients[] = {"192.0.2.1", "192.0.2.9", "192.0.2.10",
    "192.0.2.11", "198.51.100.1", "2001:db8::1", "2001:db8:ffff::1",
    "203.0.113.1", "::1", "10.0.0.1"};

static struct world world;
static struct question question;
static unsigned depending, certain, by_name;

/* What a session gets, from the name to the addresses. */
static struct verdict
judge(const struct request *request, const struct address *addresses,
    size_t count)
{
	struct address permitted[OF_A_NAME_MAX];
	size_t permitted_count;
	struct verdict verdict;

	if (request->command == COMMAND_UDP) {
		verdict = judge_command(&question.context, request);
		if (verdict.decision == DECISION_DENY)
			return verdict;
	}
	verdict = judge_request(&question.context, request);
	return verdict.decision == DECISION_DEPENDS
		   ? judge_addresses(&question.context, request, addresses,
			 count, permitted, &permitted_count)
		   : verdict;
}

static void
fill(struct explanation *explanation, const struct address *addresses,
    size_t count)
{
	*explanation = (struct explanation){
	    .context = question.context, .request = question.request};
	explanation->request.client = (struct socket_address){.port = 0};
	explanation_begin(explanation);
	if (explanation->verdict.decision == DECISION_DEPENDS)
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
compare_with_clients(const struct explanation *explanation,
    const struct address *addresses, size_t count)
{
	struct request request = explanation->request;

	for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
		struct verdict verdict;

		assert_true(address_parse(clients[i], &request.client.address));
		verdict = judge(&request, addresses, count);
		if ((verdict.decision == DECISION_PERMIT) !=
		    (explanation->verdict.decision == DECISION_PERMIT))
			fail_msg("seed %llu: %s decides for %s\n%s",
			    (unsigned long long)random_seed, verdict.rule,
			    clients[i], world.text);
	}
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
		ask_rules(&explanation);
		if (explanation_depends_on_client(&explanation)) {
			depending++;
		} else {
			compare_with_clients(&explanation, addresses, count);
			certain++;
		}
	}
	subject_unref(question.subject);
}

static void
what_is_certain_holds_for_every_client(void **state)
{
	(void)state;
	random_addresses_make();
	for (unsigned i = 0; i < CASES; i++) {
		random_world(&world);
		ask_one();
		ruleset_unref(world.rules);
	}
	(void)printf("%u certain, %u depend on the client, %u without an "
		     "address\n",
	    certain, depending, by_name);
	assert_true(certain > CASES / 4);
	assert_true(depending > CASES / 100);
	assert_true(by_name > CASES / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_certain_holds_for_every_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
