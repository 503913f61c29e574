/* SPDX-License-Identifier: ISC */
/* Schedules follow the clocks of their zone, whatever those do. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/moment.h"
#include "policy/schedule.h"
#include "policy/zone.h"

#define MINUTE INT64_C(60)
#define DAY    INT64_C(86400)

static struct schedule
schedule_of(const char *text)
{
	struct schedule schedule;

	assert_int_equal(schedule_parse(&schedule, text), VALUE_TAKEN);
	return schedule;
}

static int64_t
moment(const char *text)
{
	int64_t at;

	assert_true(moment_parse(text, &at));
	return at;
}

static void
hours_of_days_are_in(void **state)
{
	static const struct {
		const char *schedule, *at;
		bool holds;
	} cases[] = {
	    /* 2026-11-27 is a Friday. */
	    {"Mon-Fri 08:00-18:00 UTC", "20261127080000Z", true},
	    {"Mon-Fri 08:00-18:00 UTC", "20261127075959Z", false},
	    {"Mon-Fri 08:00-18:00 UTC", "20261127175959Z", true},
	    {"Mon-Fri 08:00-18:00 UTC", "20261127180000Z", false},
	    {"Mon-Fri 08:00-18:00 UTC", "20261128120000Z", false},
	    {"sat,SUN 00:00-24:00 UTC", "20261128000000Z", true},
	    {"sat,SUN 00:00-24:00 UTC", "20261129235959Z", true},
	    {"sat,SUN 00:00-24:00 UTC", "20261130000000Z", false},
	    {"Fri-Mon 12:00-13:00 UTC", "20261129120000Z", true},
	    {"Fri-Mon 12:00-13:00 UTC", "20261201120000Z", false},
	    /* Over midnight: of Friday's night. */
	    {"Fri 22:00-06:00 UTC", "20261127220000Z", true},
	    {"Fri 22:00-06:00 UTC", "20261128055959Z", true},
	    {"Fri 22:00-06:00 UTC", "20261128060000Z", false},
	    {"Fri 22:00-06:00 UTC", "20261127050000Z", false},
	    {"Fri 22:00-06:00 UTC", "20261128220000Z", false},
	    /* Winter is +1, summer +2. */
	    {"Mon-Fri 08:00-18:00 Europe/Amsterdam", "20261127070000Z", true},
	    {"Mon-Fri 08:00-18:00 Europe/Amsterdam", "20261127065959Z", false},
	    {"Mon-Fri 08:00-18:00 Europe/Amsterdam", "20260727060000Z", true},
	    {"Mon-Fri 08:00-18:00 Europe/Amsterdam", "20260727160000Z", false},
	    /* Another day there than in UTC. */
	    {"Sat 00:00-12:00 Pacific/Auckland", "20261127120000Z", true},
	    {"Thu 12:00-24:00 Pacific/Honolulu", "20261127090000Z", true},
	    {"Fri 05:30-05:45 Asia/Kathmandu", "20261126235000Z", true},
	    /* Before 1970. */
	    {"Wed 00:00-24:00 UTC", "19691231235959Z", true},
	    {"Thu 00:00-24:00 UTC", "19691231235959Z", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct schedule schedule = schedule_of(cases[i].schedule);

		assert_int_equal(schedule_holds(&schedule, moment(cases[i].at)),
		    cases[i].holds);
		schedule_fini(&schedule);
	}
}

static void
changes_come_when_they_should(void **state)
{
	static const struct {
		const char *schedule, *at, *change;
	} cases[] = {
	    {"Mon-Fri 08:00-18:00 UTC", "20261127080000Z", "20261127180000Z"},
	    {"Mon-Fri 08:00-18:00 UTC", "20261127180000Z", "20261130080000Z"},
	    {"Sat,Sun 00:00-24:00 UTC", "20261128000000Z", "20261130000000Z"},
	    {"Fri 22:00-06:00 UTC", "20261127230000Z", "20261128060000Z"},
	    /* Clocks go back on 2026-10-25 at 01:00 UTC. */
	    {"Sun 02:30-03:00 Europe/Amsterdam", "20261025000000Z",
		"20261025003000Z"},
	    {"Sun 02:30-03:00 Europe/Amsterdam", "20261025003000Z",
		"20261025010000Z"},
	    {"Sun 02:30-03:00 Europe/Amsterdam", "20261025010000Z",
		"20261025013000Z"}, /* once more */
	    {"Sun 02:30-03:00 Europe/Amsterdam", "20261025013000Z",
		"20261025020000Z"},
	    /* ... and forward on 2026-03-29 at 01:00 UTC. */
	    {"Sun 02:30-03:30 Europe/Amsterdam", "20260329003000Z",
		"20260329010000Z"},
	    {"Sun 02:30-03:30 Europe/Amsterdam", "20260329010000Z",
		"20260329013000Z"},
	    {"Sun 02:15-02:45 Europe/Amsterdam", "20260328120000Z",
		"20260405001500Z"}, /* not that Sunday */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct schedule schedule = schedule_of(cases[i].schedule);

		assert_true(
		    schedule_next_change(&schedule, moment(cases[i].at)) ==
		    moment(cases[i].change));
		schedule_fini(&schedule);
	}
}

