/* SPDX-License-Identifier: ISC */
/*
 * A table of token buckets by hashed key, bounded in size.
 *
 * A bucket holds what failed not long ago: its debt, which shrinks by one
 * with each refill, and how many tries are under way, whose outcome nobody
 * knows yet.  A key without a bucket has no debt.
 *
 * When the place for a key is full, the bucket with the least debt gives way:
 * nobody is locked out because others fill the table, and a key that is under
 * attack is the last to be forgotten.  Buckets with tries under way stay.
 * Keys must come out of a keyed hash, so that nobody can choose their places.
 *
 * Plain data: no lock, no clock.
 */
#ifndef AUTH_BUCKETS_H
#define AUTH_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct buckets;

/* What a bucket holds, and how long until one of it is back. */
struct budget {
	uint32_t burst;
	uint64_t refill_us;
};

enum bucket_state {
	BUCKET_FREE,	/* one more may be tried */
	BUCKET_PENDING, /* only if one of those under way succeeds */
	BUCKET_EMPTY
};

/* NULL when there is no memory. */
struct buckets *buckets_new(void) must_check;
void buckets_free(struct buckets *buckets);

enum bucket_state buckets_look(const struct buckets *buckets, uint64_t key,
    const struct budget *budget, uint64_t now_us);

/* Failures of the key that count still, rounded up. */
uint32_t buckets_debt(const struct buckets *buckets, uint64_t key,
    const struct budget *budget, uint64_t now_us);

/* One more is under way; false if there is no place. */
bool buckets_begin(
    struct buckets *buckets, uint64_t key, uint64_t now_us) must_check;

/* One that was begun has ended; if it failed, it is a debt. */
void buckets_end(struct buckets *buckets, uint64_t key,
    const struct budget *budget, bool failed, uint64_t now_us);

#endif
