/* SPDX-License-Identifier: ISC */
/* How long to wait before a program that died is started again. */
#include "gateway/backoff.h"

#include <stdbool.h>

#include "base/clock.h"

/* The oldest death that we remember was not long ago. */
static bool
is_dying_often(const struct backoff *backoff, uint64_t now_us)
{
	uint64_t oldest_us = backoff->died_us[backoff->count % BACKOFF_DEATHS];

	return backoff->count >= BACKOFF_DEATHS &&
	       now_us - oldest_us <= BACKOFF_WINDOW_US;
}

static unsigned
twice(unsigned delay_ms)
{
	return delay_ms * 2 < BACKOFF_LAST_MS ? delay_ms * 2 : BACKOFF_LAST_MS;
}

unsigned
backoff_died(struct backoff *backoff, uint64_t started_us)
{
	uint64_t now_us = clock_monotonic_us();

	backoff->died_us[backoff->count++ % BACKOFF_DEATHS] = now_us;
	if (backoff->delay_ms > 0 && now_us - started_us <= BACKOFF_WINDOW_US)
		backoff->delay_ms = twice(backoff->delay_ms);
	else if (is_dying_often(backoff, now_us))
		backoff->delay_ms = BACKOFF_FIRST_MS;
	else
		backoff->delay_ms = 0;
	return backoff->delay_ms;
}
