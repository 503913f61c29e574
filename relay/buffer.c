/* SPDX-License-Identifier: ISC */
/* Large buffers for octets under way, and the pool that they come from. */
#include "relay/buffer.h"

#include <stdlib.h>

#include "base/must.h"

/* What a thread keeps at most for the next burst: 4 MiB. */
#define FREE_MAX 16

struct buffer_pool {
	struct buffer *free;
	unsigned free_count;
	unsigned members;
};

/* An event loop and its sessions never leave their thread: no lock. */
static _Thread_local struct buffer_pool *own_pool;

struct buffer_pool *
buffer_pool_join(void)
{
	if (own_pool == NULL)
		own_pool = calloc(1, sizeof(*own_pool));
	if (own_pool != NULL)
		own_pool->members++;
	return own_pool;
}

void
buffer_pool_leave(struct buffer_pool *pool)
{
	struct buffer *buffer;

	must(pool == own_pool);
	if (--pool->members > 0)
		return;
	while ((buffer = pool->free) != NULL) {
		pool->free = buffer->next;
		free(buffer);
	}
	free(pool);
	own_pool = NULL;
}

struct buffer *
buffer_take(struct buffer_pool *pool, size_t least)
{
	size_t size = least > BUFFER_SIZE ? least : BUFFER_SIZE;
	struct buffer *buffer = pool->free;

	if (buffer != NULL && size == BUFFER_SIZE) {
		pool->free = buffer->next;
		pool->free_count--;
	} else {
		buffer = malloc(sizeof(*buffer) + size);
		if (buffer == NULL)
			return NULL;
		buffer->size = size;
	}
	buffer->raw = buffer->raw_end = 0;
	buffer->first = buffer->count = 0;
	return buffer;
}

void
buffer_give(struct buffer_pool *pool, struct buffer *buffer)
{
	if (buffer == NULL)
		return;
	if (buffer->size != BUFFER_SIZE || pool->free_count == FREE_MAX) {
		free(buffer);
		return;
	}
	buffer->next = pool->free;
	pool->free = buffer;
	pool->free_count++;
}

void
buffer_add_piece(struct buffer *buffer, size_t at, size_t len, size_t plain)
{
	must(buffer->count < BUFFER_PIECES_MAX);
	buffer->pieces[buffer->count++] =
	    (struct buffer_piece){(uint32_t)at, (uint32_t)len, (uint32_t)plain};
}
