/* SPDX-License-Identifier: ISC */
/* The messages of RFC 1929: a name and a password, and what came of them. */
#include "base/rfc1929.h"

#include "base/wire.h"

/* A length in one octet and that many octets, NULL if none.  False while
 * they are not there; *need grows by what is known to be needed. */
static bool
read_field(struct wire_reader *reader, size_t *need, uint8_t *len,
    const uint8_t **octets)
{
	(*need)++;
	*len = wire_get_u8(reader);
	if (reader->failed)
		return false;
	*need += *len;
	*octets = wire_get_bytes(reader, *len);
	if (*len == 0)
		*octets = NULL;
	return !reader->failed;
}

enum parse_result
rfc1929_parse(const void *data, size_t len, size_t *need, size_t *consumed,
    struct rfc1929_message *message)
{
	struct wire_reader reader;
	uint8_t version;

	wire_reader_init(&reader, data, len);
	version = wire_get_u8(&reader);
	if (!reader.failed && version != RFC1929_VERSION)
		return PARSE_BAD;
	*need = 1;
	if (!read_field(&reader, need, &message->user_len, &message->user)) {
		/* The password's length stands behind the name. */
		(*need)++;
		return PARSE_MORE;
	}
	if (!read_field(
		&reader, need, &message->password_len, &message->password))
		return PARSE_MORE;
	*consumed = *need;
	return PARSE_DONE;
}

void
rfc1929_reply(uint8_t out[RFC1929_REPLY], bool is_proved)
{
	struct wire_writer writer;

	/* Section 2: the version of the sub-negotiation, which is 1. */
	wire_writer_init(&writer, out, RFC1929_REPLY);
	wire_put_u8(&writer, RFC1929_VERSION);
	wire_put_u8(&writer, is_proved ? 0 : 1);
}
