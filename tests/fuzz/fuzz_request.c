/* SPDX-License-Identifier: ISC */
/* Fuzzes the request of RFC 1928 section 4. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/socks5.h"
#include "tests/support/prefixes.h"

#define PIECES_MAX (SOCKS5_REQUEST_MAX + 8)

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct socks5_request request;
	enum reason why;

	return socks5_request_parse(data, len, consumed, &request, &why);
}

/* A name that is judged as a name may not be dialled as an address. */
static void
check_name(const char *name)
{
	struct in_addr in;
	struct in6_addr in6;

	property(inet_aton(name, &in) == 0);
	property(inet_pton(AF_INET6, name, &in6) == 0);
}

static void
check_request(const struct socks5_request *request)
{
	const struct endpoint *destination = &request->destination;
	uint8_t out[SOCKS5_REQUEST_MAX];
	struct socks5_request again;
	enum reason why;
	size_t len, consumed;

	if (destination->kind == ENDPOINT_NAME)
		check_name(destination->name);
	len = socks5_request_print(out, request->command, destination);
	property(socks5_request_parse(out, len, &consumed, &again, &why) ==
		 PARSE_DONE);
	property(consumed == len);
	property(again.command == request->command);
	property(
	    memcmp(&again.destination, destination, sizeof(*destination)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks5_request request;
	enum reason why = REASON_OK;
	size_t consumed;

	switch (socks5_request_parse(data, size, &consumed, &request, &why)) {
	case PARSE_DONE:
		property(consumed <= size && consumed <= SOCKS5_REQUEST_MAX);
		property(
		    memcmp(request.asked, data + 5, request.asked_len) == 0);
		check_request(&request);
		break;
	case PARSE_MORE:
		property(size < SOCKS5_REQUEST_MAX);
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
