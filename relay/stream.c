/* SPDX-License-Identifier: ISC */
/* One direction of a tunnel: octets from one channel to the other. */
#include "relay/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "relay/buffer.h"
#include "relay/channel.h"
#include "relay/rate.h"

/*
 * What one call may do: copying runs at gigabytes a second, sealing may run
 * at 200 MB/s, and other sessions of the loop are waiting.
 */
#define CLEAR_BUDGET  262144
#define SEALED_BUDGET 65536

/* Plaintext of one sealed message: larger ones are no cheaper an octet. */
#define MESSAGE_PLAIN 16384
#define MESSAGES_MAX  (SEALED_BUDGET / MESSAGE_PLAIN)

/* To open any message takes as long as this many octets more, so that a
 * thousand empty ones are no cheap way to hold up the loop. */
#define MESSAGE_COST 512

/* One call of stream_move. */
struct turn {
	size_t budget;
	bool is_begun; /* a message was opened */
	bool is_dry;   /* the source had less than we could take */
};

static enum stream_fault
content_fault(struct stream *stream, enum reason reason)
{
	stream->reason = reason;
	return STREAM_CONTENT_BROKEN;
}

static void
spend(struct turn *turn, size_t len)
{
	turn->budget -= len < turn->budget ? len : turn->budget;
}

bool
stream_has_output(const struct stream *stream)
{
	const struct buffer *buffer = stream->buffer;

	return buffer != NULL && buffer->first < buffer->count;
}

bool
stream_wants_input(const struct stream *stream)
{
	return !stream->is_stopped && !stream->is_at_end &&
	       !stream->is_throttled && !stream_has_output(stream);
}

/* ---- to the sink ---- */

/* The sink took len octets of what is first. */
static void
take(struct stream *stream, size_t len)
{
	struct buffer *buffer = stream->buffer;

	while (len > 0) {
		struct buffer_piece *piece = &buffer->pieces[buffer->first];
		uint32_t part = len < piece->len ? (uint32_t)len : piece->len;

		piece->at += part;
		piece->len -= part;
		len -= part;
		if (stream->form != STREAM_SEALING)
			stream->delivered += part;
		if (piece->len > 0)
			break;
		if (stream->form == STREAM_SEALING)
			stream->delivered += piece->plain;
		buffer->first++;
	}
	if (buffer->first == buffer->count)
		buffer->first = buffer->count = 0;
}

static enum stream_fault
write_out(struct stream *stream)
{
	struct buffer *buffer = stream->buffer;
	struct iovec iov[BUFFER_PIECES_MAX];
	unsigned count = 0;
	ssize_t len;

	if (!stream_has_output(stream))
		return STREAM_SOUND;
	for (unsigned i = buffer->first; i < buffer->count; i++) {
		iov[count].iov_base = buffer->data + buffer->pieces[i].at;
		iov[count++].iov_len = buffer->pieces[i].len;
	}
	len = channel_writev(stream->to, iov, (int)count);
	if (len == -EAGAIN)
		return STREAM_SOUND;
	if (len < 0) {
		stream->error = (int)-len;
		return STREAM_SINK_BROKEN;
	}
	stream->has_moved = true;
	take(stream, (size_t)len);
	return STREAM_SOUND;
}

/* ---- from the source ---- */

static bool
may_read(const struct stream *stream, const struct turn *turn)
{
	return turn->budget > 0 && !turn->is_dry && !stream->is_stopped &&
	       !stream->is_throttled && !stream->is_at_end;
}

/* How many of the octets that are asked for the rate lets pass. */
static size_t
within_rate(struct stream *stream, size_t asked)
{
	uint64_t wait_us = 0;
	size_t granted;

	if (stream->rate == NULL)
		return asked;
	granted = rate_take(stream->rate, asked, &wait_us);
	stream->is_throttled = granted == 0;
	if (granted == 0)
		stream->resume_us = clock_monotonic_us() + wait_us;
	return granted;
}

/* Shortens what is asked for; returns how many pieces are left. */
static int
clip(struct iovec *iov, int count, size_t len)
{
	int i;

	for (i = 0; i < count && len > 0; i++) {
		if (iov[i].iov_len > len)
			iov[i].iov_len = len;
		len -= iov[i].iov_len;
	}
	return i;
}

static enum stream_fault
read_in(struct stream *stream, struct turn *turn, struct iovec *iov, int count,
    size_t *got)
{
	size_t asked = 0, granted;
	ssize_t len;

	*got = 0;
	for (int i = 0; i < count; i++)
		asked += iov[i].iov_len;
	granted = within_rate(stream, asked);
	if (granted == 0)
		return STREAM_SOUND;
	if (granted < asked)
		count = clip(iov, count, granted);
	len = channel_readv(stream->from, iov, count);
	if (stream->rate != NULL && len < (ssize_t)granted)
		rate_give(stream->rate, granted - (len > 0 ? (size_t)len : 0));
	asked = granted;
	turn->is_dry = len < 0 || (size_t)len < asked;
	if (len == -EAGAIN)
		return STREAM_SOUND;
	if (len < 0) {
		stream->error = (int)-len;
		return STREAM_SOURCE_BROKEN;
	}
	stream->has_moved = true;
	stream->is_at_end = len == 0;
	*got = (size_t)len;
	return STREAM_SOUND;
}

