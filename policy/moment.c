/* SPDX-License-Identifier: ISC */
/* A moment as LDAP writes it. */
#include "policy/moment.h"

#include <string.h>
#include <time.h>

/* Takes a number of so many digits off the text. */
static bool
take_number(const char **text, unsigned digits, int min, int max, int *value)
{
	*value = 0;
	for (unsigned i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return *value >= min && *value <= max;
}

static bool
is_digit(char octet)
{
	return octet >= '0' && octet <= '9';
}

static bool
take_fraction(const char **text)
{
	size_t digits;

	if (**text != '.' && **text != ',')
		return true;
	(*text)++;
	digits = strspn(*text, "0123456789");
	*text += digits;
	return digits > 0;
}

/* Hours, then minutes, then seconds, as far as they are there. */
static bool
take_clock(const char **text, struct tm *tm)
{
	if (!take_number(text, 2, 0, 23, &tm->tm_hour))
		return false;
	if (!is_digit(**text))
		return true;
	if (!take_number(text, 2, 0, 59, &tm->tm_min))
		return false;
	if (!is_digit(**text))
		return true;
	/* 60 is a leap second. */
	return take_number(text, 2, 0, 60, &tm->tm_sec) && take_fraction(text);
}

/* Z, +hh or +hhmm: what local time is ahead of UTC, in seconds. */
static bool
take_zone(const char **text, int *ahead)
{
	int sign = **text == '-' ? -1 : 1, hours, minutes = 0;

	*ahead = 0;
	if (**text == 'Z') {
		(*text)++;
		return true;
	}
	if (**text != '+' && **text != '-')
		return false;
	(*text)++;
	if (!take_number(text, 2, 0, 23, &hours) ||
	    (is_digit(**text) && !take_number(text, 2, 0, 59, &minutes)))
		return false;
	*ahead = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_of(int month, int year)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool
moment_parse(const char *text, int64_t *at)
{
	struct tm tm = {0};
	int year, month, day, ahead;

	if (!take_number(&text, 4, 0, 9999, &year) ||
	    !take_number(&text, 2, 1, 12, &month) ||
	    !take_number(&text, 2, 1, days_of(month, year), &day) ||
	    !take_clock(&text, &tm) || !take_zone(&text, &ahead) ||
	    *text != '\0')
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	*at = timegm(&tm) - ahead;
	return true;
}