static void
what_always_holds_never_changes(void **state)
{
	struct schedule schedule =
	    schedule_of("Mon-Sun 00:00-24:00 Europe/Amsterdam");

	(void)state;
	assert_true(schedule_holds(&schedule, moment("20261025010000Z")));
	assert_true(schedule_next_change(
			&schedule, moment("20261020000000Z")) == INT64_MAX);
	schedule_fini(&schedule);
}

/* By libc, which knows one zone a process, and a minute at a time. */
static bool
holds_by_libc(const struct schedule *schedule, int64_t at)
{
	time_t time = at;
	struct tm tm;
	int minute;
	bool today, yesterday;

	assert_non_null(localtime_r(&time, &tm));
	minute = tm.tm_hour * 60 + tm.tm_min;
	today = (schedule->days & (1U << tm.tm_wday)) != 0;
	yesterday = (schedule->days & (1U << (tm.tm_wday + 6) % 7)) != 0;
	if (schedule->start < schedule->end)
		return today && minute >= schedule->start &&
		       minute < schedule->end;
	return (today && minute >= schedule->start) ||
	       (yesterday && minute < schedule->end);
}

static void
assert_as_by_libc(struct schedule *schedule, int64_t from)
{
	bool now = holds_by_libc(schedule, from);
	int64_t change = schedule_next_change(schedule, from);
	int64_t at = from - from % MINUTE + MINUTE;

	assert_int_equal(schedule_holds(schedule, from), now);
	while (at < from + 9 * DAY && holds_by_libc(schedule, at) == now)
		at += MINUTE;
	assert_true(change == (at < from + 9 * DAY ? at : INT64_MAX));
}

static void
libc_agrees(void **state)
{
	static const char *const zones[] = {"Europe/Amsterdam",
	    "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
	    "America/Santiago", "Africa/Casablanca", "Pacific/Apia", "UTC"};
	int64_t start = moment("20100101000000Z");
	struct schedule schedule = {0};

	(void)state;
	srand(1);
	for (int i = 0; i < 400; i++) {
		const char *name = zones[(unsigned)i % ARRAY_COUNT(zones)];

		assert_int_equal(setenv("TZ", name, 1), 0);
		tzset();
		schedule.zone = zone_new(name);
		assert_non_null(schedule.zone);
		schedule.days = (uint8_t)(1 + rand() % 127);
		schedule.start = (uint16_t)(rand() % 1440);
		do
			schedule.end = (uint16_t)(rand() % 1441);
		while (schedule.end == schedule.start);
		assert_as_by_libc(&schedule,
		    start + rand() % (27 * 365) * DAY + rand() % DAY);
		schedule_fini(&schedule);
	}
	assert_int_equal(unsetenv("TZ"), 0);
}

static void
what_is_no_schedule_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "Mon",
	    "Mon 08:00-18:00",
	    "Mon 08:00-18:00 ",
	    "Mon 08:00-18:00 Nowhere/Town",
	    "Mon 08:00-18:00 ../../etc/passwd",
	    "Mon 08:00-18:00 /usr/share/zoneinfo/UTC",
	    "Mon 08:00-18:00 Europe/",
	    "Mon 08:00-18:00 CET-1CEST",
	    "Mon 08:00-18:00 +01:00",
	    "Mon 08:00-18:00 "
	    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaa",
	    "Mon 08:00-18:00  UTC",
	    "Mon  08:00-18:00 UTC",
	    " Mon 08:00-18:00 UTC",
	    "Mon- 08:00-18:00 UTC",
	    "Mon, 08:00-18:00 UTC",
	    "Monday 08:00-18:00 UTC",
	    "Mon 8:00-18:00 UTC",
	    "Mon 08:00-18:0 UTC",
	    "Mon 08:",
	    "Mon 08:00-18:",
	    "Mon 08:00-18:00 Europe/Amster.dam",
	    "Mon 08.00-18:00 UTC",
	    "Mon 0a:00-18:00 UTC",
	    "Mon a0:00-18:00 UTC",
	    "Mon 08:a0-18:00 UTC",
	    "Mon 08:0a-18:00 UTC",
	    "Mon 08:60-18:00 UTC",
	    "Mon 24:01-18:00 UTC",
	    "Mon 08:00-25:00 UTC",
	    "Mon 24:00-08:00 UTC",
	    "Mon 08:00-08:00 UTC",
	    "Mon 08:00/18:00 UTC",
	};
	struct schedule schedule;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(schedule_parse(&schedule, bad[i]), VALUE_BAD);
	zone_free(zone_new("Nowhere/Town"));
}

static void
schedules_have_an_order(void **state)
{
	static const char *const ordered[] = {
	    "Sun 08:00-09:00 UTC",
	    "Mon 07:00-09:00 UTC",
	    "Mon 08:00-09:00 UTC",
	    "Mon 08:00-10:00 Europe/Amsterdam",
	    "Mon 08:00-10:00 UTC",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(ordered); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(ordered); j++) {
			struct schedule a = schedule_of(ordered[i]);
			struct schedule b = schedule_of(ordered[j]);
			int order = schedule_compare(&a, &b);

			assert_int_equal(order > 0, i > j);
			assert_int_equal(order < 0, i < j);
			schedule_fini(&a);
			schedule_fini(&b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hours_of_days_are_in),
	    cmocka_unit_test(changes_come_when_they_should),
	    cmocka_unit_test(what_always_holds_never_changes),
	    cmocka_unit_test(libc_agrees),
	    cmocka_unit_test(what_is_no_schedule_is_refused),
	    cmocka_unit_test(schedules_have_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
