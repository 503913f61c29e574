/* SPDX-License-Identifier: ISC */
/* Whether a rule's conditions hold for a request, its destination aside. */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

struct judge_context;
struct request;
struct rule;

enum condition {
	CONDITION_FAILS,
	CONDITION_HOLDS,
	CONDITION_UNKNOWN /* the directory did not say */
};

/* All but the time and the subject: the attribute that does not fit, or NULL
 * if all do. */
const char *
condition_failed(const struct rule *rule, const struct request *request);
/* The subject, which costs more. */
enum condition condition_subject(const struct rule *rule,
    const struct judge_context *context, const struct request *request);

/*
 * The time: the attribute because of which the rule does not exist now, or
 * NULL.  Lowers *until (seconds since 1970) to the next moment at which that
 * could be otherwise.
 */
const char *
condition_time_failed(const struct rule *rule, int64_t now, int64_t *until);

#endif
