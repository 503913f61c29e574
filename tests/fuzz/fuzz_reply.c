/* SPDX-License-Identifier: ISC */
/* Fuzzes the reply of RFC 1928 section 6, as a client reads it. */
#include "tests/fuzz/fuzz.h"

#include "base/socks5.h"
#include "tests/support/prefixes.h"

#define PIECES_MAX (SOCKS5_REPLY_MAX + 8)

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct socks5_reply reply;
	enum reason why;

	return socks5_reply_parse(data, len, consumed, &reply, &why);
}

static void
check_reply(const struct socks5_reply *reply)
{
	struct socket_address bound = {reply->bound.address, reply->bound.port};
	uint8_t out[SOCKS5_REPLY_MAX];
	struct socks5_reply again;
	enum reason why;
	size_t len, consumed;

	property(socks5_reply_text(reply->reply)[0] != '\0');
	if (reply->bound.kind == ENDPOINT_NAME)
		return; /* our own replies name addresses only */
	len = socks5_reply_print(out, reply->reply, &bound);
	property(socks5_reply_parse(out, len, &consumed, &again, &why) ==
		 PARSE_DONE);
	property(consumed == len);
	property(again.reply == reply->reply);
	property(again.bound.kind == ENDPOINT_ADDRESS);
	property(again.bound.port == bound.port);
	property(address_is_equal(&again.bound.address, &bound.address));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks5_reply reply;
	enum reason why = REASON_OK;
	size_t consumed;

	switch (socks5_reply_parse(data, size, &consumed, &reply, &why)) {
	case PARSE_DONE:
		property(consumed <= size && consumed <= SOCKS5_REPLY_MAX);
		check_reply(&reply);
		break;
	case PARSE_MORE:
		property(size < SOCKS5_REPLY_MAX);
		break;
	case PARSE_BAD:
		property(why == REASON_BAD_REQUEST || why == REASON_BAD_NAME ||
			 why == REASON_ADDRESS_TYPE_UNSUPPORTED);
		break;
	}
	property(prefixes_violate(parse, data,
		     size < PIECES_MAX ? size : PIECES_MAX) == NULL);
	return 0;
}
