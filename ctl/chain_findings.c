/* SPDX-License-Identifier: ISC */
/* What was done to a spool, found out from what its lines prove. */
#include "ctl/chain_findings.h"

#include <stdlib.h>

#include "base/must.h"
#include "ctl/chain_proof.h"

/* A record in its place, or what has become of it. */
struct slot {
	uint64_t place; /* the number that it had */
	const struct chain_entry *entry;
	size_t rank; /* among all, by place */
};

struct inquiry {
	const struct chain_proof *proof;
	struct chain_findings *findings;
	uint64_t *places; /* of each entry; 0: none */
	bool *taken;	  /* of each group, where it begins in `numbered` */
	size_t slot_count;
	struct slot *slots;	/* as they stand there */
	struct slot **in_order; /* by place */
};

void
chain_findings_add(
    struct chain_findings *findings, const struct chain_finding *finding)
{
	if (findings->count == findings->room) {
		findings->room = 2 * findings->room + 16;
		findings->list = reallocarray(
		    findings->list, findings->room, sizeof(*findings->list));
		if (findings->list == NULL)
			die("out of memory");
	}
	findings->list[findings->count++] = *finding;
}

static void
add(struct inquiry *inquiry, enum chain_finding_kind kind, uint64_t first,
    uint64_t last, const struct chain_entry *entry)
{
	const struct chain_finding finding = {
	    .kind = kind,
	    .first = first,
	    .last = last,
	    .entry = entry,
	};

	chain_findings_add(inquiry->findings, &finding);
}

/* ---- which line is which record */

static bool
is_torn(const struct chain_entry *entry)
{
	return !entry->is_whole && !entry->is_proved;
}

/* Between the numbers of the lines around it? */
static bool
is_in_line(const struct chain_proof *proof, const struct chain_entry *entry)
{
	size_t at = (size_t)(entry - proof->entries);
	uint64_t before = at > 0 ? entry[-1].sequence : 0;
	uint64_t behind = at + 1 < proof->count ? entry[1].sequence : 0;

	if ((at > 0 && before == entry->sequence - 1) ||
	    behind == entry->sequence + 1)
		return true;
	return before < entry->sequence &&
	       (behind == 0 || behind > entry->sequence);
}

/* How sure it is that the line is the record that it says. */
static int
sureness(const struct chain_proof *proof, const struct chain_entry *entry)
{
	if (entry->is_proved)
		return 4;
	if (is_torn(entry) || entry->stands_for != 0)
		return 0;
	if (entry->is_genuine)
		return 3;
	if (entry->is_vouched)
		return 2;
	return is_in_line(proof, entry) ? 1 : 0;
}

/* Of each number the line that it is most likely to be. */
static void
place_by_number(struct inquiry *inquiry)
{
	const struct chain_proof *proof = inquiry->proof;
	size_t next;

	for (size_t at = 0; at < proof->numbered_count; at = next) {
		const struct chain_entry *best = NULL;
		uint64_t sequence = proof->numbered[at]->sequence;
		int most = 0;

		for (next = at; next < proof->numbered_count &&
				proof->numbered[next]->sequence == sequence;
		     next++) {
			int sure = sureness(proof, proof->numbered[next]);

			if (sure > most || (sure == most && sure > 0 &&
					       proof->numbered[next] < best)) {
				most = sure;
				best = proof->numbered[next];
			}
		}
		inquiry->taken[at] = best != NULL;
		if (best != NULL)
			inquiry->places[best - proof->entries] = sequence;
	}
}

static bool
is_taken(const struct inquiry *inquiry, uint64_t place)
{
	size_t at = chain_proof_find(inquiry->proof, place);

	return at < inquiry->proof->numbered_count &&
	       inquiry->proof->numbered[at]->sequence == place &&
	       inquiry->taken[at];
}

/* In front of all that has a place there is only record 1, if that is
 * missing; 0: nothing is. */
static uint64_t
place_in_front(const struct inquiry *inquiry, size_t at)
{
	while (at < inquiry->proof->count && inquiry->places[at] == 0)
		at++;
	return at < inquiry->proof->count && inquiry->places[at] == 2 ? 1 : 0;
}

/* What is left is what has become of a record that is missing where it
 * stands, or was inserted. */
static void
place_by_position(struct inquiry *inquiry)
{
	const struct chain_proof *proof = inquiry->proof;
	uint64_t before = 0;

	for (size_t i = 0; i < proof->count; i++) {
		const struct chain_entry *entry = &proof->entries[i];
		uint64_t place;

		if (inquiry->places[i] == 0 && !is_torn(entry)) {
			place = entry->stands_for;
			if (place == 0)
				place = before > 0 ? before + 1
						   : place_in_front(inquiry, i);
			if (place > 0 && !is_taken(inquiry, place))
				inquiry->places[i] = place;
		}
		if (inquiry->places[i] > 0)
			before = inquiry->places[i];
	}
}

