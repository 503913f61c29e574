/* SPDX-License-Identifier: ISC */
/* A GSS context without cryptography, for tests that link it instead. */
#ifndef TESTS_SUPPORT_TOY_CONTEXT_H
#define TESTS_SUPPORT_TOY_CONTEXT_H

#include <stdbool.h>

/* Contexts that were imported and not freed yet. */
int toy_context_count(void);

/* From now on no level octet is sealed (or again, with false). */
void toy_context_fail_wrap(bool fails);

#endif
