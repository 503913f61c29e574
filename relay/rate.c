/* SPDX-License-Identifier: ISC */
/* How many octets a second may pass: a token bucket, for all that share it. */
#include "relay/rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "relay/allowance.h"

/* Who is told to wait comes again after a second at the latest. */
#define WAIT_MAX_US 1000000

struct rate {
	pthread_mutex_t lock;
	struct allowance octets; /* locked */
};

static uint64_t
burst_of(uint64_t octets_a_second)
{
	uint64_t quarter = octets_a_second / 4;

	return quarter > RATE_BURST_MIN ? quarter : RATE_BURST_MIN;
}

struct rate *
rate_new(uint64_t octets_a_second)
{
	struct rate *rate = calloc(1, sizeof(*rate));

	if (rate == NULL)
		return NULL;
	must(pthread_mutex_init(&rate->lock, NULL) == 0);
	allowance_set(
	    &rate->octets, octets_a_second, burst_of(octets_a_second));
	allowance_give(&rate->octets, burst_of(octets_a_second));
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

static void
lock(struct rate *rate)
{
	must(pthread_mutex_lock(&rate->lock) == 0);
}

static void
unlock(struct rate *rate)
{
	must(pthread_mutex_unlock(&rate->lock) == 0);
}

void
rate_set(struct rate *rate, uint64_t octets_a_second)
{
	lock(rate);
	if (rate->octets.per_second != octets_a_second)
		allowance_set(
		    &rate->octets, octets_a_second, burst_of(octets_a_second));
	unlock(rate);
}

size_t
rate_take(struct rate *rate, size_t want, uint64_t *wait_us)
{
	uint64_t least = want < RATE_PIECE ? want : RATE_PIECE, left;
	size_t taken = 0;

	lock(rate);
	left = allowance_left(&rate->octets);
	if (left >= least) {
		taken = want < left ? want : (size_t)left;
		must(allowance_take(&rate->octets, taken));
	} else {
		*wait_us =
		    (least - left) * 1000000 / rate->octets.per_second + 1;
		if (*wait_us > WAIT_MAX_US)
			*wait_us = WAIT_MAX_US;
	}
	unlock(rate);
	return taken;
}

bool
rate_take_whole(struct rate *rate, size_t octets)
{
	bool taken;

	lock(rate);
	taken = allowance_take(&rate->octets, octets);
	unlock(rate);
	return taken;
}

void
rate_give(struct rate *rate, size_t octets)
{
	lock(rate);
	allowance_give(&rate->octets, octets);
	unlock(rate);
}

bool
rate_is_full(struct rate *rate)
{
	bool is_full;

	lock(rate);
	is_full = allowance_is_full(&rate->octets);
	unlock(rate);
	return is_full;
}
