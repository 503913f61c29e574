/* SPDX-License-Identifier: ISC */
/*
 * The gateway's side of directory-lookup: who is asked about is looked up
 * once, shared by all worker threads, and kept for a time.
 */
#ifndef POLICY_LOOKUPS_H
#define POLICY_LOOKUPS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

struct event_base;
struct lookup;
struct lookups;
struct subject;
struct subject_cache;

/* One for the whole program; has its own small lock. */
struct subject_cache *subject_cache_new(
    unsigned ttl_s, unsigned negative_ttl_s, size_t entries_max) must_check;
void subject_cache_free(struct subject_cache *cache);
/* After a reload of the rules or the settings. */
void subject_cache_clear(struct subject_cache *cache);

/* One for each worker thread. */
struct lookups *lookups_new(struct event_base *base,
    struct subject_cache *cache, unsigned timeout_ms) must_check;
void lookups_free(struct lookups *lookups);
/* A link to directory-lookup `index` was made (anew); fd taken. */
void lookups_link(struct lookups *lookups, uint32_t index, int fd);

/* subject is NULL and reason REASON_DIRECTORY_UNAVAILABLE if the directory
 * did not say; else REASON_OK and a reference that the callee owns (a
 * subject without dn if there is no such user). */
typedef void lookup_done_fn(
    void *arg, enum reason reason, struct subject *subject);

/*
 * Asks for the subject of an identity's name.  The callback comes exactly
 * once, never before this has returned (from the cache too), never after
 * lookup_cancel.  While the directory cannot answer, an entry of the cache
 * past its time still serves for stale_max.  NULL when there is no memory.
 */
struct lookup *lookup_start(struct lookups *lookups, const char *name,
    lookup_done_fn *done, void *arg) must_check;
void lookup_cancel(struct lookup *lookup); /* NULL is fine */

#endif
