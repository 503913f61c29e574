/* SPDX-License-Identifier: ISC */
/* What every fuzz target includes: the entry point and how to object. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls it with each input, and so does replay.c.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says which property does not hold, and ends the program. */
#define property(condition)                                                    \
	((condition) ? (void)0                                                 \
		     : property_failed(#condition, __FILE__, __LINE__))

static inline void
property_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

#endif
