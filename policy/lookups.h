/* SPDX-License-Identifier: ISC */
/*
 * Look-ups of one worker thread: each name is one question at a time to the
 * directory-lookup programs, however many ask and however often users and
 * groups change, and the answer is kept in the shared subject cache.
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

/* The cache is borrowed for ever.  NULL without memory. */
struct lookups *lookups_new(struct event_base *base,
    struct subject_cache *cache, unsigned timeout_ms) must_check;
void lookups_free(struct lookups *lookups); /* NULL is fine */

/* A link to directory-lookup `index` was made (anew); fd taken. */
void lookups_link(struct lookups *lookups, uint32_t index, int fd);

/* subject is NULL and reason REASON_DIRECTORY_UNAVAILABLE if the directory
 * did not say; else REASON_OK and a reference that the callee owns (a
 * subject without dn if there is no such user). */
typedef void
lookup_done_fn(void *arg, enum reason reason, struct subject *subject);

/*
 * Asks for the subject of an identity's name.  The callback comes exactly
 * once, never before this has returned (from the cache too), never after
 * lookup_cancel.  While the directory is slow or cannot answer, what the
 * cache holds serves past its time.  What was asked before a change (an epoch
 * of the cache) never serves who asks after it.  NULL when there is no memory.
 */
struct lookup *lookup_start(struct lookups *lookups, const char *name,
    lookup_done_fn *done, void *arg) must_check;
/* The same, for a session that stands.  Thousands of them may be asked about
 * after one change: those who wait to come in take turns with them. */
struct lookup *lookup_start_of_standing(struct lookups *lookups,
    const char *name, lookup_done_fn *done, void *arg) must_check;
void lookup_cancel(struct lookup *lookup); /* NULL is fine */

#endif
