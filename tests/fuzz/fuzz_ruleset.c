/* SPDX-License-Identifier: ISC */
/* Fuzzes whole rule sets: they are taken, judge and are linted, or say what is
 * wrong. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "policy/judge.h"
#include "policy/lint.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

struct making {
	struct ruleset_builder *builder;
	char why[256];
};

static int
add(void *arg, const struct entry *entry)
{
	struct making *making = arg;
	int result;

	memset(making->why, 'x', sizeof(making->why));
	result = ruleset_builder_add(
	    making->builder, entry, making->why, sizeof(making->why));
	property(memchr(making->why, '\0', sizeof(making->why)) != NULL);
	property((result == 0) == (making->why[0] == '\0'));
	return result;
}

static void
check_verdict(const struct verdict *verdict)
{
	property((verdict->reason == REASON_OK) ==
		 (verdict->decision != DECISION_DENY));
	property(verdict->rule != NULL);
}

/* What is denied by name is denied at every address. */
static void
check_name(const struct judge_context *context, struct request *request,
    const char *name)
{
	static const char *const addresses[] = {"10.0.0.1", "127.0.0.1",
	    "192.0.2.1", "169.254.169.254", "2001:db8::1", "::1",
	    "64:ff9b::a00:1", "2002:a00:1::1"};
	struct verdict by_name, by_address;

	property(
	    endpoint_from_name(name, strlen(name), 443, &request->destination));
	by_name = judge_request(context, request);
	check_verdict(&by_name);
	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
		struct address address;

		property(address_parse(addresses[i], &address));
		by_address = judge_address(context, request, &address);
		check_verdict(&by_address);
		property(by_name.decision != DECISION_DENY ||
			 by_address.decision == DECISION_DENY);
	}
}

static void
check_rules(const struct ruleset *rules)
{
	static const struct identity alice = {
	    .name = "alice@EXAMPLE.COM", .method = METHOD_GSSAPI};
	struct subject *subject = subject_new("uid=alice,dc=x");
	struct request request = {.identity = &alice,
	    .command = COMMAND_CONNECT,
	    .listener = "office",
	    .protection = PROTECTION_INTEGRITY};
	struct judge_context context = {.rules = rules, .subject = subject};

	property(subject != NULL);
	property(address_parse("192.0.2.10", &request.client.address));
	check_name(&context, &request, "www.example.com");
	check_name(&context, &request, "elsewhere.example");
	context.subject = NULL;
	check_name(&context, &request, "www.example.com");
	subject_unref(subject);
}

static void
count_finding(void *arg, const struct lint_finding *finding)
{
	property(finding->rule != NULL || finding->set != NULL);
	property(finding->by_count <= LINT_BY_MAX);
	property(
	    (finding->by_count > 0) == (finding->kind == LINT_SHADOWED ||
					   finding->kind == LINT_OVERTAKEN));
	++*(size_t *)arg;
}

static void
check_lint(const struct ruleset *rules)
{
	const struct lint_facts facts = {.now = 1795661719};
	size_t count = 0;

	property(
	    lint_rules(rules, &facts, count_finding, &count) != LINT_NO_MEMORY);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct making making = {.builder = ruleset_builder_new()};
	struct ruleset *rules;

	property(making.builder != NULL);
	if (rule_text_read((const char *)data, size, add, &making) != 0) {
		ruleset_builder_free(making.builder);
		return 0;
	}
	rules =
	    ruleset_build(making.builder, 1, making.why, sizeof(making.why));
	property((rules == NULL) == (making.why[0] != '\0'));
	if (rules != NULL) {
		check_rules(rules);
		check_lint(rules);
	}
	ruleset_unref(rules);
	return 0;
}
