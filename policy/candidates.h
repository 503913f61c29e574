/* SPDX-License-Identifier: ISC */
/*
 * The rules that could match a request, in their order, found by index: all
 * that match are among them, and those that do not are few.
 */
#ifndef POLICY_CANDIDATES_H
#define POLICY_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/request.h"

struct judge_context;
struct rule;
struct rule_index;
struct ruleset;

#define CANDIDATES_LISTS_MAX 64

struct candidates {
	const struct ruleset *ruleset;
	size_t count;
	struct {
		const uint32_t *next, *end;
	} lists[CANDIDATES_LISTS_MAX];
	bool is_scan;  /* of all rules: there were too many lists */
	uint32_t next; /* of the scan */
};

/* Fills the index of a rule set whose rules are in their order.  0, or -1
 * when there is no memory. */
int candidates_index(struct ruleset *ruleset) must_check;

/* For a (name, address). */
void candidates_of_address(struct candidates *candidates,
    const struct ruleset *ruleset, const struct endpoint *asked,
    const struct address *address);
/* For a name and whatever addresses it may have. */
void candidates_of_name(struct candidates *candidates,
    const struct judge_context *context, const struct request *request);

/* For a command, wherever it leads. */
void candidates_of_command(struct candidates *candidates,
    const struct ruleset *ruleset, enum command command);

/* NULL after the last. */
const struct rule *candidates_next(struct candidates *candidates);

#endif
