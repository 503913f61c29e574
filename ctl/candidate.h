/* SPDX-License-Identifier: ISC */
/* A set of rules that is not in force, to be judged by here. */
#ifndef CTL_CANDIDATE_H
#define CTL_CANDIDATE_H

#include "base/compiler.h"
#include "ctl/outcome.h"

struct daemon_facts;
struct ruleset;

/*
 * Reads an LDIF file as the daemon with those facts reads policy.file; NULL:
 * one with a directory that takes no set without any rule.  OUTCOME_OK and
 * *rules, the caller's; anything else was said on standard error: the file
 * and its line, or the DN, and what is wrong.
 */
enum outcome candidate_read_file(const char *path,
    const struct daemon_facts *facts, struct ruleset **rules) must_check;

/* The same for what the gateway reads below a base of its directory; base
 * NULL: for the rules in force. */
enum outcome candidate_ask(
    const char *socket, const char *base, struct ruleset **rules) must_check;

#endif
