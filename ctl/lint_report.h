/* SPDX-License-Identifier: ISC */
/* What was found out about rules, gathered and printed. */
#ifndef CTL_FINDINGS_H
#define CTL_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

struct findings;
struct rule;

/* All borrowed for the life of the findings. */
struct finding {
	const char *kind, *sentence;
	bool is_mistake;  /* else it is only worth knowing */
	const char *name; /* of the rule or the set that it is about */
	const char *dn;
	const char *value; /* what is wrong with it, or NULL */
	size_t by_count;
	const struct rule *const *by; /* copied: LINT_BY_MAX at most */
};

struct findings *findings_new(void) must_check; /* dies without memory */
void findings_free(struct findings *findings);	/* NULL is fine */

void findings_add(struct findings *findings, const struct finding *finding);
/* Something was not looked at: a sentence; copied. */
void findings_omit(struct findings *findings, const char *sentence);

/* On standard output; `rules` is how many were looked at.  OUTCOME_FOUND if
 * there is a mistake. */
enum outcome findings_print(
    const struct findings *findings, size_t rules, bool wants_json) must_check;

#endif
