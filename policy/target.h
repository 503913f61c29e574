/* SPDX-License-Identifier: ISC */
/* Where a rule leads: the values of gwDestination and gwPort, of a rule or
 * of a named set. */
#ifndef POLICY_TARGET_H
#define POLICY_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "policy/rule_index.h"

struct endpoint;

enum destination_kind {
	DESTINATION_ANY,    /* every name and every address */
	DESTINATION_NAME,   /* this name */
	DESTINATION_SUFFIX, /* every name below it */
	DESTINATION_NETWORK /* every address in it */
};

struct destination {
	enum destination_kind kind;
	char *name; /* normalised; of a suffix with the leading dot */
	struct network network;
};

struct port_range {
	uint16_t first, last;
};

/* One of the destinations and one of the ports; no ports: any port.  Sorted,
 * the networks last. */
struct target_list {
	size_t destination_count, network_first;
	struct destination *destinations;
	size_t port_count;
	struct port_range *ports;
};

/* An entry of class gwDestinations. */
struct target_set {
	char *dn; /* as the directory writes it */
	char *normalised_dn;
	char *name;
	struct target_list targets;
	struct rule_list rules; /* the enabled rules that name it */
};

/* What became of one attribute value. */
enum value_outcome { VALUE_TAKEN, VALUE_BAD, VALUE_DOUBLE, VALUE_NO_MEMORY };

enum value_outcome
target_add_destination(struct target_list *list, const char *text) must_check;
enum value_outcome
target_add_port(struct target_list *list, const char *text) must_check;

/* Sort; true if two are the same. */
bool target_has_double_destination(struct target_list *list);
bool target_has_double_port(struct target_list *list);

/* By the name that was asked for, whatever its address. */
bool target_list_has_name(
    const struct target_list *list, const struct endpoint *asked);
/* Every name and every address, at every port. */
bool target_list_is_everything(const struct target_list *list);
bool target_has_port(const struct target_list *list, uint16_t port);
void target_list_fini(struct target_list *list);

/*
 * A CIDR block or an address, strictly.  False for an IPv4 network written
 * in an IPv6 form too: whoever writes it must see what it matches.
 */
bool target_network_parse(const char *text, struct network *network) must_check;
int target_network_compare(const struct network *a, const struct network *b);

/* NULL and errno: EINVAL if it is not a DN, ENOMEM. */
struct target_set *target_set_new(const char *dn) must_check;
void target_set_free(struct target_set *set); /* NULL is fine */

#endif
