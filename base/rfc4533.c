/* SPDX-License-Identifier: ISC */
/* The values that RFC 4533 adds to LDAP. */
#include "base/rfc4533.h"

#include "base/wire.h"

#define TAG_BOOLEAN	    0x01
#define TAG_OCTET_STRING    0x04
#define TAG_ENUMERATED	    0x0a
#define TAG_SEQUENCE	    0x30
#define TAG_SET		    0x31
#define TAG_NEW_COOKIE	    0x80
#define TAG_REFRESH_DELETE  0xa1
#define TAG_REFRESH_PRESENT 0xa2
#define TAG_ID_SET	    0xa3

#define REFRESH_AND_PERSIST 3
#define LENGTH_OCTETS_MAX   4

/* ---- reading: BER, in the lengths that LDAP has (RFC 4511 section 5.1) */

static size_t
get_length(struct wire_reader *reader)
{
	uint8_t first = wire_get_u8(reader);
	size_t len = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x80 + LENGTH_OCTETS_MAX)
		reader->failed = true;
	for (uint8_t i = 0x80; i < first && !reader->failed; i++)
		len = len << 8 | wire_get_u8(reader);
	return len;
}

static bool
is_next(const struct wire_reader *reader, uint8_t tag)
{
	return !reader->failed && wire_remaining(reader) > 0 &&
	       reader->data[reader->at] == tag;
}

/* The contents of the element that must come next. */
static const uint8_t *
get_element(struct wire_reader *reader, uint8_t tag, size_t *len)
{
	if (wire_get_u8(reader) != tag)
		reader->failed = true;
	*len = get_length(reader);
	return wire_get_bytes(reader, *len);
}

/* The reader goes on inside of the element, which must be all there is. */
static void
enter(struct wire_reader *reader, uint8_t tag)
{
	size_t len;
	const uint8_t *contents = get_element(reader, tag, &len);
	bool failed = !wire_is_done(reader);

	wire_reader_init(reader, contents, failed ? 0 : len);
	reader->failed = failed;
}

static void
skip_cookie(struct wire_reader *reader)
{
	size_t len;

	if (is_next(reader, TAG_OCTET_STRING))
		(void)get_element(reader, TAG_OCTET_STRING, &len);
}

static uint8_t
get_octet(struct wire_reader *reader, uint8_t tag)
{
	size_t len;
	const uint8_t *octet = get_element(reader, tag, &len);

	if (len != 1)
		reader->failed = true;
	return reader->failed ? 0 : *octet;
}

static bool
get_flag(struct wire_reader *reader, bool otherwise)
{
	if (!is_next(reader, TAG_BOOLEAN))
		return otherwise;
	return get_octet(reader, TAG_BOOLEAN) != 0;
}

static const uint8_t *
get_uuid(struct wire_reader *reader)
{
	size_t len;
	const uint8_t *uuid = get_element(reader, TAG_OCTET_STRING, &len);

	if (len != RFC4533_UUID_SIZE)
		reader->failed = true;
	return uuid;
}

static enum parse_result
end(const struct wire_reader *reader)
{
	return wire_is_done(reader) ? PARSE_DONE : PARSE_BAD;
}

/* ---- the values */

size_t
rfc4533_print_request(
    uint8_t out[RFC4533_REQUEST_SIZE], const void *cookie, size_t cookie_len)
{
	struct wire_writer writer;
	uint16_t around = cookie_len > 0 ? 4 : 0; /* tag and length */

	if (cookie_len > RFC4533_COOKIE_MAX)
		return 0;
	wire_writer_init(&writer, out, RFC4533_REQUEST_SIZE);
	wire_put_u8(&writer, TAG_SEQUENCE);
	wire_put_u8(&writer, 0x82);
	wire_put_u16(&writer, (uint16_t)(3 + around + cookie_len));
	wire_put_u8(&writer, TAG_ENUMERATED);
	wire_put_u8(&writer, 1);
	wire_put_u8(&writer, REFRESH_AND_PERSIST);
	if (cookie_len > 0) {
		wire_put_u8(&writer, TAG_OCTET_STRING);
		wire_put_u8(&writer, 0x82);
		wire_put_u16(&writer, (uint16_t)cookie_len);
		wire_put_bytes(&writer, cookie, cookie_len);
	}
	return writer.len;
}

enum parse_result
rfc4533_parse_state(const void *value, size_t len, struct rfc4533_state *state)
{
	struct wire_reader reader;
	uint8_t change;

	wire_reader_init(&reader, value, len);
	enter(&reader, TAG_SEQUENCE);
	change = get_octet(&reader, TAG_ENUMERATED);
	state->uuid = get_uuid(&reader);
	skip_cookie(&reader);
	if (change > RFC4533_DELETE)
		return PARSE_BAD;
	state->change = (enum rfc4533_change)change;
	return end(&reader);
}

static enum parse_result
parse_phase_end(struct wire_reader *reader, struct rfc4533_info *info)
{
	skip_cookie(reader);
	info->is_done = get_flag(reader, true);
	return end(reader);
}

static enum parse_result
parse_id_set(struct wire_reader *reader, struct rfc4533_info *info)
{
	skip_cookie(reader);
	info->are_deleted = get_flag(reader, false);
	enter(reader, TAG_SET);
	while (!reader->failed && wire_remaining(reader) > 0) {
		(void)get_uuid(reader);
		info->uuid_count++;
	}
	return end(reader);
}

enum parse_result
rfc4533_parse_info(const void *value, size_t len, struct rfc4533_info *info)
{
	struct wire_reader reader;
	uint8_t tag;

	*info = (struct rfc4533_info){.kind = RFC4533_NEW_COOKIE};
	wire_reader_init(&reader, value, len);
	tag = wire_get_u8(&reader);
	wire_reader_init(&reader, value, len);
	enter(&reader, tag);
	switch (tag) {
	case TAG_NEW_COOKIE:
		return reader.failed ? PARSE_BAD : PARSE_DONE;
	case TAG_REFRESH_DELETE:
		info->kind = RFC4533_REFRESH_DELETE;
		return parse_phase_end(&reader, info);
	case TAG_REFRESH_PRESENT:
		info->kind = RFC4533_REFRESH_PRESENT;
		return parse_phase_end(&reader, info);
	case TAG_ID_SET:
		info->kind = RFC4533_ID_SET;
		return parse_id_set(&reader, info);
	default:
		return PARSE_BAD;
	}
}
