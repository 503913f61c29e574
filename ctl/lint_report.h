/* SPDX-License-Identifier: ISC */
/* What was found out about rules, gathered and printed. */
#ifndef CTL_LINT_REPORT_H
#define CTL_LINT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

struct lint_report;
struct rule;

/* All borrowed for the life of the report. */
struct lint_remark {
	const char *kind, *sentence;
	bool is_mistake;  /* else it is only worth knowing */
	const char *name; /* of the rule or the set that it is about */
	const char *dn;
	const char *value; /* what is wrong with it, or NULL */
	size_t by_count;
	const struct rule *const *by; /* copied: LINT_BY_MAX at most */
};

struct lint_report *lint_report_new(void) must_check; /* dies without memory */
void lint_report_free(struct lint_report *report);    /* NULL is fine */

void
lint_report_add(struct lint_report *report, const struct lint_remark *remark);
/* Something was not looked at: a sentence; copied. */
void lint_report_omit(struct lint_report *report, const char *sentence);

/* On standard output; `rules` is how many were looked at.  OUTCOME_FOUND if
 * there is a mistake. */
enum outcome lint_report_print(
    const struct lint_report *report, size_t rules, bool wants_json) must_check;

#endif
