/* SPDX-License-Identifier: ISC */
/* A decision explained, by the judge's answers. */
#include "policy/explanation.h"

#include <string.h>

#include "base/must.h"
#include "policy/rule.h"

/* ---- what is decided */

void
explanation_begin(struct explanation *explanation)
{
	const struct request *request = &explanation->request;
	bool is_name = request->destination.kind == ENDPOINT_NAME;

	explanation->verdict = judge_request(&explanation->context, request);
	if (request->command == COMMAND_UDP) {
		struct verdict whole =
		    judge_command(&explanation->context, request);

		if (whole.decision == DECISION_DENY)
			explanation->verdict = whole;
	}
	if (!is_name) {
		explanation_judge(
		    explanation, &request->destination.address, 1);
	} else if (explanation->verdict.decision == DECISION_DENY) {
		/* Without an address the rules are asked about the name. */
		explanation->count = 1;
		explanation->addresses[0].verdict = explanation->verdict;
	}
}

void
explanation_judge(struct explanation *explanation,
    const struct address *addresses, size_t count)
{
	struct address permitted[EXPLANATION_ADDRESSES_MAX];
	size_t permitted_count;

	must(count <= EXPLANATION_ADDRESSES_MAX);
	explanation->count = count;
	for (size_t i = 0; i < count; i++) {
		explanation->addresses[i].address = addresses[i];
		explanation->addresses[i].verdict =
		    judge_address(&explanation->context, &explanation->request,
			&addresses[i]);
	}
	/* An association may have been denied as a whole. */
	if (explanation->verdict.decision != DECISION_DENY)
		explanation->verdict = judge_addresses(&explanation->context,
		    &explanation->request, addresses, count, permitted,
		    &permitted_count);
}

void
explanation_lead(struct explanation *explanation, const struct address *address)
{
	for (size_t i = 0; i < explanation->count; i++)
		if (address_is_equal(
			&explanation->addresses[i].address, address)) {
			explanation->verdict =
			    explanation->addresses[i].verdict;
			return;
		}
}

/* ---- how the rules were asked */

bool
explanation_asks_rules(const struct explanation *explanation)
{
	const struct verdict *verdict = &explanation->verdict;

	if (explanation->count == 0 || explanation->context.rules == NULL)
		return false;
	/* Of a rule it names the rule. */
	return verdict->reason != REASON_ACCOUNT_DISABLED &&
	       (verdict->reason != REASON_DIRECTORY_UNAVAILABLE ||
		   verdict->rule[0] != '\0');
}

/* A network that the rule names at that port, or NULL. */
static const struct network *
some_network(const struct rule *rule, uint16_t port)
{
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (list->network_first < list->destination_count &&
		    rule_has_port(rule, i, port))
			return &list->destinations[list->network_first].network;
	return NULL;
}

static bool
is_about_target(const char *attribute)
{
	return strcmp(attribute, "gwDestination") == 0 ||
	       strcmp(attribute, "gwPort") == 0;
}

static const enum explanation_part parts[] = {
    [BEARING_FAILS] = PART_FAILS,
    [BEARING_REPORTS] = PART_REPORTS,
    [BEARING_UNKNOWN] = PART_UNKNOWN,
    [BEARING_DENIES] = PART_DENIES,
    [BEARING_PERMITS] = PART_PERMITS,
    [BEARING_CLOSED] = PART_CLOSED,
};

/* The name is not in it, or not at this port; its addresses could be, unless
 * it fails at an address of its own, too. */
static void
weigh_for_its_networks(const struct explanation *explanation,
    const struct request *request, const struct rule *rule,
    struct explanation_bearing *out)
{
	const struct network *network =
	    some_network(rule, request->destination.port);
	struct bearing would;

	if (network == NULL)
		return;
	would =
	    judge_rule(&explanation->context, request, &network->base, rule);
	if (would.kind == BEARING_FAILS)
		out->failed = would.failed;
	else
		out->part = PART_NEEDS_ADDRESS;
}

static struct explanation_bearing
weigh(const struct explanation *explanation, const struct request *request,
    const struct address *address, const struct rule *rule)
{
	struct bearing bearing =
	    judge_rule(&explanation->context, request, address, rule);
	struct explanation_bearing out = {parts[bearing.kind], bearing.failed};

	if (out.part == PART_FAILS && address->family == ADDRESS_NONE &&
	    is_about_target(out.failed))
		weigh_for_its_networks(explanation, request, rule, &out);
	return out;
}

/* The rule fails only because nobody said where the client is: what it would
 * do for a client of its own. */
static void
weigh_for_its_clients(const struct explanation *explanation,
    struct explanation_address *asked, const struct rule *rule,
    struct explanation_bearing *out)
{
	struct request request = explanation->request;
	struct explanation_bearing would;

	request.client.address = rule->clients[0].base;
	would = weigh(explanation, &request, &asked->address, rule);
	if (would.part == PART_FAILS) {
		*out = would;
		return;
	}
	out->part = PART_NEEDS_CLIENT;
	asked->might_permit |= would.part == PART_PERMITS ||
			       (would.part == PART_NEEDS_ADDRESS &&
				   rule->permits && !rule->is_report_only);
	asked->might_deny |=
	    would.part == PART_DENIES || would.part == PART_UNKNOWN;
}

static struct explanation_bearing
ask(const struct explanation *explanation, struct explanation_address *asked,
    const struct rule *rule)
{
	struct explanation_bearing out =
	    weigh(explanation, &explanation->request, &asked->address, rule);

	if (out.part == PART_FAILS && strcmp(out.failed, "gwClient") == 0 &&
	    explanation->request.client.address.family == ADDRESS_NONE)
		weigh_for_its_clients(explanation, asked, rule, &out);
	return out;
}

bool
explanation_ask(struct explanation *explanation, const struct rule *rule,
    struct explanation_bearing *out)
{
	bool was_asked = false;

	for (size_t i = 0; i < explanation->count; i++) {
		struct explanation_address *asked = &explanation->addresses[i];

		out[i] = (struct explanation_bearing){PART_NOT_ASKED, NULL};
		if (asked->is_over)
			continue;
		was_asked = true;
		out[i] = ask(explanation, asked, rule);
		asked->is_over = out[i].part >= PART_UNKNOWN;
	}
	return was_asked;
}

static bool
depends(const struct explanation_address *asked)
{
	return asked->verdict.decision == DECISION_PERMIT ? asked->might_deny
							  : asked->might_permit;
}

bool
explanation_depends_on_client(const struct explanation *explanation)
{
	bool might_change = false;

	for (size_t i = 0; i < explanation->count; i++) {
		const struct explanation_address *asked =
		    &explanation->addresses[i];

		/* One that is permitted from anywhere is enough. */
		if (asked->verdict.decision == DECISION_PERMIT &&
		    !asked->might_deny)
			return false;
		might_change |= depends(asked);
	}
	return might_change;
}
