/* SPDX-License-Identifier: ISC */
/*
 * How long something took, counted in a histogram as Prometheus has them.
 *
 * Any thread counts at any time; nobody waits for anybody.
 */
#ifndef GATEWAY_LATENCY_H
#define GATEWAY_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_BOUNDS 12

/* Upper bounds in microseconds, rising. */
extern const uint64_t latency_bounds_us[LATENCY_BOUNDS];

/* All zero to begin with. */
struct latency {
	_Atomic uint64_t counts[LATENCY_BOUNDS + 1]; /* of each bucket alone */
	_Atomic uint64_t sum_us;
};

void latency_note(struct latency *latency, uint64_t took_us);

struct options;
/* Adds to a line: below for each bound (how many took no longer, as a number),
 * count and sum_us. */
void latency_describe(struct latency *latency, struct options *line);

#endif
