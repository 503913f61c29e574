/* SPDX-License-Identifier: ISC */
/*
 * A line of the auditor's spool: MAC SP MESSAGE, where MAC is 64 lower-case
 * hexadecimal digits and MESSAGE an audit record as RFC 5424 has it.
 *
 * Pure.  What stands in the spool is not trusted: anybody who was root may
 * have written it.
 */
#ifndef BASE_AUDIT_CHAIN_LINE_H
#define BASE_AUDIT_CHAIN_LINE_H

#include <stdbool.h>

#include "base/audit_chain.h"
#include "base/audit_record.h"

#define AUDIT_CHAIN_PREFIX (2 * AUDIT_CHAIN_MAC_SIZE + 1)
/* Of a line without its end. */
#define AUDIT_CHAIN_LINE_MAX (AUDIT_CHAIN_PREFIX + AUDIT_RECORD_MAX)

struct audit_chain_line {
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	const char *message; /* points into the line */
	size_t len;
	uint64_t sequence; /* what the message says; 0: nothing */
};

/* Reads a line without its end; false if it is not of that form.  Of the
 * message nothing is read but its number. */
bool audit_chain_line_parse(
    const char *line, size_t len, struct audit_chain_line *parsed) must_check;

/* "MAC ", for in front of a message. */
void audit_chain_line_prefix(const uint8_t mac[AUDIT_CHAIN_MAC_SIZE],
    char prefix[AUDIT_CHAIN_PREFIX + 1]);

#endif
