/* SPDX-License-Identifier: ISC */
/*
 * Directory entries made into rules and sets.  Nothing of an entry is ever
 * ignored that could narrow a rule: an attribute of ours that is unknown, or
 * that this version does not act on, is an error.
 */
#ifndef POLICY_RULE_PARSE_H
#define POLICY_RULE_PARSE_H

#include "base/compiler.h"

struct entry;
struct rule;
struct target_set;

/*
 * Makes *rule or *set of the entry, or leaves both NULL if it is of neither
 * class.  0; or -1 and a sentence that begins with the DN, empty when there
 * was no memory.
 */
int rule_parse(const struct entry *entry, struct rule **rule,
    struct target_set **set, char *why, size_t why_size) must_check;

#endif
