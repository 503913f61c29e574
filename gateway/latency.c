/* SPDX-License-Identifier: ISC */
/* How long something took, counted in a histogram. */
#include "gateway/latency.h"

#include <stddef.h>

#include "base/options.h"

const uint64_t latency_bounds_us[LATENCY_BOUNDS] = {500, 1000, 2500, 5000,
    10000, 25000, 50000, 100000, 250000, 1000000, 2500000, 10000000};

void
latency_note(struct latency *latency, uint64_t took_us)
{
	size_t bucket = 0;

	while (bucket < LATENCY_BOUNDS && took_us > latency_bounds_us[bucket])
		bucket++;
	(void)atomic_fetch_add(&latency->counts[bucket], 1);
	(void)atomic_fetch_add(&latency->sum_us, took_us);
}

void
latency_describe(struct latency *latency, struct options *line)
{
	uint64_t below = 0;

	for (size_t bucket = 0; bucket < LATENCY_BOUNDS; bucket++) {
		below += atomic_load(&latency->counts[bucket]);
		options_add_u64(line, "below", below);
	}
	below += atomic_load(&latency->counts[LATENCY_BOUNDS]);
	options_add_u64(line, "count", below);
	options_add_u64(line, "sum_us", atomic_load(&latency->sum_us));
}
