/* SPDX-License-Identifier: ISC */
/* Whether a rule's conditions hold wherever another's do, their destinations
 * aside. */
#ifndef POLICY_SUBSUME_H
#define POLICY_SUBSUME_H

#include <stdbool.h>

struct rule;

enum subsumed {
	SUBSUMED_NOT,	 /* or not known */
	SUBSUMED_PROVED, /* for those who have proved who they are */
	SUBSUMED_WHOLE
};

/*
 * Whether all conditions of `wide` hold whenever all those of `narrow` do, for
 * whatever request at whatever moment; the condition of the subject may be not
 * known in both.  Who is in which group is not looked at, and values are
 * compared with values.
 */
enum subsumed subsume(const struct rule *wide, const struct rule *narrow);

/* Some of its subjects are only known to the directory. */
bool subsume_asks_directory(const struct rule *rule);

#endif
