/* SPDX-License-Identifier: ISC */
/* Whether a rule's conditions hold wherever another's do, their destinations
 * aside. */
#ifndef POLICY_SUBSUME_H
#define POLICY_SUBSUME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct rule;

enum subsumed {
	SUBSUMED_NOT,	 /* or not known */
	SUBSUMED_PROVED, /* for those who have proved who they are */
	SUBSUMED_WHOLE
};

/* One value of gwUser, gwGroup or gwPrincipal. */
enum subject_kind { SUBJECT_USER, SUBJECT_GROUP, SUBJECT_PRINCIPAL };
struct subject_part {
	enum subject_kind kind;
	const char *text;
};

/* The i-th of a rule; false after the last. */
bool subsume_part(
    const struct rule *rule, size_t i, struct subject_part *part) must_check;

/*
 * Whether all conditions of `wide` hold whenever all those of `narrow` do, for
 * whatever request at whatever moment; the condition of the subject may be not
 * known in both.  Who is in which group is not looked at, and values are
 * compared with values.  With `part`, one of narrow's (else NULL): as if
 * narrow had no other subject.
 */
enum subsumed subsume(const struct rule *wide, const struct rule *narrow,
    const struct subject_part *part);

/* Some of its subjects are only known to the directory. */
bool subsume_asks_directory(const struct rule *rule);

#endif
