/* SPDX-License-Identifier: ISC */
/* What client and gateway say to each other between the proof and the relay.
 */
#include "gateway/conversation.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"

#define CLEAR_PIECE_MAX 1024 /* more than any request */

/*
 * One sealed message from input to opened.  The seal works in place, so the
 * token is copied out first: libgssapi writes into it.
 */
static enum parse_result
open_message(struct evbuffer *input, struct seal *seal, struct evbuffer *opened,
    enum reason *why)
{
	uint8_t header[RFC1961_HEADER];
	ssize_t have = evbuffer_copyout(input, header, sizeof(header));
	struct rfc1961_frame frame;
	size_t need, consumed, plain_len;
	uint8_t *whole, *plain;
	enum parse_result result;

	result = rfc1961_parse(
	    header, have > 0 ? (size_t)have : 0, &need, &consumed, &frame);
	/* Done after the header alone: an abort, or an empty token. */
	if (result != PARSE_MORE || (have >= 2 && header[1] != RFC1961_DATA)) {
		*why = REASON_GSS_BAD_FRAME;
		return PARSE_BAD;
	}
	if (evbuffer_get_length(input) < need)
		return PARSE_MORE;

	whole = malloc(need);
	if (whole == NULL) {
		*why = REASON_NO_MEMORY;
		return PARSE_BAD;
	}
	must(evbuffer_remove(input, whole, need) == (int)need);
	*why = seal_unwrap(seal, whole + RFC1961_HEADER, need - RFC1961_HEADER,
	    &plain, &plain_len);
	if (*why == REASON_OK && evbuffer_add(opened, plain, plain_len) != 0)
		*why = REASON_NO_MEMORY;
	explicit_bzero(whole, need);
	free(whole);
	return *why == REASON_OK ? PARSE_DONE : PARSE_BAD;
}

enum parse_result
conversation_read(struct evbuffer *input, struct seal *seal,
    struct evbuffer *opened, enum reason *why)
{
	if (seal != NULL)
		return open_message(input, seal, opened, why);
	if (evbuffer_get_length(input) == 0)
		return PARSE_MORE;
	if (evbuffer_remove_buffer(input, opened, CLEAR_PIECE_MAX) < 0) {
		*why = REASON_NO_MEMORY;
		return PARSE_BAD;
	}
	return PARSE_DONE;
}

enum reason
conversation_write(
    struct evbuffer *output, struct seal *seal, const void *data, size_t len)
{
	size_t room, token_len;
	uint8_t *message, *token;
	enum reason reason;

	if (seal == NULL)
		return evbuffer_add(output, data, len) == 0 ? REASON_OK
							    : REASON_NO_MEMORY;
	room = RFC1961_HEADER + seal->header + len + seal->trailer;
	message = malloc(room);
	if (message == NULL)
		return REASON_NO_MEMORY;
	token = message + RFC1961_HEADER;
	memcpy(token + seal->header, data, len);
	reason = seal_wrap(seal, token, len, &token_len);
	if (reason == REASON_OK) {
		rfc1961_header(message, RFC1961_DATA, (uint16_t)token_len);
		if (evbuffer_add(output, message, RFC1961_HEADER + token_len) !=
		    0)
			reason = REASON_NO_MEMORY;
	}
	free(message);
	return reason;
}
