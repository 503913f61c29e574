/* SPDX-License-Identifier: ISC */
/*
 * What went by each rule since the program's start: sessions that have ended,
 * and their octets.
 *
 * Shared by all threads; locked for a moment at a session's end.
 */
#ifndef GATEWAY_RULE_TOTALS_H
#define GATEWAY_RULE_TOTALS_H

#include <stdint.h>

#include "base/compiler.h"

#define RULE_TOTALS_MAX 1000 /* rules by name; the rest is one, "" */

struct rule_totals;

struct rule_totals *rule_totals_new(void) must_check; /* NULL: no memory */
void rule_totals_free(struct rule_totals *totals);

/* A session that a rule permitted has ended. */
void rule_totals_add(struct rule_totals *totals, const char *rule,
    uint64_t to_target, uint64_t to_client);

/* Each rule in the order of their names; nobody waits meanwhile. */
typedef void rule_totals_fn(void *arg, const char *rule, uint64_t sessions,
    uint64_t to_target, uint64_t to_client);
void
rule_totals_each(struct rule_totals *totals, rule_totals_fn *each, void *arg);

#endif
