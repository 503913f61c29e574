/* SPDX-License-Identifier: ISC */
/*
 * How many octets a second may pass: a token bucket, for all that share it.
 *
 * From any thread.  It holds a quarter of a second's octets and at least
 * RATE_BURST_MIN, so what was not used does not pile up.
 */
#ifndef RELAY_RATE_H
#define RELAY_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define RATE_BURST_MIN 4096
#define RATE_PIECE     1024
#define RATE_MAX       UINT64_C(1000000000000) /* octets a second */

struct rate;

/* 1 to RATE_MAX; full at first.  NULL without memory. */
struct rate *rate_new(uint64_t octets_a_second) must_check;
void rate_free(struct rate *rate); /* NULL is fine */

/* Counts from now on. */
void rate_set(struct rate *rate, uint64_t octets_a_second);

/*
 * Takes up to `want` octets (at least 1) and returns how many.  0 if there
 * are not so many, nor RATE_PIECE: a trickle would go in the smallest of
 * messages.  Then *wait_us is when to ask again, in microseconds from now.
 */
size_t rate_take(struct rate *rate, size_t want, uint64_t *wait_us) must_check;

/* Takes all of it or nothing: for what cannot be cut. */
bool rate_take_whole(struct rate *rate, size_t octets) must_check;

/* Puts back what was taken and did not pass. */
void rate_give(struct rate *rate, size_t octets);

/* It is as good as a new one. */
bool rate_is_full(struct rate *rate);

#endif
