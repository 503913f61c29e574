/* SPDX-License-Identifier: ISC */
/* Hours of the week in a time zone: the values of gwSchedule. */
#ifndef POLICY_SCHEDULE_H
#define POLICY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/target.h"

struct zone;

/*
 * What the clocks of the zone show counts: an hour that is skipped in spring
 * is not there, one that comes twice in autumn is there twice.
 */
struct schedule {
	uint8_t days; /* bit 0 is Sunday */
	uint16_t start,
	    end; /* minutes of the day, end is behind it; an end
		  * that is not after the start is on the next day */
	struct zone *zone;
};

/*
 * "Mon-Fri 08:00-18:00 Europe/Amsterdam": days (names, ranges, with commas
 * between, in any case), from and until (24:00 is the day's end; 22:00-06:00
 * goes on into the next day and belongs to the first), zone.  One space in
 * between.
 */
enum value_outcome
schedule_parse(struct schedule *schedule, const char *text) must_check;
void schedule_fini(struct schedule *schedule);

/* Do they, and is it so, at that moment (seconds since 1970)? */
bool schedule_holds(const struct schedule *schedule, int64_t at);
/* When it is next the other way; INT64_MAX if never. */
int64_t schedule_next_change(const struct schedule *schedule, int64_t at);

/* In the same way for equal values. */
int schedule_compare(const struct schedule *a, const struct schedule *b);

#endif
