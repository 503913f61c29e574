/* SPDX-License-Identifier: ISC */
/* So much a second, and after a pause twice that at once. */
#ifndef RELAY_ALLOWANCE_H
#define RELAY_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct allowance {
	uint64_t per_second; /* 0: no limit */
	uint64_t left, filled_us;
};

/* One that is full; at most 2^40 a second. */
struct allowance allowance_of(uint64_t per_second);

/* Takes `cost`, or nothing if there is not so much left. */
bool allowance_take(struct allowance *allowance, uint64_t cost) must_check;

#endif
