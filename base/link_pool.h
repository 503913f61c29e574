/* SPDX-License-Identifier: ISC */
/*
 * One thread's links to the programs of one kind, and whom of them to ask:
 * the one that lives, is not silent, and has least to do.
 *
 * One that did not answer in time is silent: it is probed, and gets nothing
 * new until it has answered.  One that dies fails the questions that it held
 * and is there again when it has been linked anew.
 */
#ifndef BASE_LINK_POOL_H
#define BASE_LINK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct inquiry;
struct link_handler;
struct link_message;
struct link_pool;

/* What the programs are; static. */
struct link_pool_kind {
	const char *name; /* for the log */
	/* What may arrive, as link_new takes it; its arg is for
	 * link_pool_owner. */
	const struct link_handler *handlers;
	uint16_t probe; /* a question without octets: are you there? */
};

/* One of the programs, from one link to the next; all zero is none. */
struct link_pool_peer {
	struct link_pool_member *member;
	uint64_t life;
};

/* kind is borrowed for good.  timeout_ms is what each question may take.
 * NULL when there is no memory. */
struct link_pool *link_pool_new(struct event_base *base,
    const struct link_pool_kind *kind, unsigned timeout_ms) must_check;

/* Whose pool it is, for handlers: by their arg.  NULL until it was set. */
void link_pool_set_owner(struct link_pool *pool, void *owner);
void *link_pool_owner(const void *arg);

/* From the next question on. */
void link_pool_set_timeout(struct link_pool *pool, unsigned timeout_ms);

/* Questions that are under way fail in here.  NULL is fine. */
void link_pool_free(struct link_pool *pool);

/* A link to program `index` was made (anew); fd taken. */
void link_pool_link(struct link_pool *pool, uint32_t index, int fd);

/* Sends what wants no answer, if the peer lives that life still. */
void link_pool_tell(const struct link_pool_peer *peer, uint16_t type,
    const void *data, size_t len);

enum inquiry_outcome {
	INQUIRY_ANSWERED,
	INQUIRY_TIMEOUT,
	INQUIRY_LOST, /* it died, or nobody is there at all */
	INQUIRY_BUSY  /* nobody could take another question */
};

/* `answer` is NULL unless INQUIRY_ANSWERED.  The handle is gone. */
typedef void inquiry_done_fn(
    void *arg, enum inquiry_outcome outcome, struct link_message *answer);

/*
 * Asks: the peer if it is one, else one that is picked now and written to
 * *peer (which stays as it is when nobody could be asked).  data is borrowed
 * for the call.  The callback comes exactly once, never before this has
 * returned, never after inquiry_cancel.  NULL when there is no memory.
 */
struct inquiry *inquiry_start(struct link_pool *pool,
    struct link_pool_peer *peer, uint16_t type, const void *data, size_t len,
    inquiry_done_fn *done, void *arg) must_check;

/* The caller wants no answer any more.  NULL is fine. */
void inquiry_cancel(struct inquiry *inquiry);

#endif
