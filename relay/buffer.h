/* SPDX-License-Identifier: ISC */
/*
 * Large buffers for octets under way, and the pool that they come from.
 *
 * A direction holds one only while it has octets in hand; the buffer given
 * back last is taken first, while the caches still know it.
 */
#ifndef RELAY_BUFFER_H
#define RELAY_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define BUFFER_SIZE	  262144
#define BUFFER_PIECES_MAX 64

struct buffer_pool;

/* Octets ready for the sink: data[at .. at + len). */
struct buffer_piece {
	uint32_t at, len;
	uint32_t plain; /* plaintext octets to count when all were taken */
};

/*
 * The pieces still to be written, in order, are pieces[first .. count).
 * data[raw .. raw_end) was read and has not been looked at (messages that
 * are not opened yet); always behind all pieces.
 */
struct buffer {
	struct buffer *next;
	size_t size;
	size_t raw, raw_end;
	unsigned first, count;
	struct buffer_piece pieces[BUFFER_PIECES_MAX];
	uint8_t data[];
};

/* The calling thread's pool, made when it is joined first; NULL without
 * memory.  Who has joined leaves once, in the same thread. */
struct buffer_pool *buffer_pool_join(void) must_check;
void buffer_pool_leave(struct buffer_pool *pool);

/* An empty buffer of BUFFER_SIZE or, if that is more, `least` octets. */
struct buffer *buffer_take(struct buffer_pool *pool, size_t least) must_check;
/* Back to the pool; NULL is fine. */
void buffer_give(struct buffer_pool *pool, struct buffer *buffer);

/* Appends a piece; there must be room for it. */
void
buffer_add_piece(struct buffer *buffer, size_t at, size_t len, size_t plain);

#endif
