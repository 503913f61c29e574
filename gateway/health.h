/* SPDX-License-Identifier: ISC */
/*
 * Whether what sessions ask has answered lately: the name servers, PAM.
 * Nobody asks for this question's sake: what counts is what sessions met.
 *
 * Safe from any thread.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/reason.h"

struct options;

struct health {
	_Atomic uint64_t answered_us; /* monotonic clock; 0: never */
	_Atomic uint64_t failures;    /* since the last answer */
};

/* How a name was resolved; that there is none is an answer. */
void health_note_name(struct health *health, enum reason reason);
/* How a password was tried; that it is wrong is an answer, and to have asked
 * nobody says nothing. */
void health_note_login(struct health *health, enum reason reason);

/* Adds to a line: asked (yes, no), up (no: three in a row had no answer),
 * failures, and answered_s, how many seconds ago, where there was one. */
void health_describe(const struct health *health, struct options *line);

#endif
