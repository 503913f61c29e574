/* SPDX-License-Identifier: ISC */
/* Rules as tests write them: lines of "attribute: value". */
#ifndef TESTS_UNIT_POLICY_RULE_TEXT_H
#define TESTS_UNIT_POLICY_RULE_TEXT_H

#include <stddef.h>

struct entry;
struct ruleset;

/*
 * Entries one after another, each beginning with a line "dn: ..." and ended by
 * an empty line or the end.  Calls `add` for each; stops when it says other
 * than 0, or at what is no entry, and returns that.
 */
typedef int rule_text_fn(void *arg, const struct entry *entry);
int rule_text_read(const char *text, size_t len, rule_text_fn *add, void *arg);

/* NULL and why if the entries make no rule set. */
struct ruleset *rule_text_build(const char *text, char *why, size_t why_size);

#endif
