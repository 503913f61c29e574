/* SPDX-License-Identifier: ISC */
/* Hours of the week in a time zone. */
#include "policy/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/zone.h"

#define DAY	  INT64_C(86400)
#define DAY_NAME  3
#define CLOCK_LEN 5 /* hh:mm */
#define MIDNIGHT  (24 * 60)
/* Behind a week everything comes again, but for the zone's shifts. */
#define LOOK_AHEAD (9 * DAY)

static const char *const day_names[] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
#define DAYS ((unsigned)ARRAY_COUNT(day_names))

/* ---- the form ---- */

/* Each takes what it reads off the text; false if it is not there. */

static bool
take(const char **text, char octet)
{
	if (**text != octet)
		return false;
	(*text)++;
	return true;
}

static bool
take_day(const char **text, unsigned *day)
{
	for (*day = 0; *day < DAYS; (*day)++) {
		if (strncasecmp(*text, day_names[*day], DAY_NAME) == 0) {
			*text += DAY_NAME;
			return true;
		}
	}
	return false;
}

/* Mon, or Mon-Fri, or Sat-Mon. */
static bool
take_days(const char **text, uint8_t *days)
{
	unsigned first, last;

	if (!take_day(text, &first))
		return false;
	last = first;
	if (take(text, '-') && !take_day(text, &last))
		return false;
	for (unsigned day = first;; day = (day + 1) % DAYS) {
		*days |= (uint8_t)(1U << day);
		if (day == last)
			return true;
	}
}

static bool
is_digit(char octet)
{
	return octet >= '0' && octet <= '9';
}

static bool
take_clock(const char **text, uint16_t *minutes)
{
	const char *clock = *text;
	unsigned hour, minute;

	if (strnlen(clock, CLOCK_LEN) < CLOCK_LEN || clock[2] != ':' ||
	    !is_digit(clock[0]) || !is_digit(clock[1]) || !is_digit(clock[3]) ||
	    !is_digit(clock[4]))
		return false;
	hour = (unsigned)(clock[0] - '0') * 10 + (unsigned)(clock[1] - '0');
	minute = (unsigned)(clock[3] - '0') * 10 + (unsigned)(clock[4] - '0');
	*minutes = (uint16_t)(hour * 60 + minute);
	*text += CLOCK_LEN;
	return minute < 60 && *minutes <= MIDNIGHT;
}

static bool
take_all_days(const char **text, uint8_t *days)
{
	do
		if (!take_days(text, days))
			return false;
	while (take(text, ','));
	return true;
}

enum value_outcome
schedule_parse(struct schedule *schedule, const char *text)
{
	struct schedule parsed = {0};

	if (!take_all_days(&text, &parsed.days) || !take(&text, ' ') ||
	    !take_clock(&text, &parsed.start) || !take(&text, '-') ||
	    !take_clock(&text, &parsed.end) || !take(&text, ' '))
		return VALUE_BAD;
	if (parsed.start == MIDNIGHT || parsed.start == parsed.end)
		return VALUE_BAD;
	parsed.zone = zone_new(text);
	if (parsed.zone == NULL)
		return VALUE_BAD;
	*schedule = parsed;
	return VALUE_TAKEN;
}

void
schedule_fini(struct schedule *schedule)
{
	zone_free(schedule->zone);
}

/* ---- time ---- */

static int64_t
floor_day(int64_t local)
{
	return (local >= 0 ? local : local - (DAY - 1)) / DAY;
}

static bool
has_day(const struct schedule *schedule, int64_t day)
{
	/* 1970 began on a Thursday. */
	int64_t weekday = ((day + 4) % DAYS + DAYS) % DAYS;

	return (schedule->days >> weekday & 1) != 0;
}

bool
schedule_holds(const struct schedule *schedule, int64_t at)
{
	int64_t local = at + zone_offset(schedule->zone, at);
	int64_t day = floor_day(local);
	int64_t minute = (local - day * DAY) / 60;

	if (schedule->start < schedule->end)
		return has_day(schedule, day) && minute >= schedule->start &&
		       minute < schedule->end;
	return (has_day(schedule, day) && minute >= schedule->start) ||
	       (has_day(schedule, day - 1) && minute < schedule->end);
}

/* The next time after `local` that is a start or an end of some day. */
static int64_t
next_edge(const struct schedule *schedule, int64_t local)
{
	int64_t today = floor_day(local), next = INT64_MAX;

	for (int64_t day = today - 1; day <= today + 1; day++) {
		int64_t start = day * DAY + schedule->start * 60;
		int64_t end = day * DAY + schedule->end * 60;

		if (start > local && start < next)
			next = start;
		if (end > local && end < next)
			next = end;
	}
	return next;
}

int64_t
schedule_next_change(const struct schedule *schedule, int64_t at)
{
	bool now = schedule_holds(schedule, at);
	int64_t until = at + LOOK_AHEAD;

	while (at < until) {
		int64_t offset = zone_offset(schedule->zone, at);
		int64_t shift = zone_next_shift(schedule->zone, at, until);
		int64_t edge = next_edge(schedule, at + offset) - offset;

		at = edge < shift ? edge : shift;
		if (schedule_holds(schedule, at) != now)
			return at;
	}
	return INT64_MAX;
}

int
schedule_compare(const struct schedule *a, const struct schedule *b)
{
	if (a->days != b->days)
		return a->days < b->days ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return zone_compare(a->zone, b->zone);
}
