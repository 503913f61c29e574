/* SPDX-License-Identifier: ISC */
/* A short memory of clients that chose GSSAPI without having a ticket. */
#include "gateway/ticketless.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"
#include "base/siphash.h"

/* An address has its place in one set; a full set forgets its oldest. */
#define SETS	1024
#define SET_MAX 4

struct entry {
	struct address address; /* ADDRESS_NONE: free */
	uint32_t count;
	uint64_t last_us;
};

struct ticketless {
	pthread_mutex_t lock;
	uint8_t key[SIPHASH_KEY_SIZE];
	struct entry entries[SETS][SET_MAX];
};

struct ticketless *
ticketless_new(void)
{
	struct ticketless *ticketless = calloc(1, sizeof(*ticketless));

	if (ticketless == NULL)
		return NULL;
	must(pthread_mutex_init(&ticketless->lock, NULL) == 0);
	must(getrandom(ticketless->key, sizeof(ticketless->key), 0) ==
	     (ssize_t)sizeof(ticketless->key));
	return ticketless;
}

void
ticketless_free(struct ticketless *ticketless)
{
	if (ticketless == NULL)
		return;
	(void)pthread_mutex_destroy(&ticketless->lock);
	free(ticketless);
}

/* The set in which an address has its place. */
static struct entry *
set_of(struct ticketless *ticketless, const struct address *address)
{
	uint64_t hash =
	    siphash(ticketless->key, address->bytes, sizeof(address->bytes));

	return ticketless->entries[hash % SETS];
}

static struct entry *
find(struct entry *set, const struct address *address)
{
	for (size_t i = 0; i < SET_MAX; i++) {
		if (address_is_equal(&set[i].address, address))
			return &set[i];
	}
	return NULL;
}

/* A free place, or the one that was noted first. */
static struct entry *
replace(struct entry *set, const struct address *address)
{
	struct entry *oldest = set;

	for (size_t i = 1; i < SET_MAX; i++) {
		if (set[i].last_us < oldest->last_us)
			oldest = &set[i];
	}
	*oldest = (struct entry){.address = *address};
	return oldest;
}

void
ticketless_note(struct ticketless *ticketless, const struct address *address,
    uint64_t now_us, uint64_t window_us)
{
	struct entry *set = set_of(ticketless, address), *entry;

	must(pthread_mutex_lock(&ticketless->lock) == 0);
	entry = find(set, address);
	if (entry == NULL)
		entry = replace(set, address);
	else if (now_us - entry->last_us > window_us)
		entry->count = 0;
	if (entry->count < UINT32_MAX)
		entry->count++;
	entry->last_us = now_us;
	must(pthread_mutex_unlock(&ticketless->lock) == 0);
}

void
ticketless_forget(struct ticketless *ticketless, const struct address *address)
{
	struct entry *set = set_of(ticketless, address), *entry;

	must(pthread_mutex_lock(&ticketless->lock) == 0);
	entry = find(set, address);
	if (entry != NULL)
		memset(entry, 0, sizeof(*entry));
	must(pthread_mutex_unlock(&ticketless->lock) == 0);
}

bool
ticketless_has(struct ticketless *ticketless, const struct address *address,
    uint64_t now_us, uint64_t tries, uint64_t memory_us)
{
	struct entry *set = set_of(ticketless, address);
	const struct entry *entry;
	bool has;

	must(pthread_mutex_lock(&ticketless->lock) == 0);
	entry = find(set, address);
	has = entry != NULL && entry->count >= tries &&
	      now_us - entry->last_us < memory_us;
	must(pthread_mutex_unlock(&ticketless->lock) == 0);
	return has;
}
