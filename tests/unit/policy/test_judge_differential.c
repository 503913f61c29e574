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
#include "policy/judge.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/random_policy.h"

#define CASES_DEFAULT 100000
#define ASKS_PER_SET  50

static uint64_t cases = CASES_DEFAULT, permitted, failures;

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

/* What is said to have failed has. */
static void
compare_failure(const struct world *world, const struct question *question,
    const struct verdict *verdict, const struct rule *rule, const char *failed)
{
	if (!reference_fails(world->entries, world->count, rule->name, failed,
		&question->ask))
		explain_difference(
		    world, question, verdict, failed, rule->name);
	failures++;
}

/* Asked one by one, the rules say the same as by index; none that failed
 * decides. */
static void
compare_bearings(const struct world *world, const struct question *question,
    const struct verdict *verdict)
{
	enum bearing_kind kind = BEARING_FAILS;
	const struct rule *rule;
	const char *decider = "";

	for (size_t i = 0; kind == BEARING_FAILS &&
			   (rule = ruleset_rule(world->rules, i)) != NULL;
	     i++) {
		struct bearing bearing = judge_rule(&question->context,
		    &question->request, &question->address, rule);

		assert_int_equal(
		    bearing.kind == BEARING_FAILS, bearing.failed != NULL);
		if (bearing.kind == BEARING_FAILS)
			compare_failure(
			    world, question, verdict, rule, bearing.failed);
		if (bearing.kind != BEARING_UNKNOWN &&
		    bearing.kind != BEARING_DENIES &&
		    bearing.kind != BEARING_PERMITS)
			continue;
		kind = bearing.kind;
		decider = rule->name;
	}
	if (strcmp(decider, verdict->rule) != 0 ||
	    (kind == BEARING_PERMITS) !=
		(verdict->decision == DECISION_PERMIT) ||
	    (kind == BEARING_UNKNOWN) !=
		(verdict->reason == REASON_DIRECTORY_UNAVAILABLE))
		explain_difference(
		    world, question, verdict, "explained by", decider);
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
	compare_bearings(world, question, &verdict);
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
	for (uint64_t done = 0; done < cases; done += ASKS_PER_SET) {
		random_world(&world);
		for (size_t i = 0; i < ASKS_PER_SET; i++) {
			struct question question;

			random_question(&question, &world);
			compare_address(&world, &question);
			compare_name(&world, &question, random_one_in(40));
			compare_command(&world, &question);
			subject_unref(question.subject);
		}
		ruleset_unref(world.rules);
	}
	printf("%.1f %% permitted, %" PRIu64 " failed conditions\n",
	    100.0 * (double)permitted / (double)cases, failures);
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
		!text_parse_u64(argv[2], 0, UINT64_MAX, &random_seed))) {
		fprintf(stderr, "usage: %s [CASES [SEED]]\n", argv[0]);
		return 64;
	}
	printf("%llu cases, seed %llu", (unsigned long long)cases,
	    (unsigned long long)random_seed);
	random_addresses_make();
	printf(", %zu addresses\n", random_address_count);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
