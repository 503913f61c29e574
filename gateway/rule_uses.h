/* SPDX-License-Identifier: ISC */
/*
 * What each identity uses of a rule: how many sessions at a time, how many
 * octets a second for all of them together (gwMaxSessions, gwMaxRate).  The
 * rule "" is what an identity's datagrams share (udp.identity_rate_max).
 *
 * Shared by all worker threads.  Who uses a rule goes on until it gives that
 * back, even where the rule's limit has become smaller.  Who gives one back
 * and comes again at once finds its rate as it was.
 */
#ifndef GATEWAY_RULE_USES_H
#define GATEWAY_RULE_USES_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

struct rule_use;
struct rule_uses;
struct rate;
struct rule_limits;

struct rule_uses *rule_uses_new(void) must_check; /* NULL: no memory */
void rule_uses_free(struct rule_uses *uses);	  /* when none is out */

/*
 * One more session of the identity by that rule.  REASON_OK and *use,
 * which is NULL where the rule limits neither; too_many_of_rule; no_memory.
 */
enum reason
rule_uses_take(struct rule_uses *uses, const char *rule, const char *identity,
    const struct rule_limits *limits, struct rule_use **use) must_check;
/* The rule's limits are these now. */
void rule_uses_adjust(struct rule_uses *uses, struct rule_use *use,
    const struct rule_limits *limits);
void rule_uses_give(struct rule_uses *uses, struct rule_use *use); /* or NULL */

/* How many are known: in use, or with a rate that is not full again. */
size_t rule_uses_count(struct rule_uses *uses);

/* The rate for all sessions of this use; lives as long as that.  NULL
 * where there is none, and for a NULL. */
struct rate *rule_uses_rate(struct rule_uses *uses, struct rule_use *use);

#endif
