/* SPDX-License-Identifier: ISC */
/* A table of token buckets by hashed key, bounded in size. */
#include "auth/buckets.h"

#include <stdlib.h>

#include "base/must.h"

/* 32768 buckets of 24 octets: 768 KiB, touched only as far as it is used. */
#define SETS 4096
#define WAYS 8

struct bucket {
	uint64_t key;	  /* 0: none */
	uint64_t full_us; /* when all debt will be gone */
	uint32_t under_way;
};

struct buckets {
	struct bucket sets[SETS][WAYS];
};

struct buckets *
buckets_new(void)
{
	return calloc(1, sizeof(struct buckets));
}

void
buckets_free(struct buckets *buckets)
{
	free(buckets);
}

static const struct bucket *
find(const struct buckets *buckets, uint64_t key)
{
	const struct bucket *set = buckets->sets[key % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

static struct bucket *
find_to_change(struct buckets *buckets, uint64_t key)
{
	return (struct bucket *)(uintptr_t)find(buckets, key);
}

static uint64_t
debt_us(const struct bucket *bucket, uint64_t now_us)
{
	return bucket == NULL || bucket->full_us <= now_us
		   ? 0
		   : bucket->full_us - now_us;
}

enum bucket_state
buckets_look(const struct buckets *buckets, uint64_t key,
    const struct budget *budget, uint64_t now_us)
{
	const struct bucket *bucket = find(buckets, key);
	uint64_t under_way = bucket == NULL ? 0 : bucket->under_way;
	uint64_t room_us = budget->burst * budget->refill_us;
	uint64_t with_one_us = debt_us(bucket, now_us) + budget->refill_us;

	if (with_one_us > room_us)
		return BUCKET_EMPTY;
	return with_one_us + under_way * budget->refill_us > room_us
		   ? BUCKET_PENDING
		   : BUCKET_FREE;
}

uint32_t
buckets_debt(const struct buckets *buckets, uint64_t key,
    const struct budget *budget, uint64_t now_us)
{
	uint64_t debt = debt_us(find(buckets, key), now_us);

	return (uint32_t)((debt + budget->refill_us - 1) / budget->refill_us);
}

/* The one with the least debt of those that may go; NULL if none may. */
static struct bucket *
find_victim(struct bucket set[WAYS])
{
	struct bucket *victim = NULL;

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].under_way == 0 &&
		    (victim == NULL || set[i].full_us < victim->full_us))
			victim = &set[i];
	return victim;
}

bool
buckets_begin(struct buckets *buckets, uint64_t key, uint64_t now_us)
{
	struct bucket *bucket = find_to_change(buckets, key);

	if (bucket == NULL) {
		bucket = find_victim(buckets->sets[key % SETS]);
		if (bucket == NULL)
			return false;
		*bucket = (struct bucket){.key = key, .full_us = now_us};
	}
	bucket->under_way++;
	return true;
}

void
buckets_end(struct buckets *buckets, uint64_t key, const struct budget *budget,
    bool failed, uint64_t now_us)
{
	struct bucket *bucket = find_to_change(buckets, key);

	must(bucket != NULL && bucket->under_way > 0);
	bucket->under_way--;
	if (failed)
		bucket->full_us =
		    now_us + debt_us(bucket, now_us) + budget->refill_us;
}
