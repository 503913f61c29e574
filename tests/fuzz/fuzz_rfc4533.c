/* SPDX-License-Identifier: ISC */
/* Fuzzes the values of RFC 4533: what is whole is no value any more with an
 * octet less or one more. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc4533.h"

static void
check_info(const uint8_t *data, size_t size, uint8_t *longer)
{
	struct rfc4533_info info;

	if (rfc4533_parse_info(data, size, &info) != PARSE_DONE)
		return;
	property(info.kind == RFC4533_ID_SET ||
		 (info.uuid_count == 0 && !info.are_deleted));
	property(info.uuid_count * (2 + RFC4533_UUID_SIZE) <= size);
	property(rfc4533_parse_info(data, size - 1, &info) == PARSE_BAD);
	property(rfc4533_parse_info(longer, size + 1, &info) == PARSE_BAD);
}

static void
check_state(const uint8_t *data, size_t size, uint8_t *longer)
{
	struct rfc4533_state state;

	if (rfc4533_parse_state(data, size, &state) != PARSE_DONE)
		return;
	property(
	    state.uuid > data && state.uuid + RFC4533_UUID_SIZE <= data + size);
	property(rfc4533_parse_state(data, size - 1, &state) == PARSE_BAD);
	property(rfc4533_parse_state(longer, size + 1, &state) == PARSE_BAD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t request[RFC4533_REQUEST_SIZE];
	uint8_t *longer = malloc(size + 1);
	size_t len = rfc4533_print_request(request, data, size);

	property(longer != NULL);
	if (size > 0)
		memcpy(longer, data, size);
	longer[size] = 0;
	property((len == 0) == (size > RFC4533_COOKIE_MAX));
	property(len <= sizeof(request));
	check_info(data, size, longer);
	check_state(data, size, longer);
	free(longer);
	return 0;
}
