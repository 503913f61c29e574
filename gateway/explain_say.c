/* SPDX-License-Identifier: ISC */
/* The lines in which a decision is explained. */
#include "gateway/explain_private.h"

#include "base/ctl_protocol.h"
#include "base/options.h"
#include "gateway/control_server.h"
#include "gateway/settings.h"
#include "policy/rule.h"
#include "policy/subject.h"

static void
say(struct explain *explain, struct options *line)
{
	control_line_end(explain->call, line);
}

static void
add_yes(struct options *line, const char *name, bool is)
{
	options_add(line, name, is ? CTL_YES : CTL_NO);
}

/* What may be absent is not there if it is 0. */
static void
add_u64(struct options *line, const char *name, uint64_t value)
{
	if (value != 0)
		options_add_u64(line, name, value);
}

static void
add_address(
    struct options *line, const char *name, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	if (address->family != ADDRESS_NONE)
		options_add(line, name, address_print(address, text));
}

void
explain_say_question(struct explain *explain)
{
	const struct explain_question *question = &explain->question;
	struct options *line = control_line_begin("question");
	char destination[ENDPOINT_TEXT_SIZE];

	options_add(line, "identity", question->identity.name);
	options_add(line, "command", command_name(question->command));
	options_add(line, "destination",
	    endpoint_print(&question->destination, destination));
	options_add(line, "listener", question->listener->name);
	options_add(line, "method", method_name(question->identity.method));
	options_add(line, "protection", protection_name(question->protection));
	add_yes(line, "protection_assumed", question->is_protection_assumed);
	add_address(line, "from", &question->client.address);
	if (question->identity.indicators[0] != '\0')
		options_add(line, "indicators", question->identity.indicators);
	options_add_u64(line, "at", explain->found.request.time_us / 1000000);
	add_yes(line, "now", !question->has_time);
	say(explain, line);
}

static const char *
account(const struct explain *explain)
{
	if (explain->subject == NULL)
		return "unknown";
	if (explain->subject->is_disabled)
		return "disabled";
	return explain->found.context.checks_accounts ? "good" : "not checked";
}

void
explain_say_subject(struct explain *explain)
{
	struct options *line = control_line_begin("subject");

	add_yes(line, "asked", explain->needs_subject);
	if (explain->needs_subject) {
		options_add(line, "account", account(explain));
		options_add(
		    line, "reason", reason_name(explain->subject_reason));
	}
	if (explain->subject != NULL && explain->subject->dn != NULL)
		options_add(line, "dn", explain->subject->dn);
	/* The directory is silent; it may have said so before. */
	if (explain->who.silence != NULL && explain->who.silence[0] != '\0')
		options_add(line, "silence", explain->who.silence);
	say(explain, line);
}

void
explain_say_group(struct explain *explain, size_t i)
{
	struct options *line = control_line_begin("group");
	const char *dn = control_who_add_group(line, &explain->who, i);

	add_yes(line, "used",
	    explain->group_used[subject_find(explain->subject, dn)]);
	say(explain, line);
}

static void
add_verdict(struct options *line, const struct verdict *verdict)
{
	options_add(line, "reason", reason_name(verdict->reason));
	if (verdict->rule[0] != '\0')
		options_add(line, "rule", verdict->rule);
	if (verdict->valid_until_us != UINT64_MAX)
		add_u64(line, "valid_until", verdict->valid_until_us / 1000000);
	if (verdict->reported[0] != '\0') {
		options_add(line, "report", verdict->reported);
		options_add(line, "report_action",
		    verdict->would_permit ? "permit" : "deny");
	}
}

static const char *
decision_name(const struct verdict *verdict)
{
	return verdict->decision == DECISION_PERMIT ? "permit" : "deny";
}

static void
say_resolution(struct explain *explain)
{
	struct options *line = control_line_begin("resolution");

	add_yes(line, "asked", explain->is_resolved);
	if (explain->is_resolved)
		options_add(
		    line, "reason", reason_name(explain->resolution_reason));
	say(explain, line);
}

