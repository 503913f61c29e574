/* SPDX-License-Identifier: ISC */
/* How gatewardenctl ends: its exit codes, and the sentence that goes with
 * one. */
#include "ctl/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum outcome
outcome_say(enum outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_say(stderr, getprogname(), format, args);
	va_end(args);
	return outcome;
}
