/* SPDX-License-Identifier: ISC */
/*
 * How much of what a rule could decide an earlier rule decides before it.
 *
 * A denial decides whatever it reaches, in whatever way.  A permission
 * decides only what it reaches fully (judge.c): by a name no special address,
 * by a network no special one of which it is not a part, and none that merely
 * carries an address in it.  So a permission takes everything from a later
 * permission that opens no more, but from a later denial only what is
 * ordinary.
 */
#include "policy/coverage.h"

#include <stdint.h>
#include <string.h>

#include "base/endpoint.h"
#include "policy/gap.h"
#include "policy/judge.h"
#include "policy/networks.h"
#include "policy/rule.h"
#include "policy/special.h"
#include "policy/subsume.h"

#define PORTS_END 65536U

struct question {
	const struct rule *earlier, *later;
	const struct own_addresses *own; /* NULL: not known */
	const struct destination *asked;
	uint16_t port;
	size_t *effort;
};

static bool
is_within(const struct network *inner, const struct network *outer)
{
	return inner->prefix_len >= outer->prefix_len &&
	       network_has(outer, &inner->base);
}

static bool
is_same(const struct network *a, const struct network *b)
{
	return a->prefix_len == b->prefix_len && is_within(a, b);
}

static bool
is_host(const struct network *network)
{
	return network->prefix_len ==
	       (network->base.family == ADDRESS_IPV4 ? 32 : 128);
}

/* ---- the earlier rule's destinations */

/* Its list of that number, if it matches at the port. */
static const struct target_list *
active_list(const struct question *question, size_t i)
{
	return rule_has_port(question->earlier, i, question->port)
		   ? rule_targets(question->earlier, i)
		   : NULL;
}

static bool
has_suffix(const struct target_list *list, const char *suffix)
{
	for (size_t i = 0; i < list->network_first; i++)
		if (list->destinations[i].kind == DESTINATION_SUFFIX &&
		    strcmp(list->destinations[i].name, suffix) == 0)
			return true;
	return false;
}

/* Names of hosts and domains, and what is below a domain. */
static bool
list_has_name(const struct target_list *list, const struct destination *asked)
{
	if (list->network_first == 0)
		return false;
	if (list->destinations[0].kind == DESTINATION_ANY)
		return true;
	if (asked->kind == DESTINATION_NAME) {
		struct endpoint endpoint = {.kind = ENDPOINT_NAME};

		memcpy(endpoint.name, asked->name, strlen(asked->name) + 1);
		return target_list_has_name(list, &endpoint);
	}
	if (asked->kind != DESTINATION_SUFFIX)
		return false;
	for (const char *dot = asked->name; dot != NULL;
	     dot = strchr(dot + 1, '.'))
		if (has_suffix(list, dot))
			return true;
	return false;
}

static bool
has_name(const struct question *question)
{
	const struct target_list *list;

	for (size_t i = 0; rule_targets(question->earlier, i) != NULL; i++) {
		list = active_list(question, i);
		if (list == NULL)
			continue;
		/* Names are found by bisection, domains one by one. */
		*question->effort += question->asked->kind == DESTINATION_SUFFIX
					 ? list->network_first
					 : 1;
		if (list_has_name(list, question->asked))
			return true;
	}
	return false;
}

/* Calls back for each network that is active; stops at true. */
typedef bool network_fn(void *arg, const struct network *network);

static bool
find_network(const struct question *question, network_fn *is_found, void *arg)
{
	const struct target_list *list;

	for (size_t i = 0; rule_targets(question->earlier, i) != NULL; i++) {
		list = active_list(question, i);
		if (list == NULL)
			continue;
		*question->effort += list->destination_count;
		for (size_t j = list->network_first;
		     j < list->destination_count; j++)
			if (is_found(arg, &list->destinations[j].network))
				return true;
	}
	return false;
}

static bool
holds_it(void *asked, const struct network *network)
{
	return is_within(asked, network);
}

