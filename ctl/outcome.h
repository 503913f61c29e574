/* SPDX-License-Identifier: ISC */
/* How gatewardenctl ends: its exit codes, and the sentence that goes with
 * one. */
#ifndef CTL_OUTCOME_H
#define CTL_OUTCOME_H

#include <sysexits.h>

#include "base/compiler.h"

enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_FOUND = 1,	   /* it was looked for something, and found */
	OUTCOME_USAGE = EX_USAGE,  /* the command line is wrong */
	OUTCOME_DATA = EX_DATAERR, /* what it names is wrong */
	OUTCOME_NO_INPUT = EX_NOINPUT,	      /* a file cannot be read */
	OUTCOME_UNAVAILABLE = EX_UNAVAILABLE, /* no gateway, or not now */
	OUTCOME_LOCAL = EX_OSERR,	      /* this machine: memory, output */
	OUTCOME_PROTOCOL =
	    EX_PROTOCOL,	    /* the gateway says what we do not know */
	OUTCOME_REFUSED = EX_NOPERM /* who asks may not */
};

/* One line on standard error, made safe to show; returns the outcome. */
enum outcome
outcome_say(enum outcome outcome, const char *format, ...) printf_like(2, 3);

#endif
