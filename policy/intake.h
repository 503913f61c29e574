/* SPDX-License-Identifier: ISC */
/*
 * Entries made into a rule set, and everything said that is wrong with them.
 *
 * Pure: no I/O, no clock, no event loop, no directory.
 */
#ifndef POLICY_INTAKE_H
#define POLICY_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct entry;
struct ruleset;
struct ruleset_builder;

/* Something is wrong: a sentence, which begins with the DN where one entry is
 * to blame. */
typedef void intake_wrong_fn(void *arg, const char *why);

struct intake {
	struct ruleset_builder *builder; /* NULL: nothing was begun */
	size_t rules, wrongs;		 /* that came; that were told */
	intake_wrong_fn *wrong;
	void *arg;
};

/* Begins a set.  `wrong` is borrowed for the intake's life. */
void intake_begin(struct intake *intake, intake_wrong_fn *wrong, void *arg);
/* Forgets what was begun; also after a memset to zero. */
void intake_fini(struct intake *intake);

/* The next entry; one that is wrong, told through `wrong`, does not keep the
 * next from being looked at. */
void intake_add(struct intake *intake, const struct entry *entry);
/* An entry that is not even one. */
void intake_add_broken(struct intake *intake);

/*
 * The set, the caller's, if nothing was wrong; else NULL, and `wrong` was
 * told why.  What holds between entries (that a named set is there, that no
 * two rules have one name) is looked at when each of them is good.
 * `has_directory`: users can be looked up.
 */
struct ruleset *intake_end(
    struct intake *intake, uint64_t generation, bool has_directory) must_check;

#endif
