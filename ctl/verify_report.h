/* SPDX-License-Identifier: ISC */
/* What was found out about a spool, printed. */
#ifndef CTL_VERIFY_REPORT_H
#define CTL_VERIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/outcome.h"

struct chain_findings;
struct chain_proof;
struct spool;

#define VERIFY_NOTES_MAX 8

struct verify_report {
	const struct spool *spool;
	const struct chain_proof *proof;
	const struct chain_findings *findings;
	/* Sentences about what could not be looked at; static. */
	size_t note_count;
	const char *notes[VERIFY_NOTES_MAX];
};

void verify_report_note(struct verify_report *report, const char *sentence);

/* OUTCOME_FOUND if there are findings. */
enum outcome verify_report_print(
    const struct verify_report *report, bool wants_json) must_check;

#endif
