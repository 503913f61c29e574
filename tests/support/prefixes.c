/* SPDX-License-Identifier: ISC */
/* What every parser of the wire owes for input that comes in pieces. */
#include "tests/support/prefixes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In memory of its own, so that a sanitizer sees a read behind its end. */
static enum parse_result
parse_copy(
    prefixes_parse_fn *parse, const void *data, size_t len, size_t *consumed)
{
	void *copy = malloc(len);
	enum parse_result result;

	if (len > 0) {
		if (copy == NULL)
			abort();
		memcpy(copy, data, len);
	}
	*consumed = SIZE_MAX;
	result = parse(copy, len, consumed);
	free(copy);
	return result;
}

const char *
prefixes_violate(prefixes_parse_fn *parse, const void *data, size_t len)
{
	enum parse_result before = PARSE_MORE;
	size_t known_at = 0;

	for (size_t n = 0; n <= len; n++) {
		size_t consumed;
		enum parse_result now = parse_copy(parse, data, n, &consumed);

		if (before != PARSE_MORE && now != before)
			return "what is known stays known";
		if (before == PARSE_MORE && now != PARSE_MORE)
			known_at = n;
		if (now == PARSE_DONE && consumed != known_at)
			return "a message is done with its last octet";
		before = now;
	}
	return NULL;
}
