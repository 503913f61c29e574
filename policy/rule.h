/* SPDX-License-Identifier: ISC */
/* One rule: what an entry of class gwRule says, checked. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/protection.h"
#include "policy/schedule.h"
#include "policy/target.h"

#define RULE_ORDER_DEFAULT 1000

/* Bits of rule.commands and rule.methods. */
#define RULE_BIT(enumerator) (1U << (unsigned)(enumerator))

/* Texts of one attribute, sorted by strcmp. */
struct rule_texts {
	size_t count;
	char **texts;
};

/* What a permission comes with; 0: no limit of this rule. */
struct rule_limits {
	uint64_t max_sessions;	 /* at a time, of each identity */
	uint64_t max_rate;	 /* octets a second, of each identity */
	uint64_t max_duration_s; /* of a session */
	uint64_t idle_timeout_s;
	struct address egress; /* to dial from; ADDRESS_NONE: any */
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
	bool is_report_only;
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
	struct rule_texts indicators;
	size_t schedule_count;
	struct schedule *schedules;
	int64_t not_before, not_after; /* seconds since 1970 */
	struct rule_limits limits;
};

/* NULL and errno: EINVAL if it is not a DN, ENOMEM. */
struct rule *rule_new(const char *dn) must_check;
void rule_free(struct rule *rule); /* NULL is fine */

/* The order in which rules are asked. */
int rule_compare(const struct rule *a, const struct rule *b);

/* The rule's own list of targets (0) or one of its sets'; NULL after the
 * last. */
const struct target_list *rule_targets(const struct rule *rule, size_t i);
/* Some list of targets has the name that was asked for, and its port. */
bool rule_has_name(const struct rule *rule, const struct endpoint *asked);
/* Some gwPrincipal of it has a star. */
bool rule_has_pattern(const struct rule *rule);
/* The list has the port, and the rule's own ports, which narrow it, too. */
bool rule_has_port(const struct rule *rule, size_t i, uint16_t port);
/* Every destination at every port. */
bool rule_is_about_everything(const struct rule *rule);

#endif
