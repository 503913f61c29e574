/* SPDX-License-Identifier: ISC */
/*
 * The rules that could match a request, in their order, found by index.
 *
 * A rule is found by its destinations.  What a name will resolve to is not
 * known yet, so then every rule with a network is a candidate: those are
 * found by their subjects.
 */
#include "policy/candidates.h"

#include <string.h>

#include "policy/judge.h"
#include "policy/rule_index.h"
#include "policy/ruleset_private.h"
#include "policy/subject.h"

/* Family, length and octets of a network. */
#define NETWORK_KEY_LEN 18

static struct rule_key
text_key(enum rule_key_kind kind, const char *text)
{
	return (struct rule_key){kind, text, strlen(text)};
}

static struct rule_key
network_key(uint8_t out[NETWORK_KEY_LEN], const struct address *base,
    uint8_t prefix_len)
{
	unsigned rest = prefix_len % 8;
	size_t whole = prefix_len / 8;

	memset(out, 0, NETWORK_KEY_LEN);
	out[0] = (uint8_t)base->family;
	out[1] = prefix_len;
	memcpy(out + 2, base->bytes, whole);
	if (rest != 0)
		out[2 + whole] = base->bytes[whole] & (uint8_t)(0xff00 >> rest);
	return (struct rule_key){RULE_KEY_NETWORK, out, NETWORK_KEY_LEN};
}

static struct rule_key
destination_key(
    uint8_t out[NETWORK_KEY_LEN], const struct destination *destination)
{
	switch (destination->kind) {
	case DESTINATION_NAME:
		return text_key(RULE_KEY_NAME, destination->name);
	case DESTINATION_SUFFIX:
		return text_key(RULE_KEY_SUFFIX, destination->name);
	case DESTINATION_NETWORK:
		return network_key(out, &destination->network.base,
		    destination->network.prefix_len);
	case DESTINATION_ANY:
		break;
	}
	return text_key(RULE_KEY_ANY_DESTINATION, "");
}

static void
note_prefix_len(struct ruleset *ruleset, const struct network *network)
{
	struct prefix_lens *lens =
	    &ruleset->prefix_lens[network->base.family == ADDRESS_IPV6];

	if (memchr(lens->lens, network->prefix_len, lens->count) == NULL)
		lens->lens[lens->count++] = network->prefix_len;
}

static int
index_destinations(struct ruleset *ruleset, const struct target_list *list,
    uint32_t place, const struct rule_list *of_set)
{
	for (size_t i = 0; i < list->destination_count; i++) {
		uint8_t octets[NETWORK_KEY_LEN];
		const struct destination *destination = &list->destinations[i];
		struct rule_key key = destination_key(octets, destination);
		int error =
		    of_set == NULL
			? rule_index_add(ruleset->index, &key, place)
			: rule_index_add_list(ruleset->index, &key, of_set);

		if (error != 0)
			return error;
		if (destination->kind == DESTINATION_NETWORK)
			note_prefix_len(ruleset, &destination->network);
	}
	return 0;
}

static int
index_texts(struct ruleset *ruleset, enum rule_key_kind kind,
    const struct rule_texts *texts, uint32_t place)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct rule_key key = text_key(kind, texts->texts[i]);

		if (rule_index_add(ruleset->index, &key, place) != 0)
			return -1;
	}
	return 0;
}

static int
index_subjects(struct ruleset *ruleset, const struct rule *rule, uint32_t place)
{
	struct rule_key any = text_key(RULE_KEY_ANY_SUBJECT, "");

	if (rule_has_pattern(rule) ||
	    (rule->users.count == 0 && rule->groups.count == 0 &&
		rule->principals.count == 0))
		return rule_index_add(ruleset->index, &any, place);
	if (index_texts(ruleset, RULE_KEY_USER, &rule->users, place) != 0 ||
	    index_texts(ruleset, RULE_KEY_GROUP, &rule->groups, place) != 0)
		return -1;
	return index_texts(
	    ruleset, RULE_KEY_PRINCIPAL, &rule->principals, place);
}

static bool
has_network(const struct rule *rule)
{
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (list->network_first < list->destination_count)
			return true;
	return false;
}

static int
index_commands(struct ruleset *ruleset, const struct rule *rule, uint32_t place)
{
	for (size_t i = 0; i < ARRAY_COUNT(ruleset->command_rules); i++)
		if ((rule->commands & RULE_BIT(i)) != 0 &&
		    rule_list_add(&ruleset->command_rules[i], place) != 0)
			return -1;
	return 0;
}

static int
index_rule(struct ruleset *ruleset, const struct rule *rule, uint32_t place)
{
	if (index_destinations(ruleset, &rule->targets, place, NULL) != 0 ||
	    index_commands(ruleset, rule, place) != 0)
		return -1;
	for (size_t i = 0; i < rule->set_dns.count; i++)
		if (rule_list_add(&rule->sets[i]->rules, place) != 0)
			return -1;
	if (!has_network(rule))
		return 0;
	if (rule_list_add(&ruleset->network_rules, place) != 0)
		return -1;
	return index_subjects(ruleset, rule, place);
}

int
candidates_index(struct ruleset *ruleset)
{
	ruleset->index = rule_index_new();
	if (ruleset->index == NULL)
		return -1;
	for (size_t i = 0; i < ruleset->enabled_count; i++)
		if (index_rule(ruleset, ruleset->rules[i], (uint32_t)i) != 0)
			return -1;
	for (size_t i = 0; i < ruleset->set_count; i++)
		if (index_destinations(ruleset, &ruleset->sets[i]->targets, 0,
			&ruleset->sets[i]->rules) != 0)
			return -1;
	return 0;
}