static enum stream_fault
fill_clear(struct stream *stream, struct turn *turn)
{
	struct buffer *buffer = stream->buffer;
	struct iovec iov = {buffer->data, turn->budget};
	enum stream_fault fault;
	size_t got;

	if (!may_read(stream, turn))
		return STREAM_SOUND;
	if (iov.iov_len > buffer->size)
		iov.iov_len = buffer->size;
	fault = read_in(stream, turn, &iov, 1, &got);
	if (got > 0)
		buffer_add_piece(buffer, 0, got, got);
	spend(turn, got);
	return fault;
}

/* Seals plain_len octets that lie at their place in the message at `at`. */
static enum stream_fault
seal_message(struct stream *stream, size_t at, size_t plain_len)
{
	uint8_t *frame = stream->buffer->data + at;
	uint8_t *token = frame + RFC1961_HEADER;
	size_t token_len = 0;
	enum reason reason =
	    seal_wrap(stream->seal, token, plain_len, &token_len);

	if (reason != REASON_OK)
		return content_fault(stream, reason);
	if (token_len > RFC1961_TOKEN_MAX)
		return content_fault(stream, REASON_GSS_SEAL);
	rfc1961_header(frame, RFC1961_DATA, (uint16_t)token_len);
	buffer_add_piece(
	    stream->buffer, at, RFC1961_HEADER + token_len, plain_len);
	return STREAM_SOUND;
}

/* Plaintext is read to where its messages will be, side by side. */
static enum stream_fault
fill_sealing(struct stream *stream, struct turn *turn)
{
	const struct seal *seal = stream->seal;
	size_t most = seal->plaintext_max < MESSAGE_PLAIN ? seal->plaintext_max
							  : MESSAGE_PLAIN;
	size_t before = RFC1961_HEADER + seal->header;
	size_t stride = before + most + seal->trailer;
	struct iovec iov[MESSAGES_MAX];
	enum stream_fault fault;
	size_t got;

	if (!may_read(stream, turn))
		return STREAM_SOUND;
	for (size_t i = 0; i < MESSAGES_MAX; i++) {
		iov[i].iov_base = stream->buffer->data + i * stride + before;
		iov[i].iov_len = most;
	}
	fault = read_in(stream, turn, iov, MESSAGES_MAX, &got);
	spend(turn, got);
	for (size_t at = 0; fault == STREAM_SOUND && got > 0; at += stride) {
		size_t len = got < most ? got : most;

		fault = seal_message(stream, at, len);
		got -= len;
	}
	return fault;
}

static enum parse_result
next_frame(
    const struct buffer *buffer, size_t *consumed, struct rfc1961_frame *frame)
{
	size_t need;

	return rfc1961_parse(buffer->data + buffer->raw,
	    buffer->raw_end - buffer->raw, &need, consumed, frame);
}

static bool
is_frame_waiting(const struct buffer *buffer)
{
	struct rfc1961_frame frame;
	size_t consumed;

	return buffer->raw < buffer->raw_end &&
	       next_frame(buffer, &consumed, &frame) != PARSE_MORE;
}

static enum stream_fault
open_frame(struct stream *stream, const struct rfc1961_frame *frame)
{
	struct buffer *buffer = stream->buffer;
	size_t plain_len = 0;
	uint8_t *plain = NULL;
	enum reason reason;

	if (frame->type != RFC1961_DATA || frame->token_len == 0)
		return content_fault(stream, REASON_GSS_BAD_FRAME);
	reason = seal_unwrap(stream->seal,
	    buffer->data + (frame->token - buffer->data), frame->token_len,
	    &plain, &plain_len);
	if (reason != REASON_OK)
		return content_fault(stream, reason);
	if (plain_len > 0)
		buffer_add_piece(buffer, (size_t)(plain - buffer->data),
		    plain_len, plain_len);
	return STREAM_SOUND;
}

/* Opens what is whole and within the budget, the first one in any case. */
static enum stream_fault
open_frames(struct stream *stream, struct turn *turn)
{
	struct buffer *buffer = stream->buffer;
	enum stream_fault fault = STREAM_SOUND;

	while (fault == STREAM_SOUND && turn->budget > 0 &&
	       buffer->count < BUFFER_PIECES_MAX &&
	       buffer->raw < buffer->raw_end) {
		struct rfc1961_frame frame;
		size_t consumed;
		enum parse_result parsed =
		    next_frame(buffer, &consumed, &frame);

		if (parsed == PARSE_MORE && stream->is_at_end)
			return content_fault(stream, REASON_TRUNCATED);
		if (parsed == PARSE_MORE)
			break;
		if (parsed == PARSE_BAD)
			return content_fault(stream, REASON_GSS_BAD_FRAME);
		if (turn->is_begun && consumed > turn->budget) {
			turn->budget = 0;
			break;
		}
		turn->is_begun = true;
		spend(turn, consumed + MESSAGE_COST);
		buffer->raw += consumed;
		fault = open_frame(stream, &frame);
	}
	return fault;
}

