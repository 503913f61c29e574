/* SPDX-License-Identifier: ISC */
/* libevent's memory under watch. */
#include "tests/support/unit.h"

#include "tests/support/watched_memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

struct block {
	TAILQ_ENTRY(block) entry;
	size_t size;
	_Alignas(max_align_t) unsigned char octets[];
};

static TAILQ_HEAD(, block) blocks = TAILQ_HEAD_INITIALIZER(blocks);
static const unsigned char *secret;
static size_t secret_len;
static unsigned freed;

static bool
shows_secret(const struct block *block)
{
	for (size_t at = 0; at + WATCHED_MEMORY_WINDOW <= secret_len; at++)
		if (memmem(block->octets, block->size, secret + at,
			WATCHED_MEMORY_WINDOW) != NULL)
			return true;
	return false;
}

static struct block *
block_of(void *octets)
{
	return (struct block *)(void *)((char *)octets -
					offsetof(struct block, octets));
}

static void *
allocate(size_t size)
{
	/* Zeros: what malloc hands out may show what others left. */
	struct block *block = calloc(1, sizeof(*block) + size);

	assert_non_null(block);
	block->size = size;
	TAILQ_INSERT_TAIL(&blocks, block, entry);
	return block->octets;
}

static void
release(void *octets)
{
	struct block *block;

	if (octets == NULL)
		return;
	block = block_of(octets);
	freed += shows_secret(block);
	TAILQ_REMOVE(&blocks, block, entry);
	free(block);
}

static void *
resize(void *octets, size_t size)
{
	void *larger = allocate(size);

	if (octets != NULL) {
		size_t before = block_of(octets)->size;

		memcpy(larger, octets, before < size ? before : size);
		release(octets);
	}
	return larger;
}

void
watched_memory_start(void)
{
	event_set_mem_functions(allocate, resize, release);
}

void
watched_memory_secret(const void *octets, size_t len)
{
	secret = octets;
	secret_len = octets == NULL ? 0 : len;
	freed = 0;
}

unsigned
watched_memory_freed(void)
{
	return freed;
}

unsigned
watched_memory_held(void)
{
	const struct block *block;
	unsigned held = 0;

	TAILQ_FOREACH (block, &blocks, entry)
		held += shows_secret(block);
	return held;
}
