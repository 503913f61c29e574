/* SPDX-License-Identifier: ISC */
/* The one place that decides. */
#include "policy/judge.h"

#include "policy/candidates.h"
#include "policy/condition.h"
#include "policy/prospect.h"
#include "policy/ruleset_private.h"
#include "policy/special.h"
#include "policy/subject.h"

/* A (name, address) that is judged. */
struct pair {
	const struct endpoint *asked;
	struct address address, embedded;
	bool has_embedded, is_special;
	uint8_t opening_len; /* of a network that opens a special address */
};

/* How a rule's destinations meet a pair, greater is more. */
enum reach {
	REACH_NONE,
	REACH_TO_DENY, /* by what it carries, or while it is closed */
	REACH_FULLY
};

/* What is gathered while the rules are asked. */
struct inquiry {
	int64_t now, until; /* seconds since 1970 */
	const struct rule *reported;
};

static struct inquiry
begin(const struct request *request)
{
	return (struct inquiry){
	    .now = (int64_t)(request->time_us / 1000000),
	    .until = INT64_MAX,
	};
}

static bool
exists_now(struct inquiry *inquiry, const struct rule *rule)
{
	return condition_time_failed(rule, inquiry->now, &inquiry->until) ==
	       NULL;
}

/* A rule that only reports matches, so far as `matches` says. */
static void
report(struct inquiry *inquiry, const struct rule *rule, enum condition subject,
    bool matches)
{
	if (matches && subject == CONDITION_HOLDS && inquiry->reported == NULL)
		inquiry->reported = rule;
}

static struct verdict
decide(enum decision decision, enum reason reason, const struct rule *rule)
{
	return (struct verdict){
	    .decision = decision,
	    .reason = reason,
	    .rule = rule == NULL ? "" : rule->name,
	    .limits = decision == DECISION_PERMIT ? &rule->limits : NULL,
	    .valid_until_us = UINT64_MAX,
	    .reported = "",
	};
}

static struct verdict
deny(enum reason reason, const struct rule *rule)
{
	return decide(DECISION_DENY, reason, rule);
}

/* What is denied whatever the rules say; REASON_OK if nothing is. */
static enum reason
barred(const struct judge_context *context, const struct request *request)
{
	if (context->rules == NULL)
		return REASON_POLICY_UNAVAILABLE;
	if (request->identity == NULL)
		return REASON_OK;
	if (context->subject == NULL)
		return context->checks_accounts ? REASON_DIRECTORY_UNAVAILABLE
						: REASON_OK;
	return context->subject->is_disabled ? REASON_ACCOUNT_DISABLED
					     : REASON_OK;
}

/* The verdict with what the inquiry found besides. */
static struct verdict
end(const struct inquiry *inquiry, struct verdict verdict)
{
	if (inquiry->until != INT64_MAX)
		verdict.valid_until_us = (uint64_t)inquiry->until * 1000000;
	if (inquiry->reported != NULL) {
		verdict.reported = inquiry->reported->name;
		verdict.would_permit = inquiry->reported->permits;
	}
	return verdict;
}

static struct pair
make_pair(const struct judge_context *context, const struct request *request,
    const struct address *address)
{
	struct pair pair = {
	    .asked = &request->destination, .address = *address};

	pair.has_embedded = address_embedded_ipv4(address, &pair.embedded);
	pair.is_special =
	    special_find(address, context->own, &pair.opening_len);
	return pair;
}

static enum reach
network_reach(const struct network *network, const struct pair *pair)
{
	if (network_has(network, &pair->address))
		return pair->is_special &&
			       network->prefix_len < pair->opening_len
			   ? REACH_TO_DENY
			   : REACH_FULLY;
	return pair->has_embedded && network_has(network, &pair->embedded)
		   ? REACH_TO_DENY
		   : REACH_NONE;
}

static enum reach
list_reach(const struct target_list *list, const struct pair *pair)
{
	enum reach best = REACH_NONE;

	if (target_list_has_name(list, pair->asked))
		best = pair->is_special ? REACH_TO_DENY : REACH_FULLY;
	for (size_t i = list->network_first;
	     i < list->destination_count && best != REACH_FULLY; i++) {
		enum reach reach =
		    network_reach(&list->destinations[i].network, pair);

		if (reach > best)
			best = reach;
	}
	return best;
}

static enum reach
rule_reach(const struct rule *rule, const struct pair *pair)
{
	enum reach best = REACH_NONE;
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++) {
		enum reach reach = REACH_NONE;

		if (rule_has_port(rule, i, pair->asked->port))
			reach = list_reach(list, pair);
		if (reach > best)
			best = reach;
	}
	return best;
}

