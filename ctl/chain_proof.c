/* SPDX-License-Identifier: ISC */
/* What the audit chain's first key proves of each line of a spool. */
#include "ctl/chain_proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/audit_chain_line.h"
#include "base/must.h"
#include "ctl/spool.h"

/* A number that is so far ahead is nobody's: 68 thousand million records. */
#define EPOCHS_MOST (UINT64_C(1) << 26)
/* As many records of one number are tried as predecessors. */
#define RIVALS_MOST 16

/* The records of one number. */
struct group {
	struct chain_entry **entries;
	size_t count;
	/* What the MAC of one that is not proved should be by its text. */
	struct chain_entry *unproved;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
};

struct prover {
	struct spool *spool;
	struct chain_proof *proof;
	struct group group, before; /* `before`: of the number before */
	char message[AUDIT_CHAIN_LINE_MAX];
};

/* ---- the index */

static bool
take_line(void *arg, const struct spool_line *line)
{
	struct chain_proof *proof = arg;
	struct audit_chain_line parsed;
	struct chain_entry *entry;

	if (proof->count == proof->room) {
		proof->room = 2 * proof->room + 1024;
		proof->entries = reallocarray(
		    proof->entries, proof->room, sizeof(*proof->entries));
		if (proof->entries == NULL)
			die("out of memory");
	}
	entry = &proof->entries[proof->count++];
	*entry = (struct chain_entry){
	    .segment = (uint32_t)line->segment,
	    .number = line->number,
	    .offset = line->offset,
	    .len = (uint32_t)line->len,
	    .is_whole = line->is_whole,
	};
	if (!audit_chain_line_parse(line->text, line->len, &parsed))
		return true;
	entry->sequence = parsed.sequence;
	memcpy(entry->mac, parsed.mac, sizeof(entry->mac));
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct chain_entry *one = *(struct chain_entry *const *)a;
	const struct chain_entry *other = *(struct chain_entry *const *)b;

	if (one->sequence != other->sequence)
		return one->sequence < other->sequence ? -1 : 1;
	return one < other ? -1 : one > other;
}

static void
sort_entries(struct chain_proof *proof)
{
	bool is_sorted = true;

	proof->numbered =
	    must_alloc(proof->count + 1, sizeof(*proof->numbered));
	for (size_t i = 0; i < proof->count; i++)
		if (proof->entries[i].sequence > 0)
			proof->numbered[proof->numbered_count++] =
			    &proof->entries[i];
	for (size_t i = 1; i < proof->numbered_count; i++)
		is_sorted &= compare_entries(&proof->numbered[i - 1],
				 &proof->numbered[i]) < 0;
	if (!is_sorted)
		qsort(proof->numbered, proof->numbered_count,
		    sizeof(*proof->numbered), compare_entries);
}

/* ---- proving */

/* Is the record's MAC the one behind `before`?  *mac: what it should be. */
static bool
fits(struct prover *prover, const struct chain_entry *entry,
    const uint8_t before[AUDIT_CHAIN_MAC_SIZE],
    uint8_t mac[AUDIT_CHAIN_MAC_SIZE])
{
	audit_chain_mac(&prover->proof->chain, before, prover->message,
	    entry->len - AUDIT_CHAIN_PREFIX, mac);
	return memcmp(mac, entry->mac, AUDIT_CHAIN_MAC_SIZE) == 0;
}

/* By the MACs that stand in the records of the number before. */
static bool
prove_by_stored(struct prover *prover, struct chain_entry *entry)
{
	struct group *before = &prover->before, *group = &prover->group;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

	for (size_t i = 0; i < before->count && i < RIVALS_MOST; i++) {
		if (fits(prover, entry, before->entries[i]->mac, mac)) {
			before->entries[i]->is_vouched = true;
			return true;
		}
		/* The first is proved if any is. */
		if (i == 0 && group->unproved == NULL) {
			group->unproved = entry;
			memcpy(group->mac, mac, sizeof(mac));
		}
	}
	return false;
}

