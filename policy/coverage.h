/* SPDX-License-Identifier: ISC */
/* How much of what a rule could decide, by its destinations and ports, an
 * earlier rule decides before it. */
#ifndef POLICY_COVERAGE_H
#define POLICY_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>

struct destination;
struct own_addresses;
struct rule;

enum coverage {
	COVERAGE_NONE, /* or not known */
	/* All addresses but those that are special or carry another. */
	COVERAGE_ORDINARY,
	COVERAGE_WHOLE
};

/*
 * For two rules of which the conditions of the earlier hold wherever those of
 * the later do, and one destination of the later's list of that number
 * (rule_targets), with all its ports there.  The earlier one must not be
 * report-only.  `own` NULL: any address may be the gateway's own.  What was
 * looked at is added to *effort.
 */
enum coverage coverage_of(const struct rule *earlier, const struct rule *later,
    size_t list, const struct destination *destination,
    const struct own_addresses *own, size_t *effort);

/* A port at which the list matches; false if there is none. */
bool coverage_find_port(const struct rule *rule, size_t list, unsigned *port);

#endif
