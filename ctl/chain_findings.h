/* SPDX-License-Identifier: ISC */
/* What was done to a spool, found out from what its lines prove. */
#ifndef CTL_CHAIN_FINDINGS_H
#define CTL_CHAIN_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chain_entry;
struct chain_proof;

enum chain_finding_kind {
	CHAIN_CHANGED,	      /* text or MAC, or both */
	CHAIN_TEXT_CHANGED,   /* the record behind it vouches for its MAC */
	CHAIN_MAC_CHANGED,    /* the record behind it vouches for its text */
	CHAIN_NUMBER_CHANGED, /* `other` is what it says */
	CHAIN_OVERWRITTEN,    /* a line that is no record, in its place */
	CHAIN_DROPPED,	      /* `entry` is the one behind */
	CHAIN_LOST,	      /* ... and the auditor chained on without them */
	CHAIN_INSERTED,	      /* `first`: what it says, or 0 */
	CHAIN_COPIED,	      /* a genuine one once more */
	CHAIN_SWAPPED,	      /* `first` and `other` */
	CHAIN_MOVED,	      /* `first`; it stands behind `other`, or 0 */
	CHAIN_MISORDERED,     /* more than that */
	CHAIN_TRUNCATED,      /* at the end */
	CHAIN_DIFFERS,	      /* from what the collector has */
	CHAIN_WRONG_KEY,      /* no record fits the key */
	CHAIN_WRONG_RUNNING_KEY, /* chain.key is not of this chain */
	CHAIN_FINDING_KINDS
};

struct chain_finding {
	enum chain_finding_kind kind;
	uint64_t first, last, other;	 /* records' numbers */
	const struct chain_entry *entry; /* where; NULL: nowhere */
};

struct chain_findings {
	size_t count, room;
	struct chain_finding *list;
	/* The records that are there, or what has become of them. */
	uint64_t first, last; /* 0: none */
	/* The first is not number 1: nothing says what was before. */
	bool has_anchor;
	/* Their text cannot be proved since the MAC before them is missing. */
	uint64_t unproved_count;
	/* The last that was begun, and not finished; NULL: none. */
	const struct chain_entry *torn;
};

/* Findings in the order of the spool.  Dies without memory. */
void chain_findings_make(
    const struct chain_proof *proof, struct chain_findings *findings);
void chain_findings_fini(struct chain_findings *findings);

void chain_findings_add(
    struct chain_findings *findings, const struct chain_finding *finding);

#endif
