/* SPDX-License-Identifier: ISC */
/* Subjects that were looked up, kept for a time. */
#include "policy/subject_cache.h"

#include <sys/queue.h>
#include <sys/tree.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "policy/subject.h"

/* A tree and not a hash table: clients choose the names. */
struct cached {
	RB_ENTRY(cached) node;
	TAILQ_ENTRY(cached) recent; /* the most recently used first */
	struct subject *subject;
	uint64_t said_us;    /* when the directory said so */
	uint64_t expires_us; /* when it is to be asked again */
	uint64_t epoch;	     /* when it was asked */
	char name[];
};

struct subject_cache {
	struct subject_cache_settings settings;
	pthread_mutex_t lock;
	RB_HEAD(cached_tree, cached) by_name; /* this and below: locked */
	TAILQ_HEAD(cached_list, cached) by_use;
	size_t count;
	uint64_t epoch;
};

static int
compare(struct cached *a, struct cached *b)
{
	return strcmp(a->name, b->name);
}

RB_PROTOTYPE_INTERNAL(
    cached_tree, cached, node, compare, static __attribute__((unused)))
RB_GENERATE_INTERNAL(
    cached_tree, cached, node, compare, static __attribute__((unused)))

struct subject_cache *
subject_cache_new(const struct subject_cache_settings *settings)
{
	struct subject_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->settings = *settings;
	must(pthread_mutex_init(&cache->lock, NULL) == 0);
	RB_INIT(&cache->by_name);
	TAILQ_INIT(&cache->by_use);
	return cache;
}

static void
drop(struct subject_cache *cache, struct cached *cached)
{
	RB_REMOVE(cached_tree, &cache->by_name, cached);
	TAILQ_REMOVE(&cache->by_use, cached, recent);
	cache->count--;
	subject_unref(cached->subject);
	free(cached);
}

void
subject_cache_free(struct subject_cache *cache)
{
	struct cached *cached;

	if (cache == NULL)
		return;
	while ((cached = TAILQ_FIRST(&cache->by_use)) != NULL)
		drop(cache, cached);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void
subject_cache_expire(struct subject_cache *cache)
{
	must(pthread_mutex_lock(&cache->lock) == 0);
	cache->epoch++;
	must(pthread_mutex_unlock(&cache->lock) == 0);
}

uint64_t
subject_cache_epoch(struct subject_cache *cache)
{
	uint64_t epoch;

	must(pthread_mutex_lock(&cache->lock) == 0);
	epoch = cache->epoch;
	must(pthread_mutex_unlock(&cache->lock) == 0);
	return epoch;
}

static struct cached *
find(struct subject_cache *cache, const char *name)
{
	struct cached *at = RB_ROOT(&cache->by_name);
	int order;

	while (at != NULL && (order = strcmp(name, at->name)) != 0)
		at = order < 0 ? RB_LEFT(at, node) : RB_RIGHT(at, node);
	return at;
}

static bool
serves(const struct subject_cache *cache, const struct cached *cached,
    enum directory_mood mood)
{
	uint64_t now = clock_monotonic_us();
	uint64_t stale_max_us = cache->settings.stale_max_s * UINT64_C(1000000);
	bool is_of_now = cached->epoch == cache->epoch;

	if (is_of_now && now < cached->expires_us)
		return true;
	if (mood == DIRECTORY_ANSWERS ||
	    (mood == DIRECTORY_IS_SLOW && !is_of_now))
		return false;
	return now < cached->said_us + stale_max_us;
}

struct subject *
subject_cache_get(
    struct subject_cache *cache, const char *name, enum directory_mood mood)
{
	struct subject *subject = NULL;
	struct cached *cached;

	must(pthread_mutex_lock(&cache->lock) == 0);
	cached = find(cache, name);
	if (cached != NULL && serves(cache, cached, mood)) {
		TAILQ_REMOVE(&cache->by_use, cached, recent);
		TAILQ_INSERT_HEAD(&cache->by_use, cached, recent);
		subject = subject_ref(cached->subject);
	}
	must(pthread_mutex_unlock(&cache->lock) == 0);
	return subject;
}

/* Without memory nothing is kept, which costs a question. */
static struct cached *
find_or_make(struct subject_cache *cache, const char *name)
{
	struct cached *cached = find(cache, name);
	size_t size = strlen(name) + 1;

	if (cached != NULL)
		return cached;
	cached = calloc(1, sizeof(*cached) + size);
	if (cached == NULL)
		return NULL;
	memcpy(cached->name, name, size);
	if (cache->count == cache->settings.entries_max)
		drop(cache, TAILQ_LAST(&cache->by_use, cached_list));
	(void)RB_INSERT(cached_tree, &cache->by_name, cached);
	TAILQ_INSERT_HEAD(&cache->by_use, cached, recent);
	cache->count++;
	return cached;
}

void
subject_cache_put(struct subject_cache *cache, const char *name,
    struct subject *subject, uint64_t epoch)
{
	unsigned ttl_s = subject->dn != NULL ? cache->settings.ttl_s
					     : cache->settings.negative_ttl_s;
	struct cached *cached;

	must(pthread_mutex_lock(&cache->lock) == 0);
	cached = find_or_make(cache, name);
	if (cached != NULL) {
		subject_unref(cached->subject);
		cached->subject = subject_ref(subject);
		cached->said_us = clock_monotonic_us();
		cached->epoch = epoch;
		cached->expires_us =
		    cached->said_us + ttl_s * UINT64_C(1000000);
	}
	must(pthread_mutex_unlock(&cache->lock) == 0);
}
