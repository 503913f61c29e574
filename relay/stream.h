/* SPDX-License-Identifier: ISC */
/*
 * One direction of a tunnel: octets from one channel to the other, as they
 * are, or opened by a seal, or sealed.  Holds no buffer while it is empty.
 */
#ifndef RELAY_STREAM_H
#define RELAY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

struct buffer;
struct buffer_pool;
struct channel;
struct rate;
struct seal;

enum stream_form { STREAM_CLEAR, STREAM_OPENING, STREAM_SEALING };

enum stream_fault {
	STREAM_SOUND,
	STREAM_SOURCE_BROKEN,  /* error: what reading said */
	STREAM_SINK_BROKEN,    /* error: what writing said */
	STREAM_CONTENT_BROKEN, /* reason: a message, the seal, or memory */
};

/* Read-only outside stream.c. */
struct stream {
	enum stream_form form;
	struct buffer_pool *pool; /* borrowed, as are the next three */
	struct seal *seal;
	struct channel *from, *to;
	struct rate *rate; /* NULL: as fast as it goes; borrowed */
	struct buffer *buffer;
	uint64_t delivered; /* plaintext octets that the sink took */
	bool is_stopped;    /* nothing more is read */
	bool is_cut;	    /* its end is none: not to be passed on */
	bool is_at_end;	    /* the source said so */
	bool is_finished;   /* ... and so did we to the sink */
	bool has_work;	    /* stopped for fairness' sake only: call again */
	bool has_moved;	    /* since the owner cleared it */
	bool is_throttled;  /* by its rate: nothing is read until ... */
	uint64_t resume_us; /* ... this moment of the monotonic clock */
	int error;
	enum reason reason;
};

/*
 * Begins the stream with octets that were read before: plaintext and, behind
 * it, what has the form of the source.  False without memory.
 */
bool stream_prime(struct stream *stream, const void *plain, size_t plain_len,
    const void *raw, size_t raw_len) must_check;

/*
 * Moves what can be moved now, within a budget that is fair to others, and
 * passes the source's end on.  After a fault nothing may be moved but what
 * was accepted before (stream_stop, stream_move again).
 */
enum stream_fault stream_move(struct stream *stream) must_check;

/* From now on nothing is read; stream_move still moves what is in hand, but
 * for the rest of a message that is not whole. */
void stream_stop(struct stream *stream);

/* Is there something for the sink to take? */
bool stream_has_output(const struct stream *stream);

/* Should the source be watched for more? */
bool stream_wants_input(const struct stream *stream);

/* Drops what is in hand. */
void stream_clear(struct stream *stream);

#endif
