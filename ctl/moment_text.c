/* SPDX-License-Identifier: ISC */
/* Moments as people write and read them. */
#include "ctl/moment_text.h"

#include <string.h>
#include <time.h>

#include "policy/moment.h"

#define DATE_LEN   10		/* "2026-11-27" */
#define MOMENT_MAX 253402300799 /* the last second of the year 9999 */

/* RFC 3339 in the form of GeneralizedTime; false if it is not written so, or
 * too long. */
static bool
without_marks(const char *text, char out[MOMENT_TEXT_SIZE])
{
	size_t len = 0;

	if (strlen(text) <= DATE_LEN || text[4] != '-' || text[7] != '-' ||
	    strchr("Tt ", text[DATE_LEN]) == NULL)
		return false;
	for (size_t i = 0; text[i] != '\0'; i++) {
		bool is_mark = i == 4 || i == 7 || i == DATE_LEN ||
			       (i > DATE_LEN && text[i] == ':');

		if (is_mark)
			continue;
		if (len + 1 == MOMENT_TEXT_SIZE)
			return false;
		out[len++] = text[i] == 'z' ? 'Z' : text[i];
	}
	out[len] = '\0';
	return true;
}

bool
moment_text_parse(const char *text, uint64_t *at)
{
	char plain[MOMENT_TEXT_SIZE];
	int64_t seconds;

	if (!moment_parse(
		without_marks(text, plain) ? plain : text, &seconds) ||
	    seconds < 0)
		return false;
	*at = (uint64_t)seconds;
	return true;
}

const char *
moment_text_print(uint64_t at, char out[MOMENT_TEXT_SIZE])
{
	time_t seconds = (time_t)at;
	struct tm tm;

	if (at > MOMENT_MAX || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(out, MOMENT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)strlcpy(out, "?", MOMENT_TEXT_SIZE);
	return out;
}
