/* SPDX-License-Identifier: ISC */
/* What we ask of the compiler: attributes used by every header. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

/* The result says whether it worked and may not be ignored. */
#define must_check __attribute__((warn_unused_result))
#define printf_like(format_at, first)                                          \
	__attribute__((format(printf, format_at, first)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
