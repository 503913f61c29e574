/* SPDX-License-Identifier: ISC */
/* A line of the auditor's spool. */
#include "base/audit_chain_line.h"

#include <string.h>

#include "base/audit_chain_key.h"
#include "base/text.h"

#define HEADER_WORDS  6 /* <PRI>1 TIME HOST gatewarden PID MSGID */
#define NUMBER_DIGITS 20
#define NUMBER_PARAM  "seq=\""

/* Behind the next octet c; NULL: there is none. */
static const char *
behind(const char *at, const char *end, char c)
{
	at = memchr(at, c, (size_t)(end - at));
	return at == NULL ? NULL : at + 1;
}

/* What the element's first parameter says. */
static uint64_t
read_number(const char *at, const char *end)
{
	char digits[NUMBER_DIGITS + 1];
	uint64_t number = 0;
	const char *mark;
	size_t len;

	for (int i = 0; at != NULL && i < HEADER_WORDS; i++)
		at = behind(at, end, ' ');
	if (at == NULL || at == end || *at != '[')
		return 0;
	at = behind(at, end, ' ');
	len = strlen(NUMBER_PARAM);
	if (at == NULL || (size_t)(end - at) < len ||
	    memcmp(at, NUMBER_PARAM, len) != 0)
		return 0;
	at += len;
	mark = memchr(at, '"', (size_t)(end - at));
	if (mark == NULL || (len = (size_t)(mark - at)) > NUMBER_DIGITS)
		return 0;
	memcpy(digits, at, len);
	digits[len] = '\0';
	return text_parse_u64(digits, 1, UINT64_MAX, &number) ? number : 0;
}

bool
audit_chain_line_parse(
    const char *line, size_t len, struct audit_chain_line *parsed)
{
	memset(parsed, 0, sizeof(*parsed));
	if (len <= AUDIT_CHAIN_PREFIX || len > AUDIT_CHAIN_LINE_MAX ||
	    line[AUDIT_CHAIN_PREFIX - 1] != ' ' ||
	    !audit_chain_key_parse(line, AUDIT_CHAIN_PREFIX - 1, parsed->mac))
		return false;
	parsed->message = line + AUDIT_CHAIN_PREFIX;
	parsed->len = len - AUDIT_CHAIN_PREFIX;
	parsed->sequence = read_number(parsed->message, line + len);
	return true;
}

void
audit_chain_line_prefix(const uint8_t mac[AUDIT_CHAIN_MAC_SIZE],
    char prefix[AUDIT_CHAIN_PREFIX + 1])
{
	audit_chain_key_print(mac, prefix);
	memcpy(prefix + AUDIT_CHAIN_PREFIX - 1, " ", 2);
}
