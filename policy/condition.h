/* SPDX-License-Identifier: ISC */
/* Whether a rule's conditions hold for a request, its destination aside. */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include <stdbool.h>

struct judge_context;
struct request;
struct rule;

enum condition {
	CONDITION_FAILS,
	CONDITION_HOLDS,
	CONDITION_UNKNOWN /* the directory did not say */
};

/* All but the subject. */
bool condition_holds(const struct rule *rule, const struct request *request);
/* The subject, which costs more. */
enum condition condition_subject(const struct rule *rule,
    const struct judge_context *context, const struct request *request);

#endif