void
explain_say_addresses(struct explain *explain)
{
	if (explain->question.destination.kind == ENDPOINT_NAME)
		say_resolution(explain);
	for (size_t i = 0; i < explain->found.count; i++) {
		const struct explanation_address *asked =
		    &explain->found.addresses[i];
		struct options *line;

		if (asked->address.family == ADDRESS_NONE)
			continue;
		line = control_line_begin("address");
		add_address(line, "address", &asked->address);
		add_yes(line, "special",
		    judge_is_special(&asked->address, &explain->own));
		options_add(line, "decision", decision_name(&asked->verdict));
		add_verdict(line, &asked->verdict);
		say(explain, line);
	}
}

static bool
is_same(
    const struct explanation_bearing *a, const struct explanation_bearing *b)
{
	return a->part == b->part && a->failed == b->failed;
}

/* It was asked about all of them, and did the same. */
static bool
are_all_same(const struct explanation_bearing *bearings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bearings[i].part == PART_NOT_ASKED ||
		    !is_same(&bearings[i], &bearings[0]))
			return false;
	return true;
}

static void
say_bearing(struct explain *explain, const struct rule *rule,
    const struct explanation_bearing *bearing, const struct address *address)
{
	static const char *const parts[] = {
	    [PART_NOT_ASKED] = "not asked",
	    [PART_FAILS] = "fails",
	    [PART_NEEDS_ADDRESS] = "needs address",
	    [PART_NEEDS_CLIENT] = "needs client",
	    [PART_REPORTS] = "reports",
	    [PART_CLOSED] = "closed",
	    [PART_UNKNOWN] = "unknown",
	    [PART_DENIES] = "denies",
	    [PART_PERMITS] = "permits",
	};
	struct options *line = control_line_begin("rule");

	options_add(line, "name", rule->name);
	options_add_u64(line, "order", rule->order);
	options_add(line, "action", rule->permits ? "permit" : "deny");
	options_add(line, "dn", rule->dn);
	if (address != NULL)
		add_address(line, "address", address);
	options_add(line, "part", parts[bearing->part]);
	if (bearing->failed != NULL)
		options_add(line, "failed", bearing->failed);
	say(explain, line);
}

void
explain_say_rule(struct explain *explain, const struct rule *rule,
    const struct explanation_bearing *bearings)
{
	if (are_all_same(bearings, explain->found.count)) {
		say_bearing(explain, rule, &bearings[0], NULL);
		return;
	}
	for (size_t i = 0; i < explain->found.count; i++)
		if (bearings[i].part != PART_NOT_ASKED)
			say_bearing(explain, rule, &bearings[i],
			    &explain->found.addresses[i].address);
}

static void
add_limits(struct options *line, const struct rule_limits *limits)
{
	add_u64(line, "max_sessions", limits->max_sessions);
	add_u64(line, "max_rate", limits->max_rate);
	add_u64(line, "max_duration", limits->max_duration_s);
	add_u64(line, "idle_timeout", limits->idle_timeout_s);
	add_address(line, "egress", &limits->egress);
}

static const char *
outcome(struct explain *explain)
{
	/* Not the policy's word. */
	if (explain->is_resolved && explain->resolution_reason != REASON_OK)
		return "unresolved";
	if (explanation_decide(&explain->found) == DECISION_DEPENDS)
		return "depends";
	return decision_name(&explain->found.verdict);
}

void
explain_say_decision(struct explain *explain)
{
	struct options *line = control_line_begin("decision");

	options_add(line, "decision", outcome(explain));
	add_verdict(line, &explain->found.verdict);
	options_add(
	    line, "sentence", reason_sentence(explain->found.verdict.reason));
	if (explain->found.verdict.limits != NULL)
		add_limits(line, explain->found.verdict.limits);
	add_u64(line, "rules_not_asked", explain->not_asked);
	say(explain, line);
}
