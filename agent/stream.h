/* SPDX-License-Identifier: ISC */
/*
 * The octets of one connection to the gateway: RFC 1961 messages in and out,
 * with the seal once there is one.
 */
#ifndef AGENT_STREAM_H
#define AGENT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "agent/outcome.h"
#include "base/compiler.h"
#include "base/rfc1961.h"
#include "base/socks5.h"

struct seal;

struct stream {
	int fd;
	struct seal *seal; /* NULL: in clear */
	/* What has come and is not taken yet: in[in_at .. in_len). */
	size_t in_at, in_len;
	uint8_t in[2 * RFC1961_FRAME_MAX];
	/* Plaintext that came with the reply and behind it. */
	size_t early_at, early_len;
	uint8_t early[RFC1961_TOKEN_MAX + SOCKS5_REPLY_MAX];
};

enum stream_result {
	STREAM_DONE,
	STREAM_MORE, /* octets are missing */
	STREAM_BAD   /* not the protocol, or not sealed by the gateway */
};

/* Reads what there is: its length, 0 at the end, -1 and errno.  There must
 * be room: take first. */
ptrdiff_t stream_fill(struct stream *stream) must_check;

/* Takes the next frame; its token lies in the stream until the next fill. */
enum stream_result stream_take_frame(
    struct stream *stream, struct rfc1961_frame *frame) must_check;

/* Takes the next plaintext (out of its seal, if there is one); it may be
 * empty, and lies in the stream until the next fill. */
enum stream_result stream_take_plain(
    struct stream *stream, const uint8_t **plain, size_t *len) must_check;

/* Sends all of it.  What failed has been said. */
enum outcome
stream_send(struct stream *stream, const void *data, size_t len) must_check;
enum outcome stream_send_frame(struct stream *stream, enum rfc1961_type type,
    const void *token, size_t len) must_check;

/*
 * Waits for more octets during the negotiation; an end or a silence there
 * is a failure, which has been said.
 */
enum outcome stream_wait(struct stream *stream) must_check;

#endif
