/* SPDX-License-Identifier: ISC */
/* Where a rule leads: destinations and ports. */
#include "policy/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/text.h"
#include "policy/dn.h"

bool
target_network_parse(const char *text, struct network *network)
{
	if (!network_parse(text, network))
		return false;
	return network->base.family == ADDRESS_IPV6 ||
	       strchr(text, ':') == NULL;
}

int
target_network_compare(const struct network *a, const struct network *b)
{
	int order = (a->base.family > b->base.family) -
		    (a->base.family < b->base.family);

	if (order == 0)
		order =
		    memcmp(a->base.bytes, b->base.bytes, sizeof(a->base.bytes));
	return order != 0 ? order : a->prefix_len - b->prefix_len;
}

/* *name is malloc'ed if it is one. */
static enum value_outcome
parse_name(const char *text, const char *prefix, char **name)
{
	struct endpoint endpoint;

	if (!endpoint_from_name(text, strlen(text), 0, &endpoint) ||
	    endpoint.kind != ENDPOINT_NAME)
		return VALUE_BAD;
	if (asprintf(name, "%s%s", prefix, endpoint.name) < 0) {
		*name = NULL;
		return VALUE_NO_MEMORY;
	}
	return VALUE_TAKEN;
}

static enum value_outcome
parse_destination(const char *text, struct destination *destination)
{
	if (strcmp(text, "*") == 0) {
		destination->kind = DESTINATION_ANY;
		return VALUE_TAKEN;
	}
	if (strncmp(text, "*.", 2) == 0) {
		destination->kind = DESTINATION_SUFFIX;
		return parse_name(text + 2, ".", &destination->name);
	}
	if (target_network_parse(text, &destination->network)) {
		destination->kind = DESTINATION_NETWORK;
		return VALUE_TAKEN;
	}
	destination->kind = DESTINATION_NAME;
	return parse_name(text, "", &destination->name);
}

enum value_outcome
target_add_destination(struct target_list *list, const char *text)
{
	struct destination destination = {.name = NULL}, *grown;
	enum value_outcome outcome = parse_destination(text, &destination);

	if (outcome != VALUE_TAKEN)
		return outcome;
	grown = reallocarray(
	    list->destinations, list->destination_count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(destination.name);
		return VALUE_NO_MEMORY;
	}
	list->destinations = grown;
	grown[list->destination_count++] = destination;
	return VALUE_TAKEN;
}

/* A port, or two with a hyphen between them. */
static bool
parse_ports(const char *text, struct port_range *range)
{
	char first_text[8];
	const char *hyphen = strchr(text, '-');
	size_t len = hyphen == NULL ? strlen(text) : (size_t)(hyphen - text);
	uint64_t first, last;

	if (len >= sizeof(first_text))
		return false;
	memcpy(first_text, text, len);
	first_text[len] = '\0';
	if (!text_parse_u64(first_text, 1, UINT16_MAX, &first))
		return false;
	last = first;
	if (hyphen != NULL &&
	    !text_parse_u64(hyphen + 1, first, UINT16_MAX, &last))
		return false;
	range->first = (uint16_t)first;
	range->last = (uint16_t)last;
	return true;
}

enum value_outcome
target_add_port(struct target_list *list, const char *text)
{
	struct port_range range, *grown;

	if (!parse_ports(text, &range))
		return VALUE_BAD;
	grown = reallocarray(list->ports, list->port_count + 1, sizeof(*grown));
	if (grown == NULL)
		return VALUE_NO_MEMORY;
	list->ports = grown;
	grown[list->port_count++] = range;
	return VALUE_TAKEN;
}

static int
compare_destinations(const void *a, const void *b)
{
	const struct destination *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->name != NULL)
		return strcmp(left->name, right->name);
	return target_network_compare(&left->network, &right->network);
}

bool
target_has_double_destination(struct target_list *list)
{
	struct destination *items = list->destinations;

	qsort(items, list->destination_count, sizeof(*items),
	    compare_destinations);
	list->network_first = 0;
	while (list->network_first < list->destination_count &&
	       items[list->network_first].kind != DESTINATION_NETWORK)
		list->network_first++;
	for (size_t i = 1; i < list->destination_count; i++)
		if (compare_destinations(&items[i - 1], &items[i]) == 0)
			return true;
	return false;
}

static int
compare_ports(const void *a, const void *b)
{
	const struct port_range *left = a, *right = b;

	if (left->first != right->first)
		return left->first - right->first;
	return left->last - right->last;
}

bool
target_has_double_port(struct target_list *list)
{
	struct port_range *items = list->ports;

	qsort(items, list->port_count, sizeof(*items), compare_ports);
	for (size_t i = 1; i < list->port_count; i++)
		if (compare_ports(&items[i - 1], &items[i]) == 0)
			return true;
	return false;
}

static bool
has_destination(
    const struct target_list *list, enum destination_kind kind, char *name)
{
	struct destination wanted = {.kind = kind, .name = name};

	return bsearch(&wanted, list->destinations, list->network_first,
		   sizeof(wanted), compare_destinations) != NULL;
}

bool
target_list_has_name(
    const struct target_list *list, const struct endpoint *asked)
{
	char name[HOST_NAME_SIZE];

	if (list->network_first == 0)
		return false;
	if (list->destinations[0].kind == DESTINATION_ANY)
		return true;
	if (asked->kind != ENDPOINT_NAME)
		return false;
	memcpy(name, asked->name, sizeof(name));
	if (has_destination(list, DESTINATION_NAME, name))
		return true;
	for (char *dot = strchr(name, '.'); dot != NULL;
	     dot = strchr(dot + 1, '.'))
		if (has_destination(list, DESTINATION_SUFFIX, dot))
			return true;
	return false;
}

bool
target_list_is_everything(const struct target_list *list)
{
	return list->port_count == 0 && list->network_first > 0 &&
	       list->destinations[0].kind == DESTINATION_ANY;
}

bool
target_has_port(const struct target_list *list, uint16_t port)
{
	for (size_t i = 0; i < list->port_count; i++)
		if (port >= list->ports[i].first && port <= list->ports[i].last)
			return true;
	return list->port_count == 0;
}

void
target_list_fini(struct target_list *list)
{
	for (size_t i = 0; i < list->destination_count; i++)
		free(list->destinations[i].name);
	free(list->destinations);
	free(list->ports);
}

struct target_set *
target_set_new(const char *dn)
{
	struct target_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->dn = strdup(dn);
	set->normalised_dn = dn_normalise(dn);
	if (set->dn == NULL || set->normalised_dn == NULL) {
		target_set_free(set);
		return NULL;
	}
	return set;
}

void
target_set_free(struct target_set *set)
{
	if (set == NULL)
		return;
	target_list_fini(&set->targets);
	free(set->rules.places);
	free(set->name);
	free(set->normalised_dn);
	free(set->dn);
	free(set);
}
