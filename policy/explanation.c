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

_Static_assert(EXPLANATION_ADDRESSES_MAX <= 16, "a bit for each address");

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
explanation_unresolved(struct explanation *explanation, enum reason reason)
{
	struct verdict *verdict = &explanation->verdict;

	/* It was for those clients only whom no rule names. */
	if (verdict->decision == DECISION_DENY)
		*verdict = (struct verdict){
		    .rule = "", .valid_until_us = UINT64_MAX, .reported = ""};
	verdict->decision = DECISION_DEPENDS;
	verdict->reason = reason;
	explanation->count = 1;
	explanation->addresses[0].verdict = *verdict;
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

/* Does the rule fail only because nobody said where the client is?  Then, what
 * it would do for a client of its own. */
static bool
weigh_for_its_clients(const struct explanation *explanation,
    const struct address *address, const struct rule *rule,
    struct explanation_bearing *out)
{
	struct request request = explanation->request;

	if (out->part != PART_FAILS || strcmp(out->failed, "gwClient") != 0 ||
	    request.client.address.family != ADDRESS_NONE)
		return false;
	request.client.address = rule->clients[0].base;
	*out = weigh(explanation, &request, address, rule);
	return out->part != PART_FAILS;
}

/* What it decides for its clients, of each address a bit. */
struct split_bits {
	uint16_t decided, permitted;
};

static void
take_bits(const struct explanation *explanation, size_t i,
    enum explanation_part part, struct split_bits *bits)
{
	const struct address *address = &explanation->addresses[i].address;
	uint16_t port = explanation->request.destination.port;
	uint16_t bit = (uint16_t)(1U << i);

	/* Of a name nothing is permitted. */
	if (part < PART_UNKNOWN || address->family == ADDRESS_NONE)
		return;
	bits->decided |= bit;
	if (part == PART_PERMITS &&
	    !judge_leads_back(&explanation->context, address, port))
		bits->permitted |= bit;
}

static struct explanation_bearing
ask(const struct explanation *explanation, size_t i, const struct rule *rule,
    struct split_bits *bits)
{
	const struct address *address = &explanation->addresses[i].address;
	struct explanation_bearing out =
	    weigh(explanation, &explanation->request, address, rule);

	if (weigh_for_its_clients(explanation, address, rule, &out)) {
		take_bits(explanation, i, out.part, bits);
		out =
		    (struct explanation_bearing){PART_NEEDS_CLIENT, "gwClient"};
	}
	return out;
}

bool
explanation_ask(struct explanation *explanation, const struct rule *rule,
    struct explanation_bearing *out)
{
	struct split_bits bits = {0, 0};
	bool was_asked = false;

	for (size_t i = 0; i < explanation->count; i++) {
		struct explanation_address *asked = &explanation->addresses[i];

		out[i] = (struct explanation_bearing){PART_NOT_ASKED, NULL};
		if (asked->is_over)
			continue;
		was_asked = true;
		out[i] = ask(explanation, i, rule, &bits);
		asked->is_over = out[i].part >= PART_UNKNOWN;
	}
	for (size_t i = 0; bits.decided != 0 && i < rule->client_count; i++)
		client_split_add(&explanation->clients, &rule->clients[i],
		    bits.decided, bits.permitted);
	return was_asked;
}

/* ---- the clients that the question may mean */

bool
explanation_has_look(const struct explanation *explanation)
{
	return explanation->request.destination.kind == ENDPOINT_NAME &&
	       explanation->request.client.address.family == ADDRESS_NONE &&
	       explanation->verdict.decision == DECISION_DENY &&
	       explanation_asks_rules(explanation);
}

enum explanation_hint
explanation_look(const struct explanation *explanation, const struct rule *rule)
{
	const struct address none = {.family = ADDRESS_NONE};
	struct explanation_bearing bearing =
	    weigh(explanation, &explanation->request, &none, rule);

	if (bearing.part == PART_UNKNOWN || bearing.part == PART_DENIES)
		return HINT_CLOSED;
	if (rule->permits && !rule->is_report_only &&
	    weigh_for_its_clients(explanation, &none, rule, &bearing) &&
	    bearing.part != PART_UNKNOWN)
		return HINT_RESOLVE;
	return HINT_NONE;
}

static uint16_t
permitted_bits(const struct explanation *explanation)
{
	uint16_t bits = 0;

	for (size_t i = 0; i < explanation->count; i++)
		if (explanation->addresses[i].verdict.decision ==
		    DECISION_PERMIT)
			bits |= (uint16_t)(1U << i);
	return bits;
}

static struct verdict
judge_for(const struct explanation *explanation, const struct address *client)
{
	struct explanation somebody = {
	    .context = explanation->context, .request = explanation->request};
	struct address addresses[EXPLANATION_ADDRESSES_MAX];

	for (size_t i = 0; i < explanation->count; i++)
		addresses[i] = explanation->addresses[i].address;
	somebody.request.client.address = *client;
	explanation_begin(&somebody);
	if (somebody.verdict.decision == DECISION_DEPENDS)
		explanation_judge(&somebody, addresses, explanation->count);
	return somebody.verdict;
}

enum decision
explanation_decide(struct explanation *explanation)
{
	const struct client_split *clients = &explanation->clients;
	bool permits;

	if (clients->count == 0)
		return explanation->verdict.decision;
	if (client_split_differs(
		clients, permitted_bits(explanation), &permits))
		return DECISION_DEPENDS;
	if (permits != (explanation->verdict.decision == DECISION_PERMIT))
		explanation->verdict =
		    judge_for(explanation, &clients->parts[0].network.base);
	return explanation->verdict.decision;
}
