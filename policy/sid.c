/* SPDX-License-Identifier: ISC */
/* Security identifiers of Active Directory (MS-DTYP 2.4.2.2). */
#include "policy/sid.h"

#include <string.h>

/* Revision, number of sub-authorities, authority (6); then sub-authorities,
 * 32 bits each, little-endian; the last is the relative identifier. */
#define HEAD		 8
#define REVISION	 1
#define SUBAUTHORITY_MAX 15

static char *
put(char *out, uint8_t octet)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = digits[octet >> 4];
	*out++ = digits[octet & 15];
	return out;
}

bool
sid_filter(
    const uint8_t *sid, size_t len, uint32_t rid, char filter[SID_FILTER_SIZE])
{
	static const char begin[] = "(objectSid=";
	char *out = filter + sizeof(begin) - 1;

	/* A domain's own SID has an identifier of its own; without one there
	 * is nothing to replace. */
	if (len < HEAD || sid[0] != REVISION || sid[1] < 2 ||
	    sid[1] > SUBAUTHORITY_MAX || len != HEAD + 4 * (size_t)sid[1])
		return false;
	memcpy(filter, begin, sizeof(begin));
	for (size_t i = 0; i < len - 4; i++)
		out = put(out, sid[i]);
	for (unsigned shift = 0; shift < 32; shift += 8)
		out = put(out, (uint8_t)(rid >> shift));
	memcpy(out, ")", 2);
	return true;
}
