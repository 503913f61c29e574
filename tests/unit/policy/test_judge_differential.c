/* SPDX-License-Identifier: ISC */
/* Random rule sets and requests on which judge and reference agree. */
/*
 * What is said by name must be what would be said of every address.
 *
 * usage: test_judge_differential [CASES [SEED]]
 */
#include "tests/support/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "policy/explanation.h"
#include "policy/judge.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/random_policy.h"

#define CASES_DEFAULT 30000

static uint64_t cases = CASES_DEFAULT, asks_per_set = 50;
static uint64_t permitted, failures;
static uint64_t explanations, by_name;

static void
explain_difference(const struct world *world, const struct question *question,
    const struct verdict *verdict, const char *expected,
    const char *expected_rule)
{
	const struct reference_ask *ask = &question->ask;

	printf("%s%s %s by %s from %s on %s, protection %d, subject %s (%s "
	       "%s) to %s at %s port %u\nis: %s %s\nnot: %s %s\n",
	    world->text, ask->principal == NULL ? "-" : ask->principal,
	    ask->command, ask->method, ask->client, ask->listener,
	    ask->protection, ask->subject_dn == NULL ? "-" : ask->subject_dn,
	    ask->groups[0] == NULL ? "-" : ask->groups[0],
	    ask->groups[0] == NULL || ask->groups[1] == NULL ? "-"
							     : ask->groups[1],
	    ask->host == NULL ? "-" : ask->host, ask->address, ask->port,
	    reason_name(verdict->reason), verdict->rule, expected,
	    expected_rule);
	fail();
}

/* While a verdict is valid nothing else is decided. */
static void
compare_until(const struct world *world, const struct question *question,
    const struct verdict *verdict)
{
	struct question later = *question;
	uint64_t until_us = verdict->valid_until_us;
	struct reference_verdict expected;

	assert_true(until_us > question->request.time_us);
	if (until_us == UINT64_MAX || random_one_in(2))
		until_us = question->request.time_us + 60000000;
	if (until_us > verdict->valid_until_us)
		until_us = verdict->valid_until_us;
	later.ask.now = (int64_t)((until_us - 1) / 1000000);
	expected = reference_judge(world->entries, world->count, &later.ask);
	if (strcmp(reason_name(verdict->reason), expected.reason) != 0 ||
	    strcmp(verdict->rule, expected.rule) != 0)
		explain_difference(
		    world, &later, verdict, "not so long", expected.rule);
}

/* ---- what explain says, from policy/explanation */

/* An explanation and, for each of its addresses, what the reference says. */
struct explained {
	const struct world *world;
	const struct question *question;
	struct explanation explanation;
	char texts[EXPLANATION_ADDRESSES_MAX][ADDRESS_TEXT_SIZE];
	struct reference_verdict expected[EXPLANATION_ADDRESSES_MAX];
	/* Of the rules so far the one that decided, "" if none. */
	const char *deciders[EXPLANATION_ADDRESSES_MAX];
};

static _Noreturn void
object(const struct explained *explained, const struct verdict *verdict,
    const char *expected, const char *rule)
{
	for (size_t i = 0; i < explained->explanation.count; i++)
		printf("address %s: %s %s\n", explained->texts[i],
		    reason_name(
			explained->explanation.addresses[i].verdict.reason),
		    explained->explanation.addresses[i].verdict.rule);
	explain_difference(
	    explained->world, explained->question, verdict, expected, rule);
	abort();
}

/* The question, about one of the addresses. */
static struct reference_ask
ask_about(const struct explained *explained, size_t i)
{
	struct reference_ask ask = explained->question->ask;

	if (explained->explanation.addresses[i].address.family != ADDRESS_NONE)
		ask.address = explained->texts[i];
	return ask;
}

static bool
is_about_a_name(const struct explained *explained, size_t i)
{
	return explained->explanation.addresses[i].address.family ==
	       ADDRESS_NONE;
}

/* What is said to have failed has.  Where no address is known, whether a
 * destination or a port fits is not asked of the reference. */
static void
compare_failure(struct explained *explained, size_t i, const struct rule *rule,
    const char *failed)
{
	const struct world *world = explained->world;
	struct reference_ask ask = ask_about(explained, i);

	if (is_about_a_name(explained, i) &&
	    (strcmp(failed, "gwDestination") == 0 ||
		strcmp(failed, "gwPort") == 0))
		return;
	if (!reference_fails(
		world->entries, world->count, rule->name, failed, &ask))
		object(explained, &explained->explanation.addresses[i].verdict,
		    failed, rule->name);
	failures++;
}

