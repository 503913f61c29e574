/* SPDX-License-Identifier: ISC */
/* Moments as people write and read them. */
#ifndef CTL_MOMENT_TEXT_H
#define CTL_MOMENT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define MOMENT_TEXT_SIZE 32

/* RFC 3339 ("2026-11-27T17:00:00+01:00"; a space for the T, and without
 * seconds, too) or GeneralizedTime ("20261127160000Z").  *at is in seconds
 * since 1970, which it is not before. */
bool moment_text_parse(const char *text, uint64_t *at) must_check;

/* RFC 3339, in UTC; "?" past the year 9999. */
const char *moment_text_print(uint64_t at, char out[MOMENT_TEXT_SIZE]);

#endif
