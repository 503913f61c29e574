/* SPDX-License-Identifier: ISC */
/* What must hold, in release builds too: assertions and fatal starts. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include "base/compiler.h"

/* A programmer's error ends the program with file, line and condition. */
#define must(condition)                                                        \
	((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__))

_Noreturn void must_failed(const char *condition, const char *file, int line);

/* Ends the program at start-up with a message on stderr and EXIT_FAILURE. */
_Noreturn void die(const char *format, ...) printf_like(1, 2);

/* Allocation at start-up: dies when there is no memory. */
void *must_alloc(size_t count, size_t size) must_check;
char *must_strdup(const char *text) must_check;

#endif
