/* SPDX-License-Identifier: ISC */
/*
 * What a rule leaves to each identity: how many sessions at a time, how many
 * octets a second for all of them together (gwMaxSessions, gwMaxRate).
 *
 * Shared by all worker threads.  Who has an allowance keeps it until it is
 * given back, even where the rule's limit has become smaller.
 */
#ifndef GATEWAY_ALLOWANCES_H
#define GATEWAY_ALLOWANCES_H

#include "base/compiler.h"
#include "base/reason.h"

struct allowance;
struct allowances;
struct rate;
struct rule_limits;

struct allowances *allowances_new(void) must_check;  /* NULL: no memory */
void allowances_free(struct allowances *allowances); /* when none is out */

/*
 * One more session of the identity by that rule.  REASON_OK and *allowance,
 * which is NULL where the rule limits neither; too_many_of_rule; no_memory.
 */
enum reason allowances_take(struct allowances *allowances, const char *rule,
    const char *identity, const struct rule_limits *limits,
    struct allowance **allowance) must_check;
/* The rule's limits are these now. */
void allowances_adjust(struct allowances *allowances,
    struct allowance *allowance, const struct rule_limits *limits);
void allowances_give(
    struct allowances *allowances, struct allowance *allowance); /* or NULL */

/* The rate for all sessions with this allowance; lives as long as that.  NULL
 * where there is none, and for a NULL. */
struct rate *
allowances_rate(struct allowances *allowances, struct allowance *allowance);

#endif
