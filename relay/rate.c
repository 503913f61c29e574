/* SPDX-License-Identifier: ISC */
/* How many octets a second may pass: a token bucket, for all that share it. */
#include "relay/rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"

/* Who is told to wait comes again after a second at the latest. */
#define WAIT_MAX_US 1000000

struct rate {
	pthread_mutex_t lock;
	uint64_t octets_a_second; /* this and below: locked */
	uint64_t octets;
	uint64_t part; /* of the next one, in millionths */
	uint64_t filled_us;
};

struct rate *
rate_new(uint64_t octets_a_second)
{
	struct rate *rate = calloc(1, sizeof(*rate));

	if (rate == NULL)
		return NULL;
	must(pthread_mutex_init(&rate->lock, NULL) == 0);
	rate->octets_a_second = octets_a_second;
	rate->octets = UINT64_MAX; /* as much as it holds */
	rate->filled_us = clock_monotonic_us();
	return rate;
}

void
rate_free(struct rate *rate)
{
	if (rate == NULL)
		return;
	(void)pthread_mutex_destroy(&rate->lock);
	free(rate);
}

static uint64_t
burst(const struct rate *rate)
{
	uint64_t quarter = rate->octets_a_second / 4;

	return quarter > RATE_BURST_MIN ? quarter : RATE_BURST_MIN;
}

/* Never more than it holds.  Nothing overflows: after the time that fills it
 * anyway nothing is multiplied. */
static void
fill(struct rate *rate)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t passed_us = now_us - rate->filled_us, grown;

	rate->filled_us = now_us;
	if (passed_us >= 1000000 * (RATE_BURST_MIN / rate->octets_a_second + 1))
		rate->octets = UINT64_MAX;
	if (rate->octets < burst(rate)) {
		grown = rate->part + passed_us * rate->octets_a_second;
		rate->octets += grown / 1000000;
		rate->part = grown % 1000000;
	}
	if (rate->octets >= burst(rate)) {
		rate->octets = burst(rate);
		rate->part = 0;
	}
}

void
rate_set(struct rate *rate, uint64_t octets_a_second)
{
	must(pthread_mutex_lock(&rate->lock) == 0);
	if (rate->octets_a_second != octets_a_second) {
		fill(rate);
		rate->octets_a_second = octets_a_second;
	}
	must(pthread_mutex_unlock(&rate->lock) == 0);
}

size_t
rate_take(struct rate *rate, size_t want, uint64_t *wait_us)
{
	uint64_t least = want < RATE_PIECE ? want : RATE_PIECE, taken = 0;

	must(pthread_mutex_lock(&rate->lock) == 0);
	fill(rate);
	if (rate->octets >= least) {
		taken = want < rate->octets ? want : rate->octets;
		rate->octets -= taken;
	} else {
		*wait_us =
		    (least - rate->octets) * 1000000 / rate->octets_a_second +
		    1;
		if (*wait_us > WAIT_MAX_US)
			*wait_us = WAIT_MAX_US;
	}
	must(pthread_mutex_unlock(&rate->lock) == 0);
	return (size_t)taken;
}

void
rate_give(struct rate *rate, size_t octets)
{
	must(pthread_mutex_lock(&rate->lock) == 0);
	rate->octets += octets;
	if (rate->octets > burst(rate))
		rate->octets = burst(rate);
	must(pthread_mutex_unlock(&rate->lock) == 0);
}
