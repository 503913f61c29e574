/* SPDX-License-Identifier: ISC */
/* Which identity is connected to which address. */
#include "gateway/connected.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"

struct pair {
	RB_ENTRY(pair) entry;
	const char *identity; /* behind the struct, or borrowed for a search */
	struct address address;
	uint64_t sessions;
};

RB_HEAD(pair_tree, pair);

struct connected {
	pthread_mutex_t lock;
	struct pair_tree tree;
};

/* ADDRESS_NONE is the least of an identity's addresses. */
static int
compare(const struct pair *a, const struct pair *b)
{
	int order = strcmp(a->identity, b->identity);

	if (order != 0)
		return order;
	if (a->address.family != b->address.family)
		return a->address.family < b->address.family ? -1 : 1;
	return memcmp(
	    a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    pair_tree, pair, entry, compare, __attribute__((unused)) static)

struct connected *
connected_new(void)
{
	struct connected *connected = calloc(1, sizeof(*connected));

	if (connected == NULL)
		return NULL;
	must(pthread_mutex_init(&connected->lock, NULL) == 0);
	RB_INIT(&connected->tree);
	return connected;
}

void
connected_free(struct connected *connected)
{
	if (connected == NULL)
		return;
	must(RB_EMPTY(&connected->tree));
	(void)pthread_mutex_destroy(&connected->lock);
	free(connected);
}

static struct pair *
pair_new(const char *identity, const struct address *address)
{
	size_t size = strlen(identity) + 1;
	struct pair *pair = calloc(1, sizeof(*pair) + size);

	if (pair == NULL)
		return NULL;
	pair->identity = memcpy(pair + 1, identity, size);
	pair->address = *address;
	return pair;
}

bool
connected_add(struct connected *connected, const char *identity,
    const struct address *address)
{
	struct pair *pair = pair_new(identity, address), *there;

	if (pair == NULL)
		return false;
	must(pthread_mutex_lock(&connected->lock) == 0);
	there = RB_INSERT(pair_tree, &connected->tree, pair);
	(there == NULL ? pair : there)->sessions++;
	must(pthread_mutex_unlock(&connected->lock) == 0);
	if (there != NULL)
		free(pair);
	return true;
}

void
connected_remove(struct connected *connected, const char *identity,
    const struct address *address)
{
	struct pair key = {.identity = identity, .address = *address}, *pair;

	must(pthread_mutex_lock(&connected->lock) == 0);
	pair = RB_FIND(pair_tree, &connected->tree, &key);
	must(pair != NULL);
	if (--pair->sessions == 0)
		(void)RB_REMOVE(pair_tree, &connected->tree, pair);
	else
		pair = NULL;
	must(pthread_mutex_unlock(&connected->lock) == 0);
	free(pair);
}

bool
connected_has(struct connected *connected, const char *identity,
    const struct address *address)
{
	struct pair key = {.identity = identity}, *pair;
	bool has;

	if (address != NULL)
		key.address = *address;
	must(pthread_mutex_lock(&connected->lock) == 0);
	pair = RB_NFIND(pair_tree, &connected->tree, &key);
	has = pair != NULL && strcmp(pair->identity, identity) == 0 &&
	      (address == NULL || compare(pair, &key) == 0);
	must(pthread_mutex_unlock(&connected->lock) == 0);
	return has;
}
