/* SPDX-License-Identifier: ISC */
/* The one place that decides. */
#include "policy/judge.h"

#include "policy/candidates.h"
#include "policy/condition.h"
#include "policy/prospect.h"
#include "policy/ruleset_private.h"
#include "policy/special.h"

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

static struct verdict
deny(enum reason reason, const struct rule *rule)
{
	return (struct verdict){
	    DECISION_DENY, reason, rule == NULL ? "" : rule->name};
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

static struct verdict
judge_rules(const struct judge_context *context, const struct request *request,
    const struct pair *pair)
{
	struct candidates candidates;
	const struct rule *rule;
	bool was_closed = false;

	candidates_of_address(
	    &candidates, context->rules, &request->destination, &pair->address);
	while ((rule = candidates_next(&candidates)) != NULL) {
		enum reach reach;
		enum condition subject;

		if (!condition_holds(rule, request))
			continue;
		reach = rule_reach(rule, pair);
		if (reach == REACH_NONE)
			continue;
		subject = condition_subject(rule, context, request);
		if (subject == CONDITION_FAILS)
			continue;
		if (subject == CONDITION_UNKNOWN)
			return deny(REASON_DIRECTORY_UNAVAILABLE, rule);
		if (!rule->permits)
			return deny(REASON_DENIED_RULE, rule);
		if (reach == REACH_FULLY)
			return (struct verdict){
			    DECISION_PERMIT, REASON_OK, rule->name};
		was_closed |= pair->is_special;
	}
	return deny(
	    was_closed ? REASON_DENIED_SPECIAL : REASON_DENIED_NO_RULE, NULL);
}

/* A session to ourselves would open the next one, without end. */
static bool
leads_back(const struct judge_context *context, const struct address *address,
    uint16_t port)
{
	const struct own_addresses *own = context->own;

	for (size_t i = 0; own != NULL && i < own->port_count; i++)
		if (own->ports[i] == port)
			return special_is_here(address, own);
	return false;
}

struct verdict
judge_address(const struct judge_context *context,
    const struct request *request, const struct address *address)
{
	struct verdict verdict;
	struct pair pair;

	if (context->rules == NULL)
		return deny(REASON_POLICY_UNAVAILABLE, NULL);
	pair = make_pair(context, request, address);
	verdict = judge_rules(context, request, &pair);
	if (verdict.decision == DECISION_PERMIT &&
	    leads_back(context, address, request->destination.port)) {
		/* The rule is named: its author meant something else. */
		verdict.decision = DECISION_DENY;
		verdict.reason = REASON_LOOP;
	}
	return verdict;
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
judge_name(const struct judge_context *context, const struct request *request,
    struct prospect *prospect)
{
	struct verdict verdict = deny(REASON_DENIED_SPECIAL, NULL);
	struct candidates candidates;
	const struct rule *rule;

	candidates_of_name(&candidates, context, request);
	while ((rule = candidates_next(&candidates)) != NULL) {
		enum condition subject = CONDITION_FAILS;
		enum prospect_outcome outcome;

		if (condition_holds(rule, request))
			subject = condition_subject(rule, context, request);
		if (subject == CONDITION_FAILS)
			continue;
		outcome = prospect_add(prospect, rule,
		    !rule->permits || subject == CONDITION_UNKNOWN);
		if (outcome == PROSPECT_OPEN)
			return (struct verdict){
			    DECISION_DEPENDS, REASON_OK, ""};
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
	struct prospect prospect;
	struct verdict verdict;

	if (request->destination.kind == ENDPOINT_ADDRESS)
		return judge_address(
		    context, request, &request->destination.address);
	if (context->rules == NULL)
		return deny(REASON_POLICY_UNAVAILABLE, NULL);
	prospect_init(&prospect, &request->destination, context->own);
	verdict = judge_name(context, request, &prospect);
	prospect_fini(&prospect);
	return verdict;
}

/* Nothing is left for the rules behind it. */
static bool
is_about_everything(const struct rule *rule)
{
	const struct target_list *list;

	if (rule->targets.port_count > 0)
		return false;
	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (target_list_is_everything(list))
			return true;
	return false;
}

struct verdict
judge_command(
    const struct judge_context *context, const struct request *request)
{
	struct verdict verdict = deny(REASON_DENIED_NO_RULE, NULL);
	struct candidates candidates;
	const struct rule *rule;
	bool closes = false;

	if (context->rules == NULL)
		return deny(REASON_POLICY_UNAVAILABLE, NULL);
	candidates_of_command(&candidates, context->rules, request->command);
	while (!closes && (rule = candidates_next(&candidates)) != NULL) {
		enum condition subject = CONDITION_FAILS;

		if (condition_holds(rule, request))
			subject = condition_subject(rule, context, request);
		if (subject == CONDITION_FAILS)
			continue;
		if (rule->permits && subject == CONDITION_HOLDS)
			return (struct verdict){
			    DECISION_PERMIT, REASON_OK, rule->name};
		closes = is_about_everything(rule);
		/* A denial of something is not why nothing is permitted. */
		if (verdict.rule[0] == '\0' && (closes || rule->permits))
			verdict = deny(denial_reason(subject), rule);
	}
	return verdict;
}

bool
judge_is_special(const struct address *address, const struct own_addresses *own)
{
	uint8_t opening_len;

	return special_find(address, own, &opening_len);
}