/* Room for what one turn reads, behind a message that is not whole yet. */
static struct iovec
raw_room(struct buffer *buffer)
{
	struct iovec room;
	size_t len = buffer->raw_end - buffer->raw;

	if (len == 0 || buffer->size - buffer->raw_end < SEALED_BUDGET) {
		memmove(buffer->data, buffer->data + buffer->raw, len);
		buffer->raw = 0;
		buffer->raw_end = len;
	}
	room.iov_base = buffer->data + buffer->raw_end;
	room.iov_len = buffer->size - buffer->raw_end;
	if (room.iov_len > SEALED_BUDGET)
		room.iov_len = SEALED_BUDGET;
	return room;
}

static enum stream_fault
fill_opening(struct stream *stream, struct turn *turn)
{
	enum stream_fault fault = open_frames(stream, turn);

	while (fault == STREAM_SOUND && !stream_has_output(stream) &&
	       may_read(stream, turn)) {
		struct iovec room = raw_room(stream->buffer);
		size_t got;

		fault = read_in(stream, turn, &room, 1, &got);
		stream->buffer->raw_end += got;
		if (fault == STREAM_SOUND)
			fault = open_frames(stream, turn);
	}
	return fault;
}

static enum stream_fault
fill(struct stream *stream, struct turn *turn)
{
	static enum stream_fault (*const fills[])(
	    struct stream * stream, struct turn * turn) = {
	    [STREAM_CLEAR] = fill_clear,
	    [STREAM_OPENING] = fill_opening,
	    [STREAM_SEALING] = fill_sealing,
	};

	if (stream->buffer == NULL && may_read(stream, turn)) {
		stream->buffer = buffer_take(stream->pool, BUFFER_SIZE);
		if (stream->buffer == NULL)
			return content_fault(stream, REASON_NO_MEMORY);
	}
	if (stream->buffer == NULL)
		return STREAM_SOUND;
	return fills[stream->form](stream, turn);
}

/* ---- both ---- */

static void
give_buffer(struct stream *stream)
{
	buffer_give(stream->pool, stream->buffer);
	stream->buffer = NULL;
}

/* Nothing more can be moved now: what is left, and what does it need? */
static void
settle(struct stream *stream)
{
	struct buffer *buffer = stream->buffer;

	stream->has_work = false;
	if (stream_has_output(stream))
		return;
	if (buffer != NULL) {
		stream->has_work = is_frame_waiting(buffer);
		if (stream->is_stopped && !stream->has_work)
			buffer->raw = buffer->raw_end;
		if (buffer->raw == buffer->raw_end)
			give_buffer(stream);
	}
	if (stream_wants_input(stream) && channel_has_pending(stream->from))
		stream->has_work = true;
	if (stream->is_at_end && stream->buffer == NULL &&
	    !stream->is_stopped && !stream->is_cut && !stream->is_finished) {
		channel_finish(stream->to);
		stream->is_finished = true;
	}
}

enum stream_fault
stream_move(struct stream *stream)
{
	struct turn turn = {
	    .budget =
		stream->form == STREAM_CLEAR ? CLEAR_BUDGET : SEALED_BUDGET,
	};
	enum stream_fault fault = write_out(stream);

	while (fault == STREAM_SOUND && !stream_has_output(stream)) {
		fault = fill(stream, &turn);
		if (fault != STREAM_SOUND || !stream_has_output(stream))
			break;
		fault = write_out(stream);
	}
	if (fault == STREAM_CONTENT_BROKEN && stream->buffer != NULL)
		stream->buffer->raw = stream->buffer->raw_end;
	if (fault == STREAM_SOUND)
		settle(stream);
	return fault;
}

void
stream_stop(struct stream *stream)
{
	stream->is_stopped = true;
	stream->has_work = stream->buffer != NULL;
}

bool
stream_prime(struct stream *stream, const void *plain, size_t plain_len,
    const void *raw, size_t raw_len)
{
	struct buffer *buffer;

	stream->has_work =
	    plain_len + raw_len > 0 || channel_has_pending(stream->from);
	if (plain_len + raw_len == 0)
		return true;
	buffer = buffer_take(stream->pool, plain_len + raw_len);
	if (buffer == NULL)
		return false;
	stream->buffer = buffer;
	if (plain_len > 0) {
		memcpy(buffer->data, plain, plain_len);
		buffer_add_piece(buffer, 0, plain_len, plain_len);
	}
	if (raw_len > 0)
		memcpy(buffer->data + plain_len, raw, raw_len);
	if (raw_len > 0 && stream->form == STREAM_CLEAR)
		buffer_add_piece(buffer, plain_len, raw_len, raw_len);
	if (stream->form == STREAM_OPENING) {
		buffer->raw = plain_len;
		buffer->raw_end = plain_len + raw_len;
	}
	return true;
}

void
stream_clear(struct stream *stream)
{
	give_buffer(stream);
	stream->has_work = false;
}
