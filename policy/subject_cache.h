/* SPDX-License-Identifier: ISC */
/*
 * Subjects that were looked up, kept for a time and shared by all threads;
 * one for the whole program, with its own small lock.
 */
#ifndef POLICY_SUBJECT_CACHE_H
#define POLICY_SUBJECT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct subject;
struct subject_cache;

struct subject_cache_settings {
	unsigned ttl_s;		 /* for which an answer serves */
	unsigned negative_ttl_s; /* ... that there is no such user */
	unsigned stale_max_s;	 /* ... while the directory is silent */
	size_t entries_max;	 /* the least recently used goes first */
};

/* NULL without memory; settings are copied. */
struct subject_cache *
subject_cache_new(const struct subject_cache_settings *settings) must_check;
void subject_cache_free(struct subject_cache *cache); /* NULL is fine */

/* Makes every entry one that only serves while the directory is silent:
 * after a reload of the rules or the settings. */
void subject_cache_expire(struct subject_cache *cache);

/*
 * A reference to what is known of a name, or NULL.  `is_silent`: the
 * directory did not answer, so that an answer past its time serves too, until
 * stale_max.
 */
struct subject *subject_cache_get(
    struct subject_cache *cache, const char *name, bool is_silent);

/* Keeps (a reference of its own to) what the directory has just said. */
void subject_cache_put(
    struct subject_cache *cache, const char *name, struct subject *subject);

#endif
