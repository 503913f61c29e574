/* SPDX-License-Identifier: ISC */
/*
 * Random rule sets: what lint says can never match decides nothing, whatever
 * is asked.
 *
 * usage: test_lint_random [WORLDS [SEED]]
 */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "policy/judge.h"
#include "policy/lint.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/random_policy.h"

#define WORLDS_DEFAULT 2000
#define ASKS_PER_WORLD 40
#define ADDRESSES      20 /* of each question */
#define FINDINGS_MAX   32

static uint64_t worlds = WORLDS_DEFAULT, told[LINT_COUNT], rules_seen;

struct findings {
	size_t count;
	struct {
		enum lint_kind kind;
		const char *rule; /* its name */
	} all[FINDINGS_MAX];
};

static void
on_finding(void *arg, const struct lint_finding *finding)
{
	struct findings *findings = arg;

	told[finding->kind]++;
	if (finding->rule == NULL)
		return;
	assert_true(findings->count < FINDINGS_MAX);
	findings->all[findings->count].kind = finding->kind;
	findings->all[findings->count++].rule = finding->rule->name;
}

static bool
is_told(const struct findings *findings, enum lint_kind kind, const char *rule)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->all[i].kind == kind &&
		    strcmp(findings->all[i].rule, rule) == 0)
			return true;
	return false;
}

static bool
is_ordinary(const struct question *question, const struct address *address)
{
	struct address embedded;

	return question->request.identity != NULL &&
	       !judge_is_special(address, question->context.own) &&
	       !address_embedded_ipv4(address, &embedded);
}

/* No rule of that kind may be the verdict's. */
static void
check(const struct world *world, const struct findings *findings,
    enum lint_kind kind, const struct question *question,
    const struct verdict *verdict, const char *asked)
{
	char address[ADDRESS_TEXT_SIZE];

	if (!is_told(findings, kind, verdict->rule) &&
	    !is_told(findings, kind, verdict->reported))
		return;
	fail_msg("%s%s: %s, yet %s is \"%s\" (reported \"%s\") for %s %s at "
		 "%s port %u",
	    world->text, lint_name(kind), asked, reason_name(verdict->reason),
	    verdict->rule, verdict->reported, question->ask.command,
	    question->ask.host == NULL ? "-" : question->ask.host,
	    address_print(&question->address, address), question->ask.port);
}

/* Who proved nothing has no name, and who proved a password no indicator;
 * random questions know nothing of that. */
static void
check_proof(const struct world *world, const struct findings *findings,
    const struct question *question, const struct verdict *verdict,
    const char *asked)
{
	const struct identity *identity = question->request.identity;

	if (identity == NULL || identity->method == METHOD_GSSAPI ||
	    (identity->method == METHOD_PASSWORD &&
		identity->indicators[0] == '\0'))
		check(world, findings, LINT_CONTRADICTORY, question, verdict,
		    asked);
}

static void
check_address(const struct world *world, const struct findings *findings,
    const struct question *question)
{
	struct verdict verdict = judge_address(
	    &question->context, &question->request, &question->address);

	check(world, findings, LINT_SHADOWED, question, &verdict, "address");
	check(world, findings, LINT_NEVER, question, &verdict, "address");
	check_proof(world, findings, question, &verdict, "address");
	if (is_ordinary(question, &question->address))
		check(world, findings, LINT_OVERTAKEN, question, &verdict,
		    "address");
	if (verdict.decision == DECISION_PERMIT)
		check(world, findings, LINT_CLOSED, question, &verdict,
		    "address");
}

static void
ask(const struct world *world, const struct findings *findings)
{
	struct question question;
	struct verdict verdict;

	random_question(&question, world);
	check_address(world, findings, &question);
	for (size_t i = 0; i < ADDRESSES; i++) {
		random_choose_address(&question);
		check_address(world, findings, &question);
	}
	verdict = judge_request(&question.context, &question.request);
	check(world, findings, LINT_SHADOWED, &question, &verdict, "name");
	check_proof(world, findings, &question, &verdict, "name");
	question.request.command = COMMAND_UDP;
	verdict = judge_command(&question.context, &question.request);
	check(world, findings, LINT_SHADOWED, &question, &verdict, "command");
	check_proof(world, findings, &question, &verdict, "command");
	subject_unref(question.subject);
}

static void
lint_is_right(void **state)
{
	static struct world world;

	(void)state;
	for (uint64_t i = 0; i < worlds; i++) {
		struct findings findings = {.count = 0};
		struct lint_facts facts = {.now = 0};

		random_world(&world);
		facts.own = random_one_in(2) ? &world.own : NULL;
		assert_int_equal(
		    lint_rules(world.rules, &facts, on_finding, &findings),
		    LINT_DONE);
		rules_seen += ruleset_count(world.rules);
		for (size_t j = 0; findings.count > 0 && j < ASKS_PER_WORLD;
		     j++)
			ask(&world, &findings);
		ruleset_unref(world.rules);
	}
	for (enum lint_kind kind = 0; kind < LINT_COUNT; kind++)
		printf("%s%s %llu", kind == 0 ? "" : ", ", lint_name(kind),
		    (unsigned long long)told[kind]);
	printf(" of %llu rules\n", (unsigned long long)rules_seen);
	assert_true(told[LINT_SHADOWED] * 100 > rules_seen);
	assert_true(told[LINT_OVERTAKEN] > 0);
	assert_true(told[LINT_CONTRADICTORY] > 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lint_is_right),
	};

	random_seed = (uint64_t)time(NULL);
	if ((argc > 1 && !text_parse_u64(argv[1], 1, UINT64_MAX, &worlds)) ||
	    (argc > 2 &&
		!text_parse_u64(argv[2], 0, UINT64_MAX, &random_seed))) {
		fprintf(stderr, "usage: %s [WORLDS [SEED]]\n", argv[0]);
		return 64;
	}
	printf("%llu worlds, seed %llu\n", (unsigned long long)worlds,
	    (unsigned long long)random_seed);
	random_addresses_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
