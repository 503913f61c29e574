/* SPDX-License-Identifier: ISC */
/* What can be seen of a context token from outside. */
#include "base/context_token.h"

#include <string.h>

#include "base/wire.h"

#define TAG_OID		0x06
#define TAG_APPLICATION 0x60 /* InitialContextToken */
#define TAG_CONSTRUCTED 0x20
#define TAG_LONG	0x1f /* a tag of several octets; SPNEGO has none */

/* NegotiationToken, choice, sequence, field, sequence, OID, and a little. */
#define DEPTH_MAX 8

static const struct {
	enum context_mech mech;
	uint8_t len;
	uint8_t octets[10];
} mechs[] = {
    {CONTEXT_MECH_KRB5, 9,
	{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}},
    {CONTEXT_MECH_SPNEGO, 6, {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}},
    {CONTEXT_MECH_NTLM, 10,
	{0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}},
};

static const uint8_t ntlm[] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', '\0'};

/* One element: its tag and contents.  False if it is not all there, or has
 * no length of one to five octets. */
static bool
get_element(struct wire_reader *reader, uint8_t *tag, const uint8_t **contents,
    size_t *len)
{
	uint8_t first;

	*tag = wire_get_u8(reader);
	first = wire_get_u8(reader);
	*len = first;
	if (first >= 0x80) {
		if (first == 0x80 || first > 0x84)
			return false;
		*len = 0;
		for (uint8_t i = 0x80; i < first; i++)
			*len = *len << 8 | wire_get_u8(reader);
	}
	*contents = wire_get_bytes(reader, *len);
	return !reader->failed && (*tag & TAG_LONG) != TAG_LONG;
}

static enum context_mech
mech_of(const uint8_t *oid, size_t len)
{
	for (size_t i = 0; i < ARRAY_COUNT(mechs); i++) {
		if (len == mechs[i].len &&
		    memcmp(oid, mechs[i].octets, len) == 0)
			return mechs[i].mech;
	}
	return CONTEXT_MECH_OTHER;
}

enum context_mech
context_token_mech(const void *token, size_t len)
{
	struct wire_reader reader;
	const uint8_t *contents;
	size_t contents_len;
	uint8_t tag;

	if (len >= sizeof(ntlm) && memcmp(token, ntlm, sizeof(ntlm)) == 0)
		return CONTEXT_MECH_NTLM;
	wire_reader_init(&reader, token, len);
	if (!get_element(&reader, &tag, &contents, &contents_len) ||
	    tag != TAG_APPLICATION)
		return CONTEXT_MECH_UNKNOWN;
	wire_reader_init(&reader, contents, contents_len);
	if (!get_element(&reader, &tag, &contents, &contents_len) ||
	    tag != TAG_OID)
		return CONTEXT_MECH_UNKNOWN;
	return mech_of(contents, contents_len);
}

/* All elements of data, which fill it. */
static bool
are_whole(const uint8_t *data, size_t len, unsigned depth)
{
	struct wire_reader reader;
	const uint8_t *contents;
	size_t contents_len;
	uint8_t tag;

	if (depth > DEPTH_MAX)
		return false;
	wire_reader_init(&reader, data, len);
	while (wire_remaining(&reader) > 0) {
		if (!get_element(&reader, &tag, &contents, &contents_len))
			return false;
		if ((tag & TAG_CONSTRUCTED) != 0 &&
		    !are_whole(contents, contents_len, depth + 1))
			return false;
	}
	return true;
}

bool
context_token_is_whole(const void *token, size_t len)
{
	struct wire_reader reader;
	const uint8_t *contents;
	size_t contents_len;
	uint8_t tag;

	wire_reader_init(&reader, token, len);
	return get_element(&reader, &tag, &contents, &contents_len) &&
	       wire_is_done(&reader) && (tag & TAG_CONSTRUCTED) != 0 &&
	       are_whole(contents, contents_len, 1);
}
