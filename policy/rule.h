/* SPDX-License-Identifier: ISC */
/* One rule: what an entry of class gwRule says, checked. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/protection.h"
#include "policy/target.h"

#define RULE_ORDER_DEFAULT 1000

/* Bits of rule.commands and rule.methods. */
#define RULE_BIT(enumerator) (1U << (unsigned)(enumerator))

/* Texts of one attribute, sorted by strcmp. */
struct rule_texts {
	size_t count;
	char **texts;
};

/*
 * An attribute that the entry does not have is an empty list, which matches
 * everything, or its default.
 */
struct rule {
	char *dn; /* as the directory writes it */
	char *normalised_dn;
	char *name;
	bool permits;
	bool is_disabled;
	uint32_t order;
	struct rule_texts users, groups; /* normalised DNs */
	struct rule_texts principals;
	struct rule_texts listeners;
	size_t client_count;
	struct network *clients;
	struct target_list targets;
	struct rule_texts set_dns; /* normalised */
	/* Borrowed from the rule set, as many as set_dns. */
	struct target_set **sets;
	unsigned commands, methods; /* at least one bit */
	enum protection protection;
};

/* NULL and errno: EINVAL if it is not a DN, ENOMEM. */
struct rule *rule_new(const char *dn) must_check;
void rule_free(struct rule *rule); /* NULL is fine */

/* The order in which rules are asked. */
int rule_compare(const struct rule *a, const struct rule *b);

/* The rule's own list of targets (0) or one of its sets'; NULL after the
 * last. */
const struct target_list *rule_targets(const struct rule *rule, size_t i);
/* The list has the port, and the rule's own ports, which narrow it, too. */
bool rule_has_port(const struct rule *rule, size_t i, uint16_t port);

#endif
