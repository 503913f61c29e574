/* SPDX-License-Identifier: ISC */
/* How the agent ends: its exit codes, and the sentence that goes with one. */
#ifndef AGENT_OUTCOME_H
#define AGENT_OUTCOME_H

#include "base/compiler.h"

enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_NO_TICKET = 10,	  /* run kinit */
	OUTCOME_SERVICE = 11,	  /* the KDC or gateway knows no such service */
	OUTCOME_CLOCK = 12,	  /* the clocks differ too much */
	OUTCOME_KERBEROS = 13,	  /* anything else that Kerberos says */
	OUTCOME_UNREACHABLE = 14, /* no connection to the gateway */
	OUTCOME_ABORTED = 15,	  /* the gateway does not let us in */
	OUTCOME_REFUSED = 16,	  /* ... or not go there: a SOCKS reply */
	OUTCOME_PROTECTION = 17,  /* less protection than was asked for */
	OUTCOME_PROTOCOL = 18,	  /* the gateway broke the protocol */
	OUTCOME_LOST = 19,	  /* the connection broke in the middle */
	OUTCOME_USAGE = 64,	  /* the command line is wrong */
	OUTCOME_LOCAL = 71	  /* this machine: memory, standard output */
};

/* One line on standard error, made safe to show; returns the outcome. */
enum outcome
outcome_say(enum outcome outcome, const char *format, ...) printf_like(2, 3);

#endif
