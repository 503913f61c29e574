/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes lines of the spool: a line is its MAC and its message and nothing
 * else, and its number is the one that the whole record has.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/audit_chain_line.h"
#include "base/audit_text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *why;
	char prefix[AUDIT_CHAIN_PREFIX + 1], at[33];
	struct audit_chain_line parsed;
	struct audit_text text;

	if (!audit_chain_line_parse(line, size, &parsed))
		return 0;
	audit_chain_line_prefix(parsed.mac, prefix);
	property(memcmp(prefix, line, AUDIT_CHAIN_PREFIX) == 0);
	property(parsed.message == line + AUDIT_CHAIN_PREFIX);
	property(parsed.len == size - AUDIT_CHAIN_PREFIX);
	if (parsed.message[0] == '<' &&
	    audit_text_parse(parsed.message, parsed.len, &text, &why, at) ==
		AUDIT_TEXT_RECORD &&
	    strstr(text.sd_id, "@") != NULL && parsed.sequence != 0)
		property(parsed.sequence == text.sequence);
	return 0;
}
