/* SPDX-License-Identifier: ISC */
/* The rules that could have all subjects of another, found by an index. */
#ifndef POLICY_RIVALS_H
#define POLICY_RIVALS_H

#include <stddef.h>

#include "base/compiler.h"
#include "policy/rule_index.h"

struct rivals;
struct rule;
struct ruleset;
struct subject_part;

#define RIVALS_LISTS_MAX 3

/* Each list is ascending; `total` are all of them. */
struct rivals_found {
	size_t count, total;
	const struct rule_list *lists[RIVALS_LISTS_MAX];
};

/* Of the enabled rules that do more than report; borrowed for the life of it.
 * NULL when there is no memory. */
struct rivals *rivals_new(const struct ruleset *rules) must_check;
void rivals_free(struct rivals *rivals); /* NULL is fine */

/* All whose subjects are at least those of the rule, or that part of them, are
 * in the lists, and few others. */
void rivals_find(const struct rivals *rivals, const struct rule *rule,
    const struct subject_part *part, struct rivals_found *found);

#endif
