/* SPDX-License-Identifier: ISC */
/*
 * A decision on record, judged again: by other rules, at the moment at which
 * it was made.  Pure; by the judge that judges sessions.
 */
#ifndef CTL_RETRIAL_H
#define CTL_RETRIAL_H

#include "base/audit_record.h"
#include "policy/judge.h"

enum retrial_kind {
	RETRIAL_SAME,
	RETRIAL_OTHER_RULE, /* the same is decided, by another rule */
	RETRIAL_OTHERWISE,  /* what was permitted is denied, or the reverse */
	RETRIAL_NOT	    /* cannot be judged: `why` */
};

struct retrial {
	enum retrial_kind kind;
	/* A static sentence.  Of a request that was refused for another
	 * reason than rules it is that reason's. */
	const char *why;
	bool is_about_rules; /* of RETRIAL_NOT: it should have been judged */
	/* The verdict, borrowed of the rules, and the address that it is
	 * about; ADDRESS_NONE: the name alone. */
	struct verdict verdict;
	struct address address;
};

/* The addresses that a name has today, at most AUDIT_ADDRESSES_MAX; 0 where
 * nobody can say. */
typedef size_t retrial_resolve_fn(
    void *arg, const char *name, struct address out[AUDIT_ADDRESSES_MAX]);

struct retrial_world {
	struct judge_context context; /* its rules are there */
	/* NULL: what is not on record is not known. */
	retrial_resolve_fn *resolve;
	void *arg;
};

/* `record` is of AUDIT_DECISION. */
struct retrial retrial_judge(const struct retrial_world *world,
    const struct audit_record *record) must_check;

/* Whether rules have decided it, and not a limit or a fault: a request that
 * was denied because the directory was silent would be denied by any rules. */
bool retrial_is_about_rules(const struct audit_record *record);

#endif
