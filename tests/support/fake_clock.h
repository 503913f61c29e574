/* SPDX-License-Identifier: ISC */
/*
 * A clock that a test sets.  Link with
 * -Wl,--wrap=clock_monotonic_us,--wrap=clock_wall_us.
 */
#ifndef TESTS_SUPPORT_FAKE_CLOCK_H
#define TESTS_SUPPORT_FAKE_CLOCK_H

#include <stdint.h>

void fake_clock_set(uint64_t monotonic_us, uint64_t wall_us);
void fake_clock_advance(uint64_t us);

#endif
