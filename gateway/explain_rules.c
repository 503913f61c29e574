/* SPDX-License-Identifier: ISC */
/* How the rules were asked: what each has to do with each address. */
#include "gateway/explain_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

bool
explain_asks_rules(const struct explain *explain)
{
	const struct verdict *verdict = &explain->verdict;

	if (explain->count == 0 || explain->context.rules == NULL)
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

static enum explain_part
part_of(enum bearing_kind kind)
{
	switch (kind) {
	case BEARING_REPORTS:
		return PART_REPORTS;
	case BEARING_UNKNOWN:
		return PART_UNKNOWN;
	case BEARING_DENIES:
		return PART_DENIES;
	case BEARING_PERMITS:
		return PART_PERMITS;
	case BEARING_CLOSED:
		return PART_CLOSED;
	case BEARING_FAILS:
		break;
	}
	return PART_FAILS;
}

/* The name is not in it, or not at this port; its addresses could be, unless
 * it fails at an address of its own, too. */
static void
weigh_for_its_networks(const struct explain *explain,
    const struct request *request, const struct rule *rule,
    struct explain_bearing *out)
{
	const struct network *network =
	    some_network(rule, request->destination.port);
	struct bearing would;

	if (network == NULL)
		return;
	would = judge_rule(&explain->context, request, &network->base, rule);
	if (would.kind == BEARING_FAILS)
		out->failed = would.failed;
	else
		out->part = PART_NEEDS_ADDRESS;
}

static struct explain_bearing
weigh(const struct explain *explain, const struct request *request,
    const struct address *address, const struct rule *rule)
{
	struct bearing bearing =
	    judge_rule(&explain->context, request, address, rule);
	struct explain_bearing out = {part_of(bearing.kind), bearing.failed};

	if (out.part == PART_FAILS && address->family == ADDRESS_NONE &&
	    is_about_target(out.failed))
		weigh_for_its_networks(explain, request, rule, &out);
	return out;
}

/* The rule fails only because nobody said where the client is: what it would
 * do for a client of its own. */
static void
weigh_for_its_clients(const struct explain *explain,
    struct explain_address *asked, const struct rule *rule,
    struct explain_bearing *out)
{
	struct request request = explain->request;
	struct explain_bearing would;

	request.client.address = rule->clients[0].base;
	would = weigh(explain, &request, &asked->address, rule);
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

static struct explain_bearing
ask(const struct explain *explain, struct explain_address *asked,
    const struct rule *rule)
{
	struct explain_bearing out =
	    weigh(explain, &explain->request, &asked->address, rule);

	if (out.part == PART_FAILS && strcmp(out.failed, "gwClient") == 0 &&
	    explain->request.client.address.family == ADDRESS_NONE)
		weigh_for_its_clients(explain, asked, rule, &out);
	return out;
}

bool
explain_ask(struct explain *explain, const struct rule *rule,
    struct explain_bearing *out)
{
	bool was_asked = false;

	for (size_t i = 0; i < explain->count; i++) {
		struct explain_address *asked = &explain->addresses[i];

		out[i] = (struct explain_bearing){PART_NOT_ASKED, NULL};
		if (asked->is_over)
			continue;
		was_asked = true;
		out[i] = ask(explain, asked, rule);
		asked->is_over = out[i].part >= PART_UNKNOWN;
	}
	return was_asked;
}

static bool
depends(const struct explain_address *asked)
{
	return asked->verdict.decision == DECISION_PERMIT ? asked->might_deny
							  : asked->might_permit;
}

bool
explain_depends_on_client(const struct explain *explain)
{
	bool might_change = false;

	for (size_t i = 0; i < explain->count; i++) {
		const struct explain_address *asked = &explain->addresses[i];

		/* One that is permitted from anywhere is enough. */
		if (asked->verdict.decision == DECISION_PERMIT &&
		    !asked->might_deny)
			return false;
		might_change |= depends(asked);
	}
	return might_change;
}

static int
compare_texts(const void *key, const void *member)
{
	return strcmp(key, *(char *const *)member);
}

void
explain_mark_groups(struct explain *explain, const struct rule *rule)
{
	const struct subject *subject = explain->subject;

	/* bsearch takes no NULL, of nothing either. */
	for (size_t i = 0; subject->count > 0 && i < rule->groups.count; i++) {
		char **found = bsearch(rule->groups.texts[i], subject->groups,
		    subject->count, sizeof(*subject->groups), compare_texts);

		if (found != NULL)
			explain->group_used[found - subject->groups] = true;
	}
}