/* It would reach, were its ports not asked. */
static bool
is_missed_by_port(const struct rule *rule, const struct pair *pair)
{
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (list_reach(list, pair) != REACH_NONE)
			return true;
	return false;
}

static const char *
subject_attribute(const struct rule *rule)
{
	if (rule->principals.count > 0)
		return "gwPrincipal";
	return rule->groups.count > 0 ? "gwGroup" : "gwUser";
}

static struct bearing
fails(const char *attribute)
{
	return (struct bearing){BEARING_FAILS, attribute};
}

/* What one rule says of a pair. */
static struct bearing
weigh(const struct judge_context *context, const struct request *request,
    const struct pair *pair, const struct rule *rule, struct inquiry *inquiry)
{
	const char *failed = condition_failed(rule, request);
	enum condition subject;
	enum reach reach;

	if (failed != NULL)
		return fails(failed);
	reach = rule_reach(rule, pair);
	if (reach == REACH_NONE)
		return fails(NULL);
	subject = condition_subject(rule, context, request);
	if (subject == CONDITION_FAILS)
		return fails(subject_attribute(rule));
	failed = condition_time_failed(rule, inquiry->now, &inquiry->until);
	if (failed != NULL)
		return fails(failed);
	if (rule->is_report_only) {
		report(inquiry, rule, subject,
		    !rule->permits || reach == REACH_FULLY);
		return (struct bearing){BEARING_REPORTS, NULL};
	}
	if (subject == CONDITION_UNKNOWN)
		return (struct bearing){BEARING_UNKNOWN, NULL};
	if (!rule->permits)
		return (struct bearing){BEARING_DENIES, NULL};
	return (struct bearing){
	    reach == REACH_FULLY ? BEARING_PERMITS : BEARING_CLOSED, NULL};
}

static struct verdict
ask_rules(const struct judge_context *context, const struct request *request,
    const struct pair *pair, struct inquiry *inquiry)
{
	struct candidates candidates;
	const struct rule *rule;
	bool was_closed = false;

	candidates_of_address(
	    &candidates, context->rules, &request->destination, &pair->address);
	while ((rule = candidates_next(&candidates)) != NULL) {
		enum bearing_kind kind =
		    weigh(context, request, pair, rule, inquiry).kind;

		if (kind == BEARING_UNKNOWN)
			return deny(REASON_DIRECTORY_UNAVAILABLE, rule);
		if (kind == BEARING_DENIES)
			return deny(REASON_DENIED_RULE, rule);
		if (kind == BEARING_PERMITS)
			return decide(DECISION_PERMIT, REASON_OK, rule);
		was_closed |= kind == BEARING_CLOSED && pair->is_special;
	}
	return deny(
	    was_closed ? REASON_DENIED_SPECIAL : REASON_DENIED_NO_RULE, NULL);
}

/* A session to ourselves would open the next one, without end. */
bool
judge_leads_back(const struct judge_context *context,
    const struct address *address, uint16_t port)
{
	const struct own_addresses *own = context->own;

	for (size_t i = 0; own != NULL && i < own->port_count; i++)
		if (own->ports[i] == port)
			return special_is_here(address, own);
	return false;
}

struct bearing
judge_rule(const struct judge_context *context, const struct request *request,
    const struct address *address, const struct rule *rule)
{
	struct inquiry inquiry = begin(request);
	struct pair pair = make_pair(context, request, address);
	struct bearing bearing = weigh(context, request, &pair, rule, &inquiry);

	if (bearing.kind == BEARING_FAILS && bearing.failed == NULL)
		bearing.failed =
		    is_missed_by_port(rule, &pair) ? "gwPort" : "gwDestination";
	return bearing;
}

struct verdict
judge_address(const struct judge_context *context,
    const struct request *request, const struct address *address)
{
	struct inquiry inquiry = begin(request);
	enum reason bar = barred(context, request);
	struct verdict verdict;
	struct pair pair;

	if (bar != REASON_OK)
		return deny(bar, NULL);
	pair = make_pair(context, request, address);
	verdict = end(&inquiry, ask_rules(context, request, &pair, &inquiry));
	if (verdict.decision == DECISION_PERMIT &&
	    judge_leads_back(context, address, request->destination.port)) {
		/* The rule is named: its author meant something else. */
		verdict.decision = DECISION_DENY;
		verdict.reason = REASON_LOOP;
		verdict.limits = NULL;
	}
	return verdict;
}

