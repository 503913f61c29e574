/* SPDX-License-Identifier: ISC */
/* A clock that a test sets. */
#include "tests/support/fake_clock.h"

#include "base/clock.h"

uint64_t __wrap_clock_monotonic_us(void);
uint64_t __wrap_clock_wall_us(void);

static uint64_t monotonic = 1000000;
static uint64_t wall = 1800000000000000;

void
fake_clock_set(uint64_t monotonic_us, uint64_t wall_us)
{
	monotonic = monotonic_us;
	wall = wall_us;
}

void
fake_clock_advance(uint64_t us)
{
	monotonic += us;
	wall += us;
}

uint64_t
__wrap_clock_monotonic_us(void)
{
	return monotonic;
}

uint64_t
__wrap_clock_wall_us(void)
{
	return wall;
}