static void
compare_part(struct explained *explained, size_t i, const struct rule *rule,
    const struct explanation_bearing *bearing)
{
	const struct verdict *verdict =
	    &explained->explanation.addresses[i].verdict;

	switch (bearing->part) {
	case PART_FAILS:
		compare_failure(explained, i, rule, bearing->failed);
		return;
	case PART_NEEDS_ADDRESS:
		assert_true(is_about_a_name(explained, i));
		return;
	case PART_NOT_ASKED:
	case PART_REPORTS:
	case PART_CLOSED:
		return;
	case PART_NEEDS_CLIENT:
		object(explained, verdict, "the client is known", rule->name);
	case PART_UNKNOWN:
	case PART_DENIES:
	case PART_PERMITS:
		break;
	}
	assert_string_equal(explained->deciders[i], "");
	explained->deciders[i] = rule->name;
	if (is_about_a_name(explained, i))
		return;
	if ((bearing->part == PART_PERMITS) !=
		(verdict->decision == DECISION_PERMIT) ||
	    (bearing->part == PART_UNKNOWN) !=
		(verdict->reason == REASON_DIRECTORY_UNAVAILABLE))
		object(explained, verdict, "explained by", rule->name);
}

/* The rules, one by one: the first that is said to have decided has, and
 * each before it fails for what is said. */
static void
compare_rules(struct explained *explained)
{
	struct explanation_bearing bearings[EXPLANATION_ADDRESSES_MAX];
	struct explanation *explanation = &explained->explanation;
	const struct rule *rule;

	assert_true(explanation_asks_rules(explanation));
	for (size_t n = 0;
	     (rule = ruleset_rule(explained->world->rules, n)) != NULL &&
	     explanation_ask(explanation, rule, bearings);
	     n++)
		for (size_t i = 0; i < explanation->count; i++)
			compare_part(explained, i, rule, &bearings[i]);
	assert_int_equal(
	    explanation_decide(explanation), explanation->verdict.decision);
	for (size_t i = 0; i < explanation->count; i++)
		if (!is_about_a_name(explained, i) &&
		    strcmp(explained->deciders[i],
			explained->expected[i].rule) != 0)
			object(explained, &explanation->addresses[i].verdict,
			    "said to have decided", explained->deciders[i]);
}

/* Each address, and what is made of all of them: the first permission, else
 * the first denial. */
static void
compare_verdicts(struct explained *explained)
{
	const struct world *world = explained->world;
	const struct explanation *explanation = &explained->explanation;
	const struct reference_verdict *whole = &explained->expected[0];

	for (size_t i = 0; i < explanation->count; i++) {
		const struct verdict *verdict =
		    &explanation->addresses[i].verdict;
		struct reference_ask ask = ask_about(explained, i);

		explained->expected[i] =
		    reference_judge(world->entries, world->count, &ask);
		if (strcmp(reason_name(verdict->reason),
			explained->expected[i].reason) != 0 ||
		    strcmp(verdict->rule, explained->expected[i].rule) != 0)
			object(explained, verdict,
			    explained->expected[i].reason,
			    explained->expected[i].rule);
		if (strcmp(whole->reason, "ok") != 0 &&
		    strcmp(explained->expected[i].reason, "ok") == 0)
			whole = &explained->expected[i];
	}
	if (strcmp(reason_name(explanation->verdict.reason), whole->reason) !=
		0 ||
	    strcmp(explanation->verdict.rule, whole->rule) != 0)
		object(explained, &explanation->verdict, whole->reason,
		    whole->rule);
}

/* An association that may not be: that is what is said, whatever its
 * destination. */
static bool
is_denied_as_a_whole(struct explained *explained)
{
	const struct question *question = explained->question;
	struct reference_verdict expected;

	if (question->request.command != COMMAND_UDP)
		return false;
	expected = reference_judge_command(
	    explained->world->entries, explained->world->count, &question->ask);
	if (strcmp(expected.reason, "ok") == 0)
		return false;
	if (strcmp(reason_name(explained->explanation.verdict.reason),
		expected.reason) != 0 ||
	    strcmp(explained->explanation.verdict.rule, expected.rule) != 0)
		object(explained, &explained->explanation.verdict,
		    expected.reason, expected.rule);
	return true;
}

/* The question's address and up to three others. */
static void
resolve(struct explained *explained)
{
	struct address addresses[4];
	size_t count = 1 + random_below(ARRAY_COUNT(addresses));

	for (size_t i = 0; i < count; i++)
		addresses[i] =
		    random_addresses[random_below(random_address_count)];
	addresses[random_below(count)] = explained->question->address;
	explanation_judge(&explained->explanation, addresses, count);
}

static void
compare_explanation(const struct world *world, const struct question *question)
{
	struct explained explained = {
	    .world = world,
	    .question = question,
	    .explanation = {.context = question->context,
		.request = question->request},
	};
	struct explanation *explanation = &explained.explanation;

	explanation_begin(explanation);
	if (explanation->verdict.decision == DECISION_DEPENDS)
		resolve(&explained);
	for (size_t i = 0; i < explanation->count; i++) {
		explained.deciders[i] = "";
		(void)address_print(
		    &explanation->addresses[i].address, explained.texts[i]);
	}
	if (is_denied_as_a_whole(&explained))
		return;
	if (is_about_a_name(&explained, 0)) {
		/* Every address is denied; compare_name asks of more. */
		assert_int_equal(explanation->verdict.decision, DECISION_DENY);
		assert_string_not_equal(reference_judge(world->entries,
					    world->count, &question->ask)
					    .reason,
		    "ok");
		by_name++;
	} else {
		compare_verdicts(&explained);
	}
	compare_rules(&explained);
	explanations++;
}

