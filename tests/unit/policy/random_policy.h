/* SPDX-License-Identifier: ISC */
/*
 * Random rule sets and requests with boundary cases weighted: what networks
 * and names overlap or touch, what misses a rule by little.
 */
#ifndef TESTS_UNIT_POLICY_RANDOM_POLICY_H
#define TESTS_UNIT_POLICY_RANDOM_POLICY_H

#include "base/address.h"
#include "base/request.h"
#include "policy/judge.h"
#include "tests/unit/policy/reference_judge.h"

#define RANDOM_ENTRIES_MAX   10
#define RANDOM_ADDRESSES_MAX 20000
#define RANDOM_TEXT_MAX	     (16 * 1024)
#define RANDOM_OWNS	     5

/* The same seed gives the same everywhere. */
extern uint64_t random_seed;
size_t random_below(size_t limit);
bool random_one_in(size_t n);

/* A random world: the same rules for both judges. */
struct world {
	struct reference_entry entries[RANDOM_ENTRIES_MAX];
	size_t count;
	char text[RANDOM_TEXT_MAX]; /* of the entries, for the real one */
	struct ruleset *rules;
	struct own_addresses own;
	struct address own_list[RANDOM_OWNS];
};

/* The same question for both. */
struct question {
	struct reference_ask ask;
	const char *asked_groups[3];
	char address_text[ADDRESS_TEXT_SIZE];

	struct judge_context context;
	struct request request;
	struct identity identity;
	struct subject *subject;
	struct address address;
};

/*
 * All rules are made of a few networks, so these addresses stand for every
 * address there is.
 */
extern struct address random_addresses[RANDOM_ADDRESSES_MAX];
extern size_t random_address_count;
/* Fills them; first of all. */
void random_addresses_make(void);

/* The rules are to be unreferenced. */
void random_world(struct world *world);
/* Its subject is to be unreferenced. */
void random_question(struct question *question, const struct world *world);
void random_choose_address(struct question *question);

#endif