static int
compare_slots(const void *a, const void *b)
{
	const struct slot *one = *(struct slot *const *)a;
	const struct slot *other = *(struct slot *const *)b;

	if (one->place != other->place)
		return one->place < other->place ? -1 : 1;
	return one < other ? -1 : one > other;
}

static void
list_slots(struct inquiry *inquiry)
{
	size_t count = 0;

	for (size_t i = 0; i < inquiry->proof->count; i++)
		if (inquiry->places[i] > 0) {
			inquiry->slots[count] = (struct slot){
			    .place = inquiry->places[i],
			    .entry = &inquiry->proof->entries[i],
			};
			inquiry->in_order[count] = &inquiry->slots[count];
			count++;
		}
	inquiry->slot_count = count;
	qsort(inquiry->in_order, count, sizeof(struct slot *), compare_slots);
	for (size_t i = 0; i < count; i++)
		inquiry->in_order[i]->rank = i;
}

/* Two lines may both seem to be what has become of one record: the second is
 * not. */
static void
settle_places(struct inquiry *inquiry)
{
	list_slots(inquiry);
	for (size_t i = 1; i < inquiry->slot_count; i++)
		if (inquiry->in_order[i]->place ==
		    inquiry->in_order[i - 1]->place)
			inquiry->places[inquiry->in_order[i]->entry -
					inquiry->proof->entries] = 0;
	list_slots(inquiry);
}

/* ---- what was done to them */

static void
look_for_inserted(struct inquiry *inquiry)
{
	for (size_t i = 0; i < inquiry->proof->count; i++) {
		const struct chain_entry *entry = &inquiry->proof->entries[i];

		if (inquiry->places[i] > 0)
			continue;
		if (is_torn(entry))
			inquiry->findings->torn = entry;
		else
			add(inquiry,
			    entry->is_proved ? CHAIN_COPIED : CHAIN_INSERTED,
			    entry->sequence, entry->sequence, entry);
	}
}

static void
look_for_dropped(struct inquiry *inquiry)
{
	for (size_t i = 1; i < inquiry->slot_count; i++) {
		const struct slot *slot = inquiry->in_order[i];
		uint64_t before = inquiry->in_order[i - 1]->place;

		if (slot->place != before + 1)
			add(inquiry,
			    slot->entry->is_proved ? CHAIN_LOST : CHAIN_DROPPED,
			    before + 1, slot->place - 1, slot->entry);
	}
}

/* Nobody can say what its MAC was. */
static bool
is_broken(const struct slot *slot)
{
	return !slot->entry->is_proved && !slot->entry->is_vouched &&
	       !slot->entry->is_genuine;
}

static enum chain_finding_kind
kind_of_change(const struct slot *slot)
{
	if (slot->entry->sequence == 0)
		return CHAIN_OVERWRITTEN;
	if (slot->entry->sequence != slot->place)
		return CHAIN_NUMBER_CHANGED;
	if (slot->entry->is_genuine)
		return CHAIN_MAC_CHANGED;
	return slot->entry->is_vouched ? CHAIN_TEXT_CHANGED : CHAIN_CHANGED;
}

/* Is there no MAC that its text could be proved by? */
static bool
is_unprovable(const struct inquiry *inquiry, const struct slot *slot)
{
	const struct slot *before;

	if (slot->rank == 0)
		return slot->place > 1;
	before = inquiry->in_order[slot->rank - 1];
	return before->place != slot->place - 1 ||
	       (is_broken(before) && !is_broken(slot));
}

static void
add_change(struct inquiry *inquiry, const struct slot *slot)
{
	struct chain_findings *findings = inquiry->findings;
	struct chain_finding *last =
	    findings->count > 0 ? &findings->list[findings->count - 1] : NULL;
	enum chain_finding_kind kind = kind_of_change(slot);

	if (kind == CHAIN_CHANGED && last != NULL &&
	    last->kind == CHAIN_CHANGED && last->last == slot->place - 1) {
		last->last = slot->place;
		return;
	}
	add(inquiry, kind, slot->place, slot->place, slot->entry);
	findings->list[findings->count - 1].other = slot->entry->sequence;
}

/* The first that is there cannot be proved, and the one behind it does not fit
 * it: one of them was changed. */
static bool
is_changed_anchor(const struct inquiry *inquiry, const struct slot *slot)
{
	const struct slot *behind;

	if (slot->rank != 0 || inquiry->slot_count < 2 || !is_broken(slot))
		return false;
	behind = inquiry->in_order[1];
	return behind->place == slot->place + 1 && !is_broken(behind) &&
	       !behind->entry->is_proved;
}

static void
look_for_changed(struct inquiry *inquiry)
{
	for (size_t i = 0; i < inquiry->slot_count; i++) {
		const struct slot *slot = inquiry->in_order[i];
		bool says_what_it_is = slot->entry->sequence == slot->place;

		if (slot->entry->is_proved)
			continue;
		if (is_changed_anchor(inquiry, slot))
			add(inquiry, CHAIN_CHANGED, slot->place,
			    slot->place + 1, slot->entry);
		else if (!says_what_it_is || !is_unprovable(inquiry, slot))
			add_change(inquiry, slot);
		else
			inquiry->findings->unproved_count++;
	}
}

