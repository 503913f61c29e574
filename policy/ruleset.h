/* SPDX-License-Identifier: ISC */
/*
 * A rule set: rules and sets made of directory entries, checked as a whole,
 * indexed, immutable and shared between threads.
 *
 * Pure: no I/O, no clock, no libevent, no libldap.
 */
#ifndef POLICY_RULESET_H
#define POLICY_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct entry;
struct rule;
struct ruleset;
struct ruleset_builder;
struct target_set;

struct ruleset_builder *ruleset_builder_new(void) must_check;
void ruleset_builder_free(struct ruleset_builder *builder);

/*
 * Adds an entry of class gwRule or gwDestinations (others are ignored).  0,
 * or -1 with a sentence in `why` that begins with the entry's DN: an unknown
 * or not yet implemented gw... attribute, a bad value, a missing required
 * one.  -1 and an empty why: no memory.
 */
int ruleset_builder_add(struct ruleset_builder *builder,
    const struct entry *entry, char *why, size_t why_size) must_check;

/*
 * Ends the builder (freed in any case).  NULL and why if a rule names a set
 * that is not there, two rules have one name (cn), or there is no memory.
 */
struct ruleset *ruleset_build(struct ruleset_builder *builder,
    uint64_t generation, char *why, size_t why_size) must_check;

/* The same, and everything of that is told, each in a sentence that begins
 * with the DN of an entry; an empty one: there is no memory. */
typedef void ruleset_wrong_fn(void *arg, const char *why);
struct ruleset *ruleset_build_telling(struct ruleset_builder *builder,
    uint64_t generation, ruleset_wrong_fn *wrong, void *arg) must_check;

/* Atomic reference count; from any thread. */
struct ruleset *ruleset_ref(struct ruleset *ruleset);
void ruleset_unref(struct ruleset *ruleset); /* NULL is fine */
/* Has it references besides the caller's?  If not, nobody can come to it but
 * through the caller. */
bool ruleset_is_shared(const struct ruleset *ruleset);

uint64_t ruleset_generation(const struct ruleset *ruleset);
size_t ruleset_count(const struct ruleset *ruleset); /* enabled rules */
/* The i-th enabled rule in the order in which they are asked; borrowed. */
const struct rule *ruleset_rule(const struct ruleset *ruleset, size_t i);
/* The i-th set, by their normalised DNs; borrowed, NULL after the last. */
const struct target_set *ruleset_set(const struct ruleset *ruleset, size_t i);
/* Some enabled rule has gwUser or gwGroup: subjects must be looked up. */
bool ruleset_needs_subject(const struct ruleset *ruleset);

#endif
