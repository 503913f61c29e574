/* SPDX-License-Identifier: ISC */
/*
 * So much a second, and after a pause more at once: a token bucket.
 *
 * Of one thread; relay/rate has one that threads share.
 */
#ifndef RELAY_ALLOWANCE_H
#define RELAY_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct allowance {
	uint64_t per_second; /* 0: no limit */
	uint64_t most, left; /* in millionths: what a microsecond brings */
	uint64_t filled_us;
};

/* One that is full and holds two seconds' worth; at most 2^40 a second. */
struct allowance allowance_of(uint64_t per_second);
/* From now on it brings 1 to 2^40 a second and holds `burst`, at most 2^43;
 * what is left stays, if it fits. */
void
allowance_set(struct allowance *allowance, uint64_t per_second, uint64_t burst);

/* Takes `cost`, or nothing if there is not so much left. */
bool allowance_take(struct allowance *allowance, uint64_t cost) must_check;
/* Puts back what was taken and not used. */
void allowance_give(struct allowance *allowance, uint64_t cost);

/* How much is left of one that has a limit; is that all it holds? */
uint64_t allowance_left(struct allowance *allowance);
bool allowance_is_full(struct allowance *allowance);

#endif
