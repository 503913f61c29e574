/* SPDX-License-Identifier: ISC */
/* SOCKS5 messages (RFC 1928), parsed and printed; both sides'. */
#include "base/socks5.h"

#include <string.h>

#include "base/socks5_place.h"
#include "base/wire.h"

/* Requests and replies have one form. */
struct message {
	uint8_t version;
	uint8_t code; /* CMD or REP */
	uint8_t reserved;
	struct socks5_place place;
};

enum parse_result
socks5_greeting_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_greeting *greeting, enum reason *why)
{
	struct wire_reader reader;
	const uint8_t *methods;
	uint8_t version, count;

	wire_reader_init(&reader, data, len);
	version = wire_get_u8(&reader);
	if (!reader.failed && version != SOCKS5_VERSION) {
		*why = REASON_BAD_VERSION;
		return PARSE_BAD;
	}
	count = wire_get_u8(&reader);
	methods = wire_get_bytes(&reader, count);
	if (methods == NULL)
		return PARSE_MORE;
	greeting->count = count;
	memcpy(greeting->methods, methods, count);
	*consumed = reader.at;
	return PARSE_DONE;
}

bool
socks5_greeting_has(const struct socks5_greeting *greeting, uint8_t method)
{
	return memchr(greeting->methods, method, greeting->count) != NULL;
}

static bool
is_header(const struct message *message)
{
	return message->version == SOCKS5_VERSION && message->reserved == 0;
}

static enum parse_result
message_parse(const void *data, size_t len, size_t *consumed,
    struct message *message, enum reason *why)
{
	struct wire_reader reader;

	wire_reader_init(&reader, data, len);
	message->version = wire_get_u8(&reader);
	message->code = wire_get_u8(&reader);
	message->reserved = wire_get_u8(&reader);
	if (!socks5_place_get(&reader, &message->place)) {
		*why = is_header(message) ? REASON_ADDRESS_TYPE_UNSUPPORTED
					  : REASON_BAD_REQUEST;
		return PARSE_BAD;
	}
	if (reader.failed)
		return PARSE_MORE;
	*consumed = reader.at;
	return PARSE_DONE;
}

/* What a whole message names; else why it may not stand. */
static bool
message_endpoint(
    const struct message *message, struct endpoint *endpoint, enum reason *why)
{
	if (!is_header(message)) {
		endpoint->port = message->place.port;
		*why = REASON_BAD_REQUEST;
		return false;
	}
	return socks5_place_read(&message->place, endpoint, why);
}

enum parse_result
socks5_request_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_request *request, enum reason *why)
{
	struct message message;
	enum parse_result result;

	*request = (struct socks5_request){.asked_len = 0};
	result = message_parse(data, len, consumed, &message, why);
	if (result != PARSE_DONE)
		return result;
	request->command = message.code;
	if (socks5_place_is_name(&message.place)) {
		request->asked_len = message.place.host_len;
		memcpy(request->asked, message.place.host, request->asked_len);
	}
	return message_endpoint(&message, &request->destination, why)
		   ? PARSE_DONE
		   : PARSE_BAD;
}

enum parse_result
socks5_reply_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_reply *reply, enum reason *why)
{
	struct message message;
	enum parse_result result;

	*reply = (struct socks5_reply){.reply = 0};
	result = message_parse(data, len, consumed, &message, why);
	if (result != PARSE_DONE)
		return result;
	reply->reply = message.code;
	return message_endpoint(&message, &reply->bound, why) ? PARSE_DONE
							      : PARSE_BAD;
}

/* Writes the octets in front of the address. */
static void
put_header(struct wire_writer *writer, void *out, size_t size, uint8_t code)
{
	wire_writer_init(writer, out, size);
	wire_put_u8(writer, SOCKS5_VERSION);
	wire_put_u8(writer, code);
	wire_put_u8(writer, 0);
}

size_t
socks5_reply_print(uint8_t out[SOCKS5_REPLY_MAX], uint8_t reply,
    const struct socket_address *bound)
{
	struct wire_writer writer;

	put_header(&writer, out, SOCKS5_REPLY_MAX, reply);
	socks5_place_put_address(&writer, bound);
	return writer.len;
}

size_t
socks5_request_print(uint8_t out[SOCKS5_REQUEST_MAX], uint8_t command,
    const struct endpoint *destination)
{
	struct wire_writer writer;

	put_header(&writer, out, SOCKS5_REQUEST_MAX, command);
	socks5_place_put(&writer, destination);
	return writer.len;
}

const char *
socks5_reply_text(uint8_t reply)
{
	/* RFC 1928 section 6 */
	static const char *const texts[] = {
	    "succeeded",
	    "general SOCKS server failure",
	    "connection not allowed by ruleset",
	    "network unreachable",
	    "host unreachable",
	    "connection refused",
	    "TTL expired",
	    "command not supported",
	    "address type not supported",
	};

	return reply < ARRAY_COUNT(texts) ? texts[reply] : "unknown reply";
}