/* The MAC alone of the one before was changed: by what it should be. */
static bool
prove_by_computed(struct prover *prover, struct chain_entry *entry)
{
	struct chain_entry *unproved = prover->before.unproved;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

	if (unproved == NULL || !fits(prover, entry, prover->before.mac, mac))
		return false;
	unproved->is_genuine = true;
	return true;
}

/* The number of the one before was changed: by the line that stands there. */
static bool
prove_by_place(struct prover *prover, struct chain_entry *entry)
{
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	struct chain_entry *there = entry - 1;

	if (entry == prover->proof->entries ||
	    there->sequence == entry->sequence - 1 ||
	    !fits(prover, entry, there->mac, mac))
		return false;
	there->is_vouched = true;
	there->stands_for = entry->sequence - 1;
	return true;
}

static bool
prove_first(struct prover *prover, struct chain_entry *entry)
{
	static const uint8_t zeros[AUDIT_CHAIN_MAC_SIZE];
	struct group *group = &prover->group;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	bool is_first = fits(prover, entry, zeros, mac);

	if (!is_first && group->unproved == NULL) {
		group->unproved = entry;
		memcpy(group->mac, mac, sizeof(mac));
	}
	return is_first;
}

static void
prove(struct prover *prover, struct chain_entry *entry)
{
	if (!spool_read(prover->spool, entry->segment,
		entry->offset + AUDIT_CHAIN_PREFIX, prover->message,
		entry->len - AUDIT_CHAIN_PREFIX))
		return;
	entry->is_proved = entry->sequence == 1
			       ? prove_first(prover, entry)
			       : prove_by_stored(prover, entry) ||
				     prove_by_computed(prover, entry) ||
				     prove_by_place(prover, entry);
	prover->proof->proved_count += entry->is_proved;
}

static void
prove_group(struct prover *prover)
{
	struct chain_entry **entries = prover->group.entries;
	size_t proved = 0;

	for (size_t i = 0; i < prover->group.count; i++) {
		struct chain_entry *entry = entries[i];

		prove(prover, entry);
		if (!entry->is_proved)
			continue;
		entries[i] = entries[proved];
		entries[proved++] = entry;
	}
}

/* Those of the next number; false behind the last. */
static bool
next_group(struct prover *prover, size_t *at)
{
	const struct chain_proof *proof = prover->proof;
	size_t first = *at;
	uint64_t sequence;

	if (first == proof->numbered_count)
		return false;
	sequence = proof->numbered[first]->sequence;
	while (*at < proof->numbered_count &&
	       proof->numbered[*at]->sequence == sequence)
		++*at;
	prover->before = prover->group;
	if (first == 0 || proof->numbered[first - 1]->sequence != sequence - 1)
		prover->before = (struct group){.count = 0};
	prover->group = (struct group){
	    .entries = &proof->numbered[first],
	    .count = *at - first,
	};
	return true;
}

static void
prove_all(struct prover *prover)
{
	struct audit_chain *chain = &prover->proof->chain;
	size_t at = 0;

	while (next_group(prover, &at)) {
		uint64_t epoch =
		    audit_chain_epoch(prover->group.entries[0]->sequence);

		if (epoch - chain->epoch > EPOCHS_MOST)
			return;
		audit_chain_turn(chain, epoch);
		prove_group(prover);
	}
}

enum outcome
chain_proof_make(struct spool *spool, const uint8_t k0[AUDIT_CHAIN_KEY_SIZE],
    struct chain_proof *proof)
{
	struct prover *prover = must_alloc(1, sizeof(*prover));
	enum outcome outcome;

	*proof = (struct chain_proof){.count = 0};
	prover->spool = spool;
	prover->proof = proof;
	outcome = spool_each(spool, take_line, proof);
	if (outcome == OUTCOME_OK) {
		sort_entries(proof);
		audit_chain_init(&proof->chain, k0);
		prove_all(prover);
	}
	free(prover);
	return outcome;
}

void
chain_proof_fini(struct chain_proof *proof)
{
	free(proof->entries);
	free(proof->numbered);
	audit_chain_wipe(&proof->chain);
	*proof = (struct chain_proof){.count = 0};
}

size_t
chain_proof_find(const struct chain_proof *proof, uint64_t sequence)
{
	size_t low = 0, high = proof->numbered_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (proof->numbered[middle]->sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
