/* SPDX-License-Identifier: ISC */
/* Fuzzes the messages of RFC 1929. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/rfc1929.h"
#include "tests/support/prefixes.h"

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct rfc1929_message message;
	size_t need = 0;
	enum parse_result result =
	    rfc1929_parse(data, len, &need, consumed, &message);

	if (result == PARSE_MORE)
		property(need > len && need <= RFC1929_MAX);
	return result;
}

static void
check_message(
    const uint8_t *data, size_t consumed, const struct rfc1929_message *message)
{
	property(data[0] == RFC1929_VERSION);
	property(data[1] == message->user_len);
	property(data[RFC1929_HEADER + (size_t)message->user_len] ==
		 message->password_len);
	property(consumed == RFC1929_HEADER + (size_t)message->user_len + 1 +
				 (size_t)message->password_len);
	property(message->user ==
		 (message->user_len == 0 ? NULL : data + RFC1929_HEADER));
	property(message->password ==
		 (message->password_len == 0
			 ? NULL
			 : data + consumed - message->password_len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rfc1929_message message;
	size_t need, consumed;

	property(prefixes_violate(parse, data,
		     size < RFC1929_MAX + 4 ? size : RFC1929_MAX + 4) == NULL);
	if (rfc1929_parse(data, size, &need, &consumed, &message) == PARSE_DONE)
		check_message(data, consumed, &message);
	return 0;
}
