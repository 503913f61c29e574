/* SPDX-License-Identifier: ISC */
/* Fuzzes the greeting of RFC 1928 section 3. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/socks5.h"
#include "tests/support/prefixes.h"

#define PIECES_MAX (SOCKS5_GREETING_MAX + 8)

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct socks5_greeting greeting;
	enum reason why;

	return socks5_greeting_parse(data, len, consumed, &greeting, &why);
}

static void
check_greeting(const uint8_t *data, const struct socks5_greeting *greeting)
{
	property(data[0] == SOCKS5_VERSION);
	property(greeting->count == data[1]);
	property(memcmp(greeting->methods, data + 2, data[1]) == 0);
	for (unsigned method = 0; method < 256; method++) {
		bool is_there = false;

		for (size_t i = 0; i < greeting->count; i++)
			is_there |= greeting->methods[i] == method;
		property(
		    socks5_greeting_has(greeting, (uint8_t)method) == is_there);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks5_greeting greeting;
	enum reason why = REASON_OK;
	size_t consumed;

	switch (socks5_greeting_parse(data, size, &consumed, &greeting, &why)) {
	case PARSE_DONE:
		property(consumed <= size);
		property(consumed == 2 + (size_t)greeting.count);
		check_greeting(data, &greeting);
		break;
	case PARSE_MORE:
		property(size < SOCKS5_GREETING_MAX);
		break;
	case PARSE_BAD:
		property(data[0] != SOCKS5_VERSION);
		property(why == REASON_BAD_VERSION);
		break;
	}
	property(prefixes_violate(parse, data,
		     size < PIECES_MAX ? size : PIECES_MAX) == NULL);
	return 0;
}
