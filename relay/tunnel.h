/* SPDX-License-Identifier: ISC */
/*
 * Moves bytes between a client and a target in both directions until both
 * are finished: in order, once, with back-pressure, half-close and reset;
 * through a seal on the client's side if there is one.
 */
#ifndef RELAY_TUNNEL_H
#define RELAY_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

struct channel;
struct event_base;
struct rate;
struct seal;
struct tunnel;

struct tunnel_settings {
	uint64_t idle_ms;	/* nothing moved: 0 never */
	uint64_t half_close_ms; /* one direction done, nothing moved since */
	struct rate *rate;	/* of both directions together; NULL: none.
				 * Borrowed for the tunnel's life. */
};

struct tunnel_counts {
	uint64_t to_target; /* plaintext octets the target's socket took */
	uint64_t to_client; /* plaintext octets the client's socket took */
};

/*
 * `reason` is REASON_OK when both directions were finished, else what ended
 * it.  Both channels are closed already (RST passed on where the other side
 * was reset or the seal was broken; what was accepted before is delivered
 * where it can be).  The handle is gone.
 */
typedef void tunnel_done_fn(
    void *arg, enum reason reason, const struct tunnel_counts *counts);

/*
 * Takes both channels and the seal (NULL: clear).  `opened` are plaintext
 * octets that the client sent already (behind its request, in the same
 * token), `pending` octets of the client that were read but not yet looked
 * at (sealed ones if there is a seal); both copied.  The callback comes
 * exactly once, never before this has returned, never after the cancel.
 * NULL when there is no memory (everything taken is freed).
 */
struct tunnel *
tunnel_start(struct event_base *base, const struct tunnel_settings *settings,
    struct channel *client, struct channel *target, struct seal *seal,
    const void *opened, size_t opened_len, const void *pending,
    size_t pending_len, tunnel_done_fn *done, void *arg) must_check;

/* Ends it at once and fills in what was counted; both ends see RST if
 * `reset`.  No callback comes. */
void
tunnel_cancel(struct tunnel *tunnel, bool reset, struct tunnel_counts *counts);

struct tunnel_counts tunnel_count(const struct tunnel *tunnel);

/* Other settings from now on. */
void
tunnel_limit(struct tunnel *tunnel, const struct tunnel_settings *settings);

/*
 * From now on nothing more is read from the client; what was read is
 * delivered, then the tunnel ends with `reason` (such as the ticket's end).
 */
void tunnel_expire(struct tunnel *tunnel, enum reason reason);

#endif
