/* SPDX-License-Identifier: ISC */
/* What is found to be wrong before a start, and the command that mends it. */
#ifndef BASE_FINDINGS_H
#define BASE_FINDINGS_H

#include <stdio.h>

#include "base/compiler.h"

enum finding {
#define F(id, name, weight, sentence, remedy) FINDING_##id,
#include "base/findings.def"
#undef F
	FINDING_COUNT
};

struct findings {
	FILE *out;
	unsigned of_settings, of_host, warnings;
};

/* What a finding is about. */
struct finding_place {
	const char *place;   /* file or file:line; NULL: the sentence has it */
	const char *subject; /* what the remedy is applied to */
	const char *user;    /* who needs it; NULL where nobody does */
};

/* Counts it and prints two lines: "place: sentence", and behind a tab the name
 * in the manual's table and the command. */
void findings_add(struct findings *findings, enum finding finding,
    const struct finding_place *about, const char *format, ...)
    printf_like(4, 5);

/* EX_CONFIG, EX_UNAVAILABLE (only surroundings are wrong), or 0. */
int findings_status(const struct findings *findings) must_check;

#endif
