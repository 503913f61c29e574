/* SPDX-License-Identifier: ISC */
/*
 * A second judge, as plain as can be, to compare the real one with: it reads
 * the rules' text anew for each question and shares no code with policy/.
 */
#ifndef TESTS_UNIT_POLICY_REFERENCE_JUDGE_H
#define TESTS_UNIT_POLICY_REFERENCE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reference_value {
	const char *attribute, *value;
};

/* A rule or a set; DNs are written in one form only. */
struct reference_entry {
	const char *dn;
	bool is_rule;
	size_t count;
	struct reference_value values[32];
};

struct reference_ask {
	const char *principal; /* NULL: nobody was proved */
	const char *method, *command, *listener, *client;
	int protection; /* 0 none to 3 confidentiality, 2 is selective */
	bool subject_known;
	const char *subject_dn;	   /* or NULL */
	const char *const *groups; /* ended by NULL */
	const char *const *own;	   /* addresses, ended by NULL */
	const char *indicators;	   /* with a space between, or "" */
	int64_t now;		   /* seconds since 1970 */
	const char *host;	   /* NULL: asked by address */
	const char *address;
	unsigned port;
};

struct reference_verdict {
	const char *reason;   /* "ok" if permitted */
	const char *rule;     /* its cn, or "" */
	const char *reported; /* the cn of a dry run that would decide, or "" */
};

/* Of entries, the rules must be in the order in which they are asked. */
struct reference_verdict reference_judge(const struct reference_entry *entries,
    size_t count, const struct reference_ask *ask);

/* Is it for this attribute that the rule of that cn does not match?  False for
 * one that it does not have, unless that is about something then, too. */
bool reference_fails(const struct reference_entry *entries, size_t count,
    const char *cn, const char *attribute, const struct reference_ask *ask);

/* The rule that first permits some destination, or denies all of them before
 * that; ask's host, address and port are not looked at. */
struct reference_verdict
reference_judge_command(const struct reference_entry *entries, size_t count,
    const struct reference_ask *ask);

#endif
