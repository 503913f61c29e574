/* SPDX-License-Identifier: ISC */
/* What a rule set holds, for judge.c. */
#ifndef POLICY_RULESET_PRIVATE_H
#define POLICY_RULESET_PRIVATE_H

#include <stdatomic.h>

#include "policy/rule.h"
#include "policy/ruleset.h"

struct ruleset {
	atomic_uint references;
	uint64_t generation;
	size_t set_count;
	struct target_set **sets; /* by their normalised DNs */
	size_t rule_count;
	struct rule **rules; /* all: first the enabled, in their order */
	size_t enabled_count;
	bool needs_subject;
};

#endif