struct verdict
judge_addresses(const struct judge_context *context,
    const struct request *request, const struct address *addresses,
    size_t count, struct address *permitted, size_t *permitted_count)
{
	struct verdict verdict, first = {.rule = "", .reported = ""};

	*permitted_count = 0;
	for (size_t i = 0; i < count; i++) {
		verdict = judge_address(context, request, &addresses[i]);
		if (verdict.decision == DECISION_PERMIT)
			permitted[(*permitted_count)++] = addresses[i];
		if (i == 0 || (verdict.decision == DECISION_PERMIT &&
				  *permitted_count == 1))
			first = verdict;
	}
	return first;
}

static enum reason
denial_reason(enum condition subject)
{
	return subject == CONDITION_UNKNOWN ? REASON_DIRECTORY_UNAVAILABLE
					    : REASON_DENIED_RULE;
}

/*
 * DEPENDS, or DENY if no address is left.  Then the reasons may differ from
 * address to address: what is said is the rule that closed the rest, or else
 * the first that took something from what other rules permit.
 */
static struct verdict
ask_by_name(const struct judge_context *context, const struct request *request,
    struct prospect *prospect, struct inquiry *inquiry)
{
	struct verdict verdict = deny(REASON_DENIED_SPECIAL, NULL);
	struct candidates candidates;
	const struct rule *rule;

	candidates_of_name(&candidates, context, request);
	while ((rule = candidates_next(&candidates)) != NULL) {
		enum condition subject = CONDITION_FAILS;
		enum prospect_outcome outcome;

		if (condition_failed(rule, request) == NULL)
			subject = condition_subject(rule, context, request);
		if (subject == CONDITION_FAILS || !exists_now(inquiry, rule))
			continue;
		if (rule->is_report_only) {
			report(inquiry, rule, subject,
			    rule_has_name(rule, &request->destination));
			continue;
		}
		outcome = prospect_add(prospect, rule,
		    !rule->permits || subject == CONDITION_UNKNOWN);
		if (outcome == PROSPECT_OPEN)
			return decide(DECISION_DEPENDS, REASON_OK, NULL);
		if (outcome == PROSPECT_CLOSED)
			return deny(denial_reason(subject), rule);
		if (verdict.rule[0] == '\0' && prospect->denied_count > 0)
			verdict = deny(denial_reason(subject), rule);
	}
	return prospect->was_permitted ? verdict
				       : deny(REASON_DENIED_NO_RULE, NULL);
}

struct verdict
judge_request(
    const struct judge_context *context, const struct request *request)
{
	struct inquiry inquiry = begin(request);
	enum reason bar = barred(context, request);
	struct prospect prospect;
	struct verdict verdict;

	if (request->destination.kind == ENDPOINT_ADDRESS)
		return judge_address(
		    context, request, &request->destination.address);
	if (bar != REASON_OK)
		return deny(bar, NULL);
	prospect_init(&prospect, &request->destination, context->own);
	verdict = ask_by_name(context, request, &prospect, &inquiry);
	prospect_fini(&prospect);
	return end(&inquiry, verdict);
}

static struct verdict
ask_for_command(const struct judge_context *context,
    const struct request *request, struct inquiry *inquiry)
{
	struct verdict verdict = deny(REASON_DENIED_NO_RULE, NULL);
	struct candidates candidates;
	const struct rule *rule;
	bool closes = false;

	candidates_of_command(&candidates, context->rules, request->command);
	while (!closes && (rule = candidates_next(&candidates)) != NULL) {
		enum condition subject = CONDITION_FAILS;

		if (condition_failed(rule, request) == NULL)
			subject = condition_subject(rule, context, request);
		if (subject == CONDITION_FAILS || !exists_now(inquiry, rule) ||
		    rule->is_report_only)
			continue;
		if (rule->permits && subject == CONDITION_HOLDS)
			return decide(DECISION_PERMIT, REASON_OK, rule);
		/* Nothing is left for the rules behind it. */
		closes = rule_is_about_everything(rule);
		/* A denial of something is not why nothing is permitted. */
		if (verdict.rule[0] == '\0' && (closes || rule->permits))
			verdict = deny(denial_reason(subject), rule);
	}
	return verdict;
}

struct verdict
judge_command(
    const struct judge_context *context, const struct request *request)
{
	struct inquiry inquiry = begin(request);
	enum reason bar = barred(context, request);

	if (bar != REASON_OK)
		return deny(bar, NULL);
	return end(&inquiry, ask_for_command(context, request, &inquiry));
}

bool
judge_is_special(const struct address *address, const struct own_addresses *own)
{
	uint8_t opening_len;

	return special_find(address, own, &opening_len);
}
