/* SPDX-License-Identifier: ISC */
/* What a rule set holds, for the judge. */
#ifndef POLICY_RULESET_PRIVATE_H
#define POLICY_RULESET_PRIVATE_H

#include <stdatomic.h>

#include "base/request.h"
#include "policy/rule.h"
#include "policy/rule_index.h"
#include "policy/ruleset.h"

/* The lengths that networks of a family have in some rule. */
struct prefix_lens {
	size_t count;
	uint8_t lens[129];
};

struct ruleset {
	atomic_uint references;
	uint64_t generation;
	size_t set_count;
	struct target_set **sets; /* by their normalised DNs */
	size_t rule_count;
	struct rule **rules; /* all: first the enabled, in their order */
	size_t enabled_count;
	bool needs_subject;

	/* See candidates.c. */
	struct rule_index *index;
	struct rule_list network_rules;
	struct rule_list command_rules[COMMAND_UDP + 1]; /* by the command */
	struct prefix_lens prefix_lens[2];		 /* IPv4, IPv6 */
};

#endif