static void
compare_address(const struct world *world, const struct question *question)
{
	struct reference_verdict expected =
	    reference_judge(world->entries, world->count, &question->ask);
	struct verdict verdict = judge_address(
	    &question->context, &question->request, &question->address);

	permitted += verdict.decision == DECISION_PERMIT;
	if (strcmp(reason_name(verdict.reason), expected.reason) != 0 ||
	    strcmp(verdict.rule, expected.rule) != 0)
		explain_difference(
		    world, question, &verdict, expected.reason, expected.rule);
	if (strcmp(verdict.reported, expected.reported) != 0)
		explain_difference(
		    world, question, &verdict, "reported", expected.reported);
	assert_int_equal(verdict.decision,
	    verdict.reason == REASON_OK ? DECISION_PERMIT : DECISION_DENY);
	compare_until(world, question, &verdict);
	compare_explanation(world, question);
}

static bool
permits(const struct question *question, const struct address *address)
{
	return judge_address(&question->context, &question->request, address)
		   .decision == DECISION_PERMIT;
}

/* What is said by name holds for every address; `thorough` asks of all. */
static void
compare_name(
    const struct world *world, struct question *question, bool thorough)
{
	struct verdict verdict =
	    judge_request(&question->context, &question->request);
	size_t start = random_below(random_address_count);
	size_t count = thorough ? random_address_count : 10;
	bool found = false;

	if (question->ask.host == NULL) {
		struct verdict same = judge_address(
		    &question->context, &question->request, &question->address);

		assert_int_equal(verdict.reason, same.reason);
		assert_string_equal(verdict.rule, same.rule);
		return;
	}
	if (verdict.decision == DECISION_DEPENDS) {
		if (!random_one_in(4))
			return;
		count = random_address_count;
	}
	for (size_t i = 0; i < count && !found; i++) {
		question->address =
		    random_addresses[(start + i) % random_address_count];
		found = permits(question, &question->address);
	}
	question->ask.address =
	    address_print(&question->address, question->address_text);
	if (found != (verdict.decision == DECISION_DEPENDS))
		explain_difference(world, question, &verdict,
		    found ? "permitted" : "denied everywhere", "");
}

/* What is said of a command holds for every destination. */
static void
compare_command(const struct world *world, struct question *question)
{
	struct verdict verdict =
	    judge_command(&question->context, &question->request);
	struct reference_verdict expected = reference_judge_command(
	    world->entries, world->count, &question->ask);

	if (strcmp(reason_name(verdict.reason), expected.reason) != 0 ||
	    strcmp(verdict.rule, expected.rule) != 0)
		explain_difference(
		    world, question, &verdict, expected.reason, expected.rule);
	assert_int_equal(verdict.decision,
	    verdict.reason == REASON_OK ? DECISION_PERMIT : DECISION_DENY);
	for (size_t i = 0; i < 5 && verdict.decision == DECISION_DENY; i++) {
		random_choose_address(question);
		if (permits(question, &question->address))
			explain_difference(
			    world, question, &verdict, "permitted", "");
	}
}

static void
the_judges_agree(void **state)
{
	static struct world world;

	(void)state;
	for (uint64_t done = 0; done < cases; done += asks_per_set) {
		random_world(&world);
		for (uint64_t i = 0; i < asks_per_set; i++) {
			struct question question;

			random_question(&question, &world);
			compare_address(&world, &question);
			compare_name(&world, &question, random_one_in(40));
			compare_command(&world, &question);
			subject_unref(question.subject);
		}
		ruleset_unref(world.rules);
	}
	printf("%.1f %% permitted, %" PRIu64 " explained (%" PRIu64
	       " by name), %" PRIu64 " failed conditions\n",
	    100.0 * (double)permitted / (double)cases, explanations, by_name,
	    failures);
	assert_in_range(permitted * 100 / cases, 20, 80);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_judges_agree),
	};

	random_seed = (uint64_t)time(NULL);
	if ((argc > 1 && !text_parse_u64(argv[1], 1, UINT64_MAX, &cases)) ||
	    (argc > 2 &&
		!text_parse_u64(argv[2], 0, UINT64_MAX, &random_seed)) ||
	    (argc > 3 && !text_parse_u64(argv[3], 1, 1000, &asks_per_set))) {
		fprintf(stderr, "usage: %s [CASES [SEED [CASES_PER_SET]]]\n",
		    argv[0]);
		return 64;
	}
	printf("%" PRIu64 " cases, %" PRIu64
	       " for each rule set, seed %" PRIu64,
	    cases, asks_per_set, random_seed);
	random_addresses_make();
	printf(", %zu addresses\n", random_address_count);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
