/* SPDX-License-Identifier: ISC */
/* Fuzzes the header that a load balancer writes in front of a connection. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/proxy_protocol.h"
#include "tests/support/prefixes.h"

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct proxy_header header;

	return proxy_protocol_parse(data, len, consumed, &header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header;
	size_t consumed;

	switch (proxy_protocol_parse(data, size, &consumed, &header)) {
	case PARSE_DONE:
		property(consumed <= size && consumed <= PROXY_PROTOCOL_MAX);
		property(data[0] == 'P' || data[0] == '\r');
		property((header.client.address.family != ADDRESS_NONE) ==
			 (header.origin == PROXY_CLIENT));
		break;
	case PARSE_MORE:
		property(size < PROXY_PROTOCOL_MAX);
		break;
	case PARSE_BAD:
		property(size > 0);
		break;
	}
	/* Each beginning costs its length: long inputs take long. */
	property(
	    prefixes_violate(parse, data, size < 600 ? size : 600) == NULL);
	return 0;
}
