/* SPDX-License-Identifier: ISC */
/* The framing of RFC 1961: version, message type, length, token. */
#include "base/rfc1961.h"

#include <stdbool.h>

#include "base/wire.h"

#define ABORT_LEN 2

static bool
is_type(uint8_t octet)
{
	return (octet >= RFC1961_CONTEXT && octet <= RFC1961_DATA) ||
	       octet == RFC1961_ABORT;
}

enum parse_result
rfc1961_parse(const void *data, size_t len, size_t *need, size_t *consumed,
    struct rfc1961_frame *frame)
{
	struct wire_reader reader;
	const uint8_t *token;
	uint8_t version, type;
	uint16_t token_len;

	wire_reader_init(&reader, data, len);
	version = wire_get_u8(&reader);
	if (!reader.failed && version != RFC1961_VERSION)
		return PARSE_BAD;
	type = wire_get_u8(&reader);
	*need = ABORT_LEN;
	if (reader.failed)
		return PARSE_MORE;
	if (!is_type(type))
		return PARSE_BAD;
	if (type == RFC1961_ABORT) {
		*frame = (struct rfc1961_frame){.type = RFC1961_ABORT};
		*consumed = ABORT_LEN;
		return PARSE_DONE;
	}

	token_len = wire_get_u16(&reader);
	token = wire_get_bytes(&reader, token_len);
	*need = RFC1961_HEADER + (size_t)token_len;
	if (reader.failed)
		return PARSE_MORE;
	*frame = (struct rfc1961_frame){
	    .type = (enum rfc1961_type)type,
	    .token_len = token_len,
	    .token = token_len == 0 ? NULL : token,
	};
	*consumed = *need;
	return PARSE_DONE;
}

void
rfc1961_header(
    uint8_t out[RFC1961_HEADER], enum rfc1961_type type, uint16_t token_len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, RFC1961_HEADER);
	wire_put_u8(&writer, RFC1961_VERSION);
	wire_put_u8(&writer, (uint8_t)type);
	wire_put_u16(&writer, token_len);
}