static bool
is_inside_it(void *asked, const struct network *network)
{
	return is_within(network, asked);
}

static bool
is_the_same(void *asked, const struct network *network)
{
	return is_same(network, asked);
}

/* ---- all of its networks together */

static bool
take_it(void *arg, const struct network *network)
{
	networks_add(arg, network);
	return false;
}

static bool
are_covering(const struct question *question, const struct network *asked,
    enum networks_but but)
{
	struct networks all = {0};
	bool is_covered;

	(void)find_network(question, take_it, &all);
	is_covered = networks_cover(&all, asked, but);
	networks_fini(&all);
	return is_covered;
}

/* What covers a network must have a part of it at least. */
static bool
has_all_of(const struct question *question, enum networks_but but)
{
	struct network asked = question->asked->network;

	if (has_name(question) || find_network(question, holds_it, &asked))
		return true;
	return find_network(question, is_inside_it, &asked) &&
	       are_covering(question, &asked, but);
}

/* ---- what the asked network is */

/* The special block that it lies in; NULL if in none. */
static const struct network *
block_of(const struct network *network)
{
	size_t count;
	const struct network *blocks = special_blocks(&count);

	for (size_t i = 0; i < count; i++)
		if (is_within(network, &blocks[i]))
			return &blocks[i];
	return NULL;
}

static bool
is_special_host(const struct network *network, const struct own_addresses *own)
{
	uint8_t opening_len;

	return is_host(network) &&
	       special_find(&network->base, own, &opening_len);
}

/* No address of it is ordinary. */
static bool
is_extraordinary(const struct question *question)
{
	const struct network *network = &question->asked->network, *carrier;

	for (size_t i = 0; (carrier = gap_carrier(i)) != NULL; i++)
		if (is_within(network, carrier))
			return true;
	return block_of(network) != NULL ||
	       is_special_host(network, question->own);
}

static bool
overlap(const struct network *a, const struct network *b)
{
	return is_within(a, b) || is_within(b, a);
}

