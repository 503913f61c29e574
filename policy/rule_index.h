/* SPDX-License-Identifier: ISC */
/*
 * From a key (a name, a network, a group ...) to the rules that have it, by
 * their places in the order.  Written once, then only read.
 */
#ifndef POLICY_RULE_INDEX_H
#define POLICY_RULE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum rule_key_kind {
	RULE_KEY_ANY_DESTINATION,
	RULE_KEY_NAME,
	RULE_KEY_SUFFIX,
	RULE_KEY_NETWORK,
	RULE_KEY_USER,
	RULE_KEY_GROUP,
	RULE_KEY_PRINCIPAL,
	RULE_KEY_ANY_SUBJECT
};

struct rule_key {
	enum rule_key_kind kind;
	const void *octets; /* borrowed */
	size_t len;
};

/* Places, ascending. */
struct rule_list {
	size_t count, size;
	uint32_t *places;
};

/* What a key leads to: rules that have it, and the lists of those that have
 * it by way of a set. */
struct rule_slot {
	struct rule_list own;
	size_t count, size;
	const struct rule_list **lists; /* borrowed */
};

struct rule_index;

struct rule_index *rule_index_new(void) must_check;
void rule_index_free(struct rule_index *index); /* NULL is fine */

/* Places must come ascending, each once.  0, or -1 when there is no memory. */
int rule_list_add(struct rule_list *list, uint32_t place) must_check;
int rule_index_add(struct rule_index *index, const struct rule_key *key,
    uint32_t place) must_check;
int rule_index_add_list(struct rule_index *index, const struct rule_key *key,
    const struct rule_list *list) must_check;

/* NULL if no rule has the key. */
const struct rule_slot *
rule_index_find(const struct rule_index *index, const struct rule_key *key);

#endif
