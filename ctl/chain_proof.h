/* SPDX-License-Identifier: ISC */
/*
 * What the audit chain's first key proves of each line of a spool.
 *
 * A record is proved by the MAC of the record before it, wherever in the
 * spool that stands: so what was done to one does not hide the others.
 */
#ifndef CTL_CHAIN_PROOF_H
#define CTL_CHAIN_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/audit_chain.h"
#include "ctl/outcome.h"

struct spool;

/* One line, in the order of the spool. */
struct chain_entry {
	uint64_t sequence; /* what it says; 0: it is no record */
	uint64_t offset, number;
	uint32_t segment, len;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	bool is_whole;	 /* the line has an end */
	bool is_proved;	 /* by its MAC and that of the record before it */
	bool is_vouched; /* a record behind it was made with its MAC */
	bool is_genuine; /* ... with the MAC that its text should have */
	/* It is vouched for as the record of this number, which is not what it
	 * says; else 0. */
	uint64_t stands_for;
};

struct chain_proof {
	size_t count;
	struct chain_entry *entries;
	/* Those with a number, by number; of one number the proved first. */
	size_t numbered_count;
	struct chain_entry **numbered;
	size_t proved_count;
	/* The key of the epoch of the last that could be tried. */
	struct audit_chain chain;

	size_t room;
};

/* Not OUTCOME_OK: said on standard error.  What was made is for
 * chain_proof_fini all the same. */
enum outcome
chain_proof_make(struct spool *spool, const uint8_t k0[AUDIT_CHAIN_KEY_SIZE],
    struct chain_proof *proof) must_check;
void chain_proof_fini(struct chain_proof *proof);

/* Where in `numbered` those with this number begin, or would. */
size_t
chain_proof_find(const struct chain_proof *proof, uint64_t sequence) must_check;

#endif