/* No address of it is special, carried or a carrier. */
static bool
is_plain(const struct question *question)
{
	const struct network *network = &question->asked->network, *carrier;
	size_t count;
	const struct network *blocks = special_blocks(&count);

	if (network->base.family == ADDRESS_IPV4 || question->own == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (overlap(network, &blocks[i]))
			return false;
	for (size_t i = 0; (carrier = gap_carrier(i)) != NULL; i++)
		if (overlap(network, carrier))
			return false;
	for (size_t i = 0; i < question->own->count; i++)
		if (network_has(network, &question->own->addresses[i]))
			return false;
	return true;
}

/* ---- a permission first */

struct opening {
	struct network asked;
	const struct network *block;
};

static bool
opens_as_much(void *arg, const struct network *network)
{
	const struct opening *opening = arg;

	return is_within(&opening->asked, network) &&
	       is_within(network, opening->block);
}

/* Permits all that the later network permits. */
static bool
permits_all(const struct question *question)
{
	struct opening opening = {.asked = question->asked->network};
	bool may_be_special =
	    question->own == NULL
		? is_host(&opening.asked)
		: is_special_host(&opening.asked, question->own);

	opening.block = block_of(&opening.asked);
	if (opening.block != NULL)
		return find_network(question, opens_as_much, &opening);
	if (may_be_special)
		return find_network(question, is_the_same, &opening.asked);
	return has_all_of(question, NETWORKS_BUT_SPECIAL);
}

/* The later rule denies what it reaches in whatever way where the directory
 * does not say who somebody is; then the earlier one must, too. */
static bool
is_unknown_alike(const struct question *question)
{
	const struct rule *earlier = question->earlier;
	const struct rule *later = question->later;

	return later->is_report_only || !subsume_asks_directory(later) ||
	       (subsume_asks_directory(earlier) &&
		   earlier->principals.count == 0);
}

/* Where every address was denied before, a report is made by name still. */
static enum coverage
name_by_permission(const struct question *question)
{
	const struct rule *later = question->later;

	if (!has_name(question))
		return COVERAGE_NONE;
	return later->permits && !later->is_report_only &&
		       is_unknown_alike(question)
		   ? COVERAGE_WHOLE
		   : COVERAGE_ORDINARY;
}

static bool
takes_whole_network(const struct question *question)
{
	const struct rule *later = question->later;
	bool asks = subsume_asks_directory(later) && !later->is_report_only;

	if (is_plain(question))
		return permits_all(question);
	return later->permits && is_unknown_alike(question) &&
	       permits_all(question) &&
	       (!asks || has_all_of(question, NETWORKS_BUT_CARRIED));
}

static enum coverage
network_by_permission(const struct question *question)
{
	if (takes_whole_network(question))
		return COVERAGE_WHOLE;
	return !is_extraordinary(question) &&
		       has_all_of(question, NETWORKS_BUT_EXTRAORDINARY)
		   ? COVERAGE_ORDINARY
		   : COVERAGE_NONE;
}

/* ---- a denial first */

/* A UDP association opens by the first permission, and is denied by the first
 * denial of everything, whatever else was denied before. */
static bool
decides_association(const struct question *question)
{
	const struct rule *later = question->later;

	return (later->commands & RULE_BIT(COMMAND_UDP)) != 0 &&
	       !later->is_report_only &&
	       (later->permits || rule_is_about_everything(later)) &&
	       !rule_is_about_everything(question->earlier);
}

static enum coverage
by_denial(const struct question *question)
{
	bool is_name = question->asked->kind != DESTINATION_NETWORK;

	if (is_name ? has_name(question)
		    : has_all_of(question, NETWORKS_BUT_CARRIED))
		return decides_association(question) ? COVERAGE_ORDINARY
						     : COVERAGE_WHOLE;
	return !is_name && !is_extraordinary(question) &&
		       has_all_of(question, NETWORKS_BUT_EXTRAORDINARY)
		   ? COVERAGE_ORDINARY
		   : COVERAGE_NONE;
}

/* ---- ports */

static enum coverage
at_port(struct question *question, unsigned port)
{
	question->port = (uint16_t)port;
	if (!question->earlier->permits)
		return by_denial(question);
	return question->asked->kind == DESTINATION_NETWORK
		   ? network_by_permission(question)
		   : name_by_permission(question);
}

/* Where a port and the one before it may differ, from `port` on. */
static unsigned
next_edge(const struct rule *rule, unsigned port)
{
	const struct target_list *list;
	unsigned next = PORTS_END;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++) {
		for (size_t j = 0; j < list->port_count; j++) {
			unsigned first = list->ports[j].first;
			unsigned behind = list->ports[j].last + 1U;

			if (first >= port && first < next)
				next = first;
			if (behind >= port && behind < next)
				next = behind;
		}
	}
	return next;
}

bool
coverage_find_port(const struct rule *rule, size_t list, unsigned *port)
{
	for (*port = 0; *port < PORTS_END; *port = next_edge(rule, *port + 1))
		if (rule_has_port(rule, list, (uint16_t)*port))
			return true;
	return false;
}

enum coverage
coverage_of(const struct rule *earlier, const struct rule *later, size_t list,
    const struct destination *destination, const struct own_addresses *own,
    size_t *effort)
{
	struct question question = {
	    .earlier = earlier,
	    .later = later,
	    .own = own,
	    .asked = destination,
	    .effort = effort,
	};
	enum coverage least = COVERAGE_WHOLE;
	unsigned port = 0, next;

	while (port < PORTS_END && least != COVERAGE_NONE) {
		if (rule_has_port(later, list, (uint16_t)port)) {
			enum coverage coverage = at_port(&question, port);

			least = coverage < least ? coverage : least;
		}
		next = next_edge(earlier, port + 1);
		port = next_edge(later, port + 1);
		port = next < port ? next : port;
	}
	return least;
}
