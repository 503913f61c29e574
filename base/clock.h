/* SPDX-License-Identifier: ISC */
/* What time it is; tests replace these two functions by a fake clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since some fixed moment; never goes back. */
uint64_t clock_monotonic_us(void);

/* Microseconds since 1970-01-01T00:00:00Z; an administrator may set it. */
uint64_t clock_wall_us(void);

#endif
