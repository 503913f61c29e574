/* SPDX-License-Identifier: ISC */
/* What control_explain.c and explain_say.c share. */
#ifndef GATEWAY_EXPLAIN_PRIVATE_H
#define GATEWAY_EXPLAIN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "gateway/control_who.h"
#include "gateway/explain_question.h"
#include "policy/explanation.h"

struct control_call;
struct rule;

enum explain_step {
	STEP_LOOK,
	STEP_MARK_GROUPS,
	STEP_GROUPS,
	STEP_RULES,
	STEP_END
};

struct explain {
	struct control_call *call;
	struct settings *settings; /* references: what was in force */
	struct ruleset *rules;
	struct own_addresses own; /* copies */
	struct explain_question question;

	/* What has become known, in this order. */
	bool needs_subject;
	enum reason subject_reason;
	struct control_who who;
	const struct subject *subject; /* who's */
	bool is_stale;
	bool is_resolved; /* a name, or tried in vain: */
	enum reason resolution_reason;
	struct explanation found;

	/* In flight; NULL: nothing of that kind. */
	struct control_who_question *lookup;
	struct resolution *resolution;

	/* While it is said. */
	enum explain_step step;
	size_t next;	  /* rule or group */
	size_t not_asked; /* rules behind those that decided */
	bool *group_used; /* one for each of the subject's */
};

/* ---- explain_say.c: the lines */

void explain_say_question(struct explain *explain);
void explain_say_subject(struct explain *explain);
void explain_say_group(struct explain *explain, size_t i);
void explain_say_addresses(struct explain *explain);
void explain_say_rule(struct explain *explain, const struct rule *rule,
    const struct explanation_bearing *bearings);
void explain_say_decision(struct explain *explain);

#endif