static void
add_list(struct candidates *candidates, const struct rule_list *list)
{
	if (list->count == 0)
		return;
	if (candidates->count == CANDIDATES_LISTS_MAX) {
		candidates->is_scan = true;
		return;
	}
	candidates->lists[candidates->count].next = list->places;
	candidates->lists[candidates->count].end = list->places + list->count;
	candidates->count++;
}

static void
add_key(struct candidates *candidates, struct rule_key key)
{
	const struct rule_slot *slot =
	    rule_index_find(candidates->ruleset->index, &key);

	if (slot == NULL)
		return;
	add_list(candidates, &slot->own);
	for (size_t i = 0; i < slot->count && !candidates->is_scan; i++)
		add_list(candidates, slot->lists[i]);
}

static void
add_asked(struct candidates *candidates, const struct endpoint *asked)
{
	add_key(candidates, text_key(RULE_KEY_ANY_DESTINATION, ""));
	if (asked->kind != ENDPOINT_NAME)
		return;
	add_key(candidates, text_key(RULE_KEY_NAME, asked->name));
	for (const char *dot = strchr(asked->name, '.'); dot != NULL;
	     dot = strchr(dot + 1, '.'))
		add_key(candidates, text_key(RULE_KEY_SUFFIX, dot));
}

static void
add_networks(struct candidates *candidates, const struct address *address)
{
	const struct prefix_lens *lens =
	    &candidates->ruleset->prefix_lens[address->family == ADDRESS_IPV6];

	for (size_t i = 0; i < lens->count; i++) {
		uint8_t octets[NETWORK_KEY_LEN];

		add_key(
		    candidates, network_key(octets, address, lens->lens[i]));
	}
}

/* Lists are not cleared: only those that are filled are looked at. */
static void
begin(struct candidates *candidates, const struct ruleset *ruleset)
{
	candidates->ruleset = ruleset;
	candidates->count = 0;
	candidates->is_scan = false;
	candidates->next = 0;
}

void
candidates_of_address(struct candidates *candidates,
    const struct ruleset *ruleset, const struct endpoint *asked,
    const struct address *address)
{
	struct address embedded;

	begin(candidates, ruleset);
	add_asked(candidates, asked);
	add_networks(candidates, address);
	if (address_embedded_ipv4(address, &embedded))
		add_networks(candidates, &embedded);
}

static void
add_subject(struct candidates *candidates, const struct identity *identity,
    const struct subject *subject)
{
	add_key(candidates, text_key(RULE_KEY_ANY_SUBJECT, ""));
	add_key(candidates, text_key(RULE_KEY_PRINCIPAL, identity->name));
	if (subject->dn != NULL)
		add_key(candidates, text_key(RULE_KEY_USER, subject->dn));
	for (size_t i = 0; i < subject->count && !candidates->is_scan; i++)
		add_key(
		    candidates, text_key(RULE_KEY_GROUP, subject->groups[i]));
}

/* Is looking for each group less than trying each rule?  To try one costs as
 * much as to look for some. */
static bool
is_worth_asking(const struct subject *subject, const struct ruleset *ruleset)
{
	return subject->count < 4 * ruleset->network_rules.count;
}

void
candidates_of_name(struct candidates *candidates,
    const struct judge_context *context, const struct request *request)
{
	const struct ruleset *ruleset = context->rules;
	size_t count;

	begin(candidates, ruleset);
	add_asked(candidates, &request->destination);
	if (candidates->is_scan || ruleset->network_rules.count == 0)
		return;
	count = candidates->count;
	if (request->identity != NULL && context->subject != NULL &&
	    is_worth_asking(context->subject, ruleset)) {
		add_subject(candidates, request->identity, context->subject);
		if (!candidates->is_scan)
			return;
	}
	/* Nobody known, or in too many groups, or there are but few rules. */
	candidates->count = count;
	candidates->is_scan = false;
	add_list(candidates, &ruleset->network_rules);
}

void
candidates_of_command(struct candidates *candidates,
    const struct ruleset *ruleset, enum command command)
{
	begin(candidates, ruleset);
	add_list(candidates, &ruleset->command_rules[command]);
}

/* The first place of any list; all lists go past it. */
static bool
take_first(struct candidates *candidates, uint32_t *place)
{
	uint32_t first = UINT32_MAX;

	for (size_t i = 0; i < candidates->count; i++)
		if (candidates->lists[i].next < candidates->lists[i].end &&
		    *candidates->lists[i].next < first)
			first = *candidates->lists[i].next;
	for (size_t i = 0; i < candidates->count; i++)
		if (candidates->lists[i].next < candidates->lists[i].end &&
		    *candidates->lists[i].next == first)
			candidates->lists[i].next++;
	*place = first;
	return first != UINT32_MAX;
}

const struct rule *
candidates_next(struct candidates *candidates)
{
	const struct ruleset *ruleset = candidates->ruleset;
	uint32_t place = candidates->next++;

	if (!candidates->is_scan)
		return take_first(candidates, &place) ? ruleset->rules[place]
						      : NULL;
	return place < ruleset->enabled_count ? ruleset->rules[place] : NULL;
}
