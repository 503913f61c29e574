/* SPDX-License-Identifier: ISC */
/*
 * Subjects that were looked up, kept for a time and shared by all threads;
 * one for the whole program, with its own small lock.
 */
#ifndef POLICY_SUBJECT_CACHE_H
#define POLICY_SUBJECT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * after a reload of the rules or the settings, and when users or groups have
 * changed. */
void subject_cache_expire(struct subject_cache *cache);

/* How often that was done.  What is asked before it must not be kept, nor
 * serve who asks after it. */
uint64_t subject_cache_epoch(struct subject_cache *cache);

/* How much is known of the directory when its answer is wanted. */
enum directory_mood {
	DIRECTORY_ANSWERS,
	DIRECTORY_IS_SLOW,  /* an answer past its time serves too ... */
	DIRECTORY_IS_SILENT /* ... and so does one from before a change */
};

/* A reference to what is known of a name, or NULL; of no answer that is older
 * than stale_max. */
struct subject *subject_cache_get(
    struct subject_cache *cache, const char *name, enum directory_mood mood);

/* Keeps (a reference of its own to) what the directory has just said to a
 * question that was asked in that epoch: if it is over, only for the time when
 * the directory is silent. */
void subject_cache_put(struct subject_cache *cache, const char *name,
    struct subject *subject, uint64_t epoch);

#endif