/* ---- their order */

/* One was taken out and put in elsewhere: the others are one off. */
static bool
look_for_moved(struct inquiry *inquiry, size_t from, size_t to)
{
	const struct slot *slots = inquiry->slots;
	const struct slot *moved;
	bool up = slots[from].rank == to, down = slots[to].rank == from;

	for (size_t i = from; i < to; i++) {
		up &= slots[i + 1].rank == i;
		down &= slots[i].rank == i + 1;
	}
	if (!up && !down)
		return false;
	moved = up ? &slots[from] : &slots[to];
	add(inquiry, CHAIN_MOVED, moved->place, moved->place, moved->entry);
	inquiry->findings->list[inquiry->findings->count - 1].other =
	    moved > slots ? moved[-1].place : 0;
	return true;
}

/* Pairs that have changed places. */
static bool
are_pairs(const struct slot *slots, size_t from, size_t to)
{
	for (size_t i = from; i <= to; i++)
		if (slots[slots[i].rank].rank != i)
			return false;
	return true;
}

/* Lines from..to are records from..to, and not in their order. */
static void
look_at_disorder(struct inquiry *inquiry, size_t from, size_t to)
{
	const struct slot *slots = inquiry->slots;

	if (are_pairs(slots, from, to)) {
		for (size_t i = from; i <= to; i++) {
			if (slots[i].rank <= i)
				continue;
			add(inquiry, CHAIN_SWAPPED, slots[slots[i].rank].place,
			    0, slots[i].entry);
			inquiry->findings->list[inquiry->findings->count - 1]
			    .other = slots[i].place;
		}
		return;
	}
	if (!look_for_moved(inquiry, from, to))
		add(inquiry, CHAIN_MISORDERED, inquiry->in_order[from]->place,
		    inquiry->in_order[to]->place, slots[from].entry);
}

static void
look_for_disorder(struct inquiry *inquiry)
{
	size_t from = 0, to = 0;

	for (size_t i = 0; i < inquiry->slot_count; i++) {
		if (inquiry->slots[i].rank > to)
			to = inquiry->slots[i].rank;
		if (to > i)
			continue;
		if (to > from)
			look_at_disorder(inquiry, from, to);
		from = to = i + 1;
	}
}

/* ---- all of it */

static int
compare_findings(const void *a, const void *b)
{
	const struct chain_finding *one = a, *other = b;

	if (one->entry != other->entry)
		return one->entry < other->entry ? -1 : 1;
	return one->kind < other->kind ? -1 : one->kind > other->kind;
}

/* With another key nothing fits: that is one finding. */
static bool
is_wrong_key(const struct inquiry *inquiry)
{
	const struct chain_findings *findings = inquiry->findings;

	if (inquiry->proof->proved_count > 0)
		return false;
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].kind <= CHAIN_NUMBER_CHANGED)
			return true;
	return false;
}

static void
inquire(struct inquiry *inquiry)
{
	struct chain_findings *findings = inquiry->findings;
	size_t count;

	place_by_number(inquiry);
	place_by_position(inquiry);
	settle_places(inquiry);
	count = inquiry->slot_count;
	if (count > 0) {
		findings->first = inquiry->in_order[0]->place;
		findings->last = inquiry->in_order[count - 1]->place;
		findings->has_anchor = findings->first > 1;
	}
	look_for_changed(inquiry);
	if (is_wrong_key(inquiry)) {
		findings->count = 0;
		add(inquiry, CHAIN_WRONG_KEY, findings->first, findings->last,
		    NULL);
		return;
	}
	look_for_inserted(inquiry);
	look_for_dropped(inquiry);
	look_for_disorder(inquiry);
	if (findings->count > 1)
		qsort(findings->list, findings->count, sizeof(*findings->list),
		    compare_findings);
}

void
chain_findings_make(
    const struct chain_proof *proof, struct chain_findings *findings)
{
	struct inquiry inquiry = {
	    .proof = proof,
	    .findings = findings,
	    .places = must_alloc(proof->count + 1, sizeof(uint64_t)),
	    .taken = must_alloc(proof->count + 1, sizeof(bool)),
	    .slots = must_alloc(proof->count + 1, sizeof(struct slot)),
	    .in_order = must_alloc(proof->count + 1, sizeof(struct slot *)),
	};

	*findings = (struct chain_findings){.count = 0};
	inquire(&inquiry);
	free(inquiry.places);
	free(inquiry.taken);
	free(inquiry.slots);
	free(inquiry.in_order);
}

void
chain_findings_fini(struct chain_findings *findings)
{
	free(findings->list);
	*findings = (struct chain_findings){.count = 0};
}
