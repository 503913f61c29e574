/* SPDX-License-Identifier: ISC */
/*
 * Waits for one caller: listens on one address and hands over the first
 * connection that is welcome (RFC 1928 section 4, BIND).
 */
#ifndef RELAY_RECEPTION_H
#define RELAY_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/reason.h"

struct event_base;
struct reception;

struct reception_settings {
	struct address address;	     /* the only one that is listened on */
	uint16_t port_min, port_max; /* of these a free one; 0 and 0: any */
	unsigned timeout_ms;
};

/*
 * REASON_OK: fd (the callee's; connected, non-blocking, TCP_NODELAY,
 * keepalive), who called and where.  REASON_BIND_TIMEOUT: nobody who was
 * welcome did; fd is -1.  Nothing listens any more.
 */
struct reception_result {
	enum reason reason;
	int fd;
	struct socket_address caller;
	struct socket_address local;
};

/*
 * Is this caller welcome?  Asked once for each that connects, in turn; who is
 * not is closed at once and the wait goes on.  Must not cancel.
 */
typedef bool
reception_judge_fn(void *arg, const struct socket_address *caller) must_check;
typedef void
reception_done_fn(void *arg, const struct reception_result *result);

/*
 * Listens with room for one caller in the kernel.  The settings are borrowed
 * for the call.  done comes exactly once, never before this has returned,
 * never after the cancel.  NULL and *why: no free port, descriptor or memory,
 * or an address that is not ours.
 */
struct reception *reception_start(struct event_base *base,
    const struct reception_settings *settings, reception_judge_fn *judge,
    reception_done_fn *done, void *arg, enum reason *why) must_check;

/* Where it listens. */
struct socket_address reception_address(const struct reception *reception);

/* The port is free when this returns.  NULL is fine. */
void reception_cancel(struct reception *reception);

#endif
