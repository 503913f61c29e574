/* SPDX-License-Identifier: ISC */
/* What a replay has found: equal changes once with their count, what could
 * not be judged and why, and lines that are no records. */
#ifndef CTL_REPLAY_REPORT_H
#define CTL_REPLAY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

struct audit_record;
struct replay_report;
struct retrial;

/* Different changes that are told apart, of decisions and of rules alone each;
 * more are only counted. */
#define REPLAY_CHANGES_MAX 100000
/* Bad lines that are named; more are only counted. */
#define REPLAY_BAD_MAX 100

struct replay_report *replay_report_new(void) must_check; /* or dies */
void replay_report_free(struct replay_report *report);

/* A line of the log.  A bad one is named on standard error at once. */
void replay_report_line(struct replay_report *report);
void replay_report_bad(struct replay_report *report, const char *file,
    uint64_t line, const char *why, const char *parameter);

/* A decision and what it would be. */
void replay_report_decision(struct replay_report *report,
    const struct audit_record *record, const struct retrial *retrial);
/* Somebody whom the directory does not know any more; copied. */
void replay_report_unknown(struct replay_report *report, const char *identity);
/*
 * On standard output.  OUTCOME_OK if nothing changes, OUTCOME_FOUND if
 * something does, OUTCOME_DATA (and a sentence) if nothing could be judged.
 */
enum outcome
replay_report_print(const struct replay_report *report, bool as_json);

#endif
