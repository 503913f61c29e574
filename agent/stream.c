/* SPDX-License-Identifier: ISC */
/* The octets of one connection to the gateway. */
#include "agent/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"
#include "base/seal.h"

ptrdiff_t
stream_fill(struct stream *stream)
{
	ssize_t len;

	memmove(stream->in, stream->in + stream->in_at,
	    stream->in_len - stream->in_at);
	stream->in_len -= stream->in_at;
	stream->in_at = 0;
	must(stream->in_len < sizeof(stream->in));
	do
		len = recv(stream->fd, stream->in + stream->in_len,
		    sizeof(stream->in) - stream->in_len, 0);
	while (len < 0 && errno == EINTR);
	if (len > 0)
		stream->in_len += (size_t)len;
	return len;
}

enum stream_result
stream_take_frame(struct stream *stream, struct rfc1961_frame *frame)
{
	size_t need, consumed;

	switch (rfc1961_parse(stream->in + stream->in_at,
	    stream->in_len - stream->in_at, &need, &consumed, frame)) {
	case PARSE_DONE:
		stream->in_at += consumed;
		return STREAM_DONE;
	case PARSE_MORE:
		return STREAM_MORE;
	case PARSE_BAD:
		break;
	}
	return STREAM_BAD;
}

static enum stream_result
take_clear(struct stream *stream, const uint8_t **plain, size_t *len)
{
	*plain = stream->in + stream->in_at;
	*len = stream->in_len - stream->in_at;
	stream->in_at = stream->in_len;
	return *len > 0 ? STREAM_DONE : STREAM_MORE;
}

enum stream_result
stream_take_plain(struct stream *stream, const uint8_t **plain, size_t *len)
{
	struct rfc1961_frame frame;
	enum stream_result result;
	uint8_t *token, *opened;

	if (stream->seal == NULL)
		return take_clear(stream, plain, len);
	result = stream_take_frame(stream, &frame);
	if (result != STREAM_DONE)
		return result;
	if (frame.type != RFC1961_DATA)
		return STREAM_BAD;
	token = stream->in + stream->in_at - frame.token_len;
	if (seal_unwrap(stream->seal, token, frame.token_len, &opened, len) !=
	    REASON_OK)
		return STREAM_BAD;
	*plain = opened;
	return STREAM_DONE;
}

enum outcome
stream_send(struct stream *stream, const void *data, size_t len)
{
	const uint8_t *octets = data;

	while (len > 0) {
		ssize_t sent = send(stream->fd, octets, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return outcome_say(OUTCOME_LOST,
			    "the connection to the gateway broke: %s",
			    strerror(errno));
		octets += sent;
		len -= (size_t)sent;
	}
	return OUTCOME_OK;
}

enum outcome
stream_send_frame(struct stream *stream, enum rfc1961_type type,
    const void *token, size_t len)
{
	uint8_t header[RFC1961_HEADER];
	enum outcome outcome;

	if (len > RFC1961_TOKEN_MAX)
		return outcome_say(
		    OUTCOME_KERBEROS, "the ticket is too large for RFC 1961");
	rfc1961_header(header, type, (uint16_t)len);
	outcome = stream_send(stream, header, sizeof(header));
	return outcome == OUTCOME_OK ? stream_send(stream, token, len)
				     : outcome;
}

enum outcome
stream_wait(struct stream *stream)
{
	ptrdiff_t len = stream_fill(stream);

	if (len > 0)
		return OUTCOME_OK;
	if (len == 0)
		return outcome_say(
		    OUTCOME_LOST, "the gateway closed the connection");
	return outcome_say(OUTCOME_LOST,
	    "the gateway's answer did not come: %s",
	    errno == EAGAIN ? "it takes too long" : strerror(errno));
}
