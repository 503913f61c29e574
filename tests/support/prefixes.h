/* SPDX-License-Identifier: ISC */
/* What every parser of the wire owes for input that comes in pieces. */
#ifndef TESTS_SUPPORT_PREFIXES_H
#define TESTS_SUPPORT_PREFIXES_H

#include <stddef.h>

#include "base/parse.h"

/* A parser with all but its verdict hidden. */
typedef enum parse_result
prefixes_parse_fn(const void *data, size_t len, size_t *consumed);

/*
 * Feeds each beginning of data[0 .. len), from none of it to all of it, each
 * in memory of exactly its size.  NULL if the parser wants more until it
 * knows and then stays with what it said, and if a message is done with its
 * last octet; else the sentence that does not hold.
 */
const char *
prefixes_violate(prefixes_parse_fn *parse, const void *data, size_t len);

#endif
