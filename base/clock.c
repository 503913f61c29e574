/* SPDX-License-Identifier: ISC */
/* What time it is. */
#include "base/clock.h"

#include <time.h>

static uint64_t
read_us(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}
