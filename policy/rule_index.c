/* SPDX-License-Identifier: ISC */
/*
 * From a key to the rules that have it: a hash table with open addressing,
 * at most half full.  Its keys come from the directory, not from clients, so
 * nobody chooses them to collide.
 */
#include "policy/rule_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_FIRST 64 /* a power of 2 */

struct entry {
	uint64_t hash;
	struct rule_key key; /* octets: malloc'ed; NULL: nothing here */
	struct rule_slot slot;
};

struct rule_index {
	size_t count, size;
	struct entry *entries;
};

struct rule_index *
rule_index_new(void)
{
	struct rule_index *index = calloc(1, sizeof(*index));

	if (index == NULL)
		return NULL;
	index->size = PLACES_FIRST;
	index->entries = calloc(index->size, sizeof(*index->entries));
	if (index->entries == NULL) {
		free(index);
		return NULL;
	}
	return index;
}

void
rule_index_free(struct rule_index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < index->size; i++) {
		struct entry *entry = &index->entries[i];

		free(entry->slot.own.places);
		free(entry->slot.lists);
		free((void *)(uintptr_t)entry->key.octets);
	}
	free(index->entries);
	free(index);
}

/* Eight octets at a time: somebody in 500 groups is looked for 500 times. */
static uint64_t
hash_key(const struct rule_key *key)
{
	const uint8_t *octets = key->octets;
	uint64_t hash =
	    0xcbf29ce484222325 ^ (uint64_t)key->kind ^ (uint64_t)key->len << 32;

	for (size_t at = 0; at < key->len; at += sizeof(uint64_t)) {
		size_t left = key->len - at;
		uint64_t word = 0;

		if (left >= sizeof(word))
			memcpy(&word, octets + at, sizeof(word));
		else
			memcpy(&word, octets + at, left);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return hash;
}

static bool
is_same(const struct entry *entry, const struct rule_key *key, uint64_t hash)
{
	return entry->hash == hash && entry->key.kind == key->kind &&
	       entry->key.len == key->len &&
	       memcmp(entry->key.octets, key->octets, key->len) == 0;
}

/* Where the key is, or where it would be. */
static struct entry *
find(const struct rule_index *index, const struct rule_key *key, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		struct entry *entry = &index->entries[i & (index->size - 1)];

		if (entry->key.octets == NULL || is_same(entry, key, hash))
			return entry;
	}
}

const struct rule_slot *
rule_index_find(const struct rule_index *index, const struct rule_key *key)
{
	const struct entry *entry = find(index, key, hash_key(key));

	return entry->key.octets == NULL ? NULL : &entry->slot;
}

static int
grow(struct rule_index *index)
{
	struct rule_index grown = {
	    .count = index->count, .size = index->size * 2};

	grown.entries = calloc(grown.size, sizeof(*grown.entries));
	if (grown.entries == NULL)
		return -1;
	for (size_t i = 0; i < index->size; i++) {
		const struct entry *entry = &index->entries[i];

		if (entry->key.octets != NULL)
			*find(&grown, &entry->key, entry->hash) = *entry;
	}
	free(index->entries);
	*index = grown;
	return 0;
}

/* NULL when there is no memory. */
static struct rule_slot *
find_or_make(struct rule_index *index, const struct rule_key *key)
{
	uint64_t hash = hash_key(key);
	struct entry *entry;
	uint8_t *octets;

	if (2 * index->count >= index->size && grow(index) != 0)
		return NULL;
	entry = find(index, key, hash);
	if (entry->key.octets != NULL)
		return &entry->slot;
	octets = malloc(key->len + 1);
	if (octets == NULL)
		return NULL;
	memcpy(octets, key->octets, key->len);
	*entry =
	    (struct entry){.hash = hash, .key = {key->kind, octets, key->len}};
	index->count++;
	return &entry->slot;
}

int
rule_list_add(struct rule_list *list, uint32_t place)
{
	if (list->count == list->size) {
		size_t size = 2 * list->size + 1;
		uint32_t *grown =
		    reallocarray(list->places, size, sizeof(*grown));

		if (grown == NULL)
			return -1;
		list->places = grown;
		list->size = size;
	}
	list->places[list->count++] = place;
	return 0;
}

int
rule_index_add(
    struct rule_index *index, const struct rule_key *key, uint32_t place)
{
	struct rule_slot *slot = find_or_make(index, key);

	return slot == NULL ? -1 : rule_list_add(&slot->own, place);
}

int
rule_index_add_list(struct rule_index *index, const struct rule_key *key,
    const struct rule_list *list)
{
	struct rule_slot *slot = find_or_make(index, key);

	if (slot == NULL)
		return -1;
	if (slot->count == slot->size) {
		size_t size = 2 * slot->size + 1;
		const struct rule_list **grown =
		    reallocarray(slot->lists, size, sizeof(*grown));

		if (grown == NULL)
			return -1;
		slot->lists = grown;
		slot->size = size;
	}
	slot->lists[slot->count++] = list;
	return 0;
}
