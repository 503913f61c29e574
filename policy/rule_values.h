/* SPDX-License-Identifier: ISC */
/* The attributes of rules and sets, and how their values are read. */
#ifndef POLICY_RULE_VALUES_H
#define POLICY_RULE_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/target.h"

struct entry;
struct rule;

/* What is being made: a rule, or a set (then `rule` is NULL). */
struct rule_draft {
	struct rule *rule;
	struct target_list *targets;
	char **name;

	const struct entry *entry;
	char *why; /* cleared: no memory, unless it is written */
	size_t why_size;
};

/* Where an attribute may stand. */
enum { IN_RULE = 1, IN_SET = 2 };

struct rule_value {
	const char *name;
	unsigned classes;
	unsigned required; /* in these classes */
	bool is_many;
	enum value_outcome (*parse)(
	    struct rule_draft *draft, const char *value);
	/* For lists: sorts, and says whether two values are the same. */
	bool (*has_double)(struct rule_draft *draft);
	const char *allowed; /* completes "must be" */
};

/* NULL if there is no such attribute in that class; in any case. */
const struct rule_value *rule_value_find(const char *name, unsigned class);
/* The i-th of all; NULL behind the last. */
const struct rule_value *rule_value_at(size_t i);

#endif
