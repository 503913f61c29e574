/* SPDX-License-Identifier: ISC */
/*
 * A time zone of the tz database, for schedules: how far its clocks are from
 * UTC at a moment.
 *
 * Reads the zone's file when it is made (and does no I/O afterwards), so it
 * belongs into the building of a rule set, not into judging.
 */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include <stdint.h>

#include "base/compiler.h"

struct zone;

/* "Europe/Amsterdam", "UTC" ...  NULL if the database has no such name. */
struct zone *zone_new(const char *name) must_check;
void zone_free(struct zone *zone); /* NULL is fine */

/* Seconds to add to UTC; `at` in seconds since 1970.  From any thread. */
int64_t zone_offset(const struct zone *zone, int64_t at);

/*
 * The first moment in (from, until] at which the offset is another than it is
 * at `from`, else `until`.  Finds one shift between them: keep them days
 * apart, not months.
 */
int64_t zone_next_shift(const struct zone *zone, int64_t from, int64_t until);

/* By name, as strcmp does. */
int zone_compare(const struct zone *a, const struct zone *b);

#endif
