/* SPDX-License-Identifier: ISC */
/* How gatewardenctl ends: its exit codes, and the sentence that goes with
 * one. */
#include "ctl/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINE_SIZE 2048

enum outcome
outcome_say(enum outcome outcome, const char *format, ...)
{
	char line[LINE_SIZE], quoted[TEXT_QUOTED_SIZE(LINE_SIZE)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* DNs and file names are foreign. */
	(void)text_quote(quoted, sizeof(quoted), line, strlen(line));
	(void)fprintf(stderr, "gatewardenctl: %s\n", quoted);
	return outcome;
}
