/* SPDX-License-Identifier: ISC */
/* What was counted, written into the diagnostic log from time to time. */
#ifndef GATEWAY_STATISTICS_H
#define GATEWAY_STATISTICS_H

#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct shared;
struct statistics;

/* Writes nothing until it has an interval.  `shared` is borrowed; its budgets
 * are there.  NULL without memory. */
struct statistics *
statistics_new(struct event_base *base, struct shared *shared) must_check;

/* One line each `seconds` from now on when something was counted since the
 * last; 0: none. */
void statistics_set_interval(struct statistics *statistics, uint64_t seconds);

/* Writes the last line if anything was counted since.  NULL is fine. */
void statistics_free(struct statistics *statistics);

#endif
