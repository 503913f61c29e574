/* SPDX-License-Identifier: ISC */
/* Fuzzes the framing of RFC 1961: a stream of frames. */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/rfc1961.h"
#include "tests/support/prefixes.h"

#define PIECES_MAX 1024

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct rfc1961_frame frame;
	size_t need = 0;
	enum parse_result result =
	    rfc1961_parse(data, len, &need, consumed, &frame);

	if (result == PARSE_MORE)
		property(need > len && need <= RFC1961_FRAME_MAX);
	return result;
}

static void
check_frame(
    const uint8_t *data, size_t consumed, const struct rfc1961_frame *frame)
{
	uint8_t header[RFC1961_HEADER];

	rfc1961_header(header, frame->type, frame->token_len);
	if (frame->type == RFC1961_ABORT) {
		property(consumed == 2 && memcmp(header, data, 2) == 0);
		property(frame->token == NULL && frame->token_len == 0);
		return;
	}
	property(consumed == RFC1961_HEADER + (size_t)frame->token_len);
	property(memcmp(header, data, RFC1961_HEADER) == 0);
	property(frame->token ==
		 (frame->token_len == 0 ? NULL : data + RFC1961_HEADER));
}

/* One frame off the stream; false at its end. */
static bool
next(const uint8_t **data, size_t *size)
{
	struct rfc1961_frame frame;
	size_t need, consumed;

	if (rfc1961_parse(*data, *size, &need, &consumed, &frame) != PARSE_DONE)
		return false;
	property(consumed <= *size);
	check_frame(*data, consumed, &frame);
	*data += consumed;
	*size -= consumed;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	property(prefixes_violate(parse, data,
		     size < PIECES_MAX ? size : PIECES_MAX) == NULL);
	while (next(&data, &size))
		;
	return 0;
}
