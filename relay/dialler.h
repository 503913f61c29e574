/* SPDX-License-Identifier: ISC */
/* Connects to the first of several addresses that answers (RFC 8305). */
#ifndef RELAY_DIALLER_H
#define RELAY_DIALLER_H

#include <stddef.h>

#include "base/address.h"
#include "base/reason.h"

struct dial;
struct event_base;

struct dial_settings {
	unsigned attempt_delay_ms;   /* RFC 8305 section 5: 250 */
	unsigned attempt_timeout_ms; /* one address: 10 000 */
	unsigned timeout_ms;	     /* all: 30 000 */
	unsigned attempts_max;	     /* addresses that are tried: 4 */
};

/*
 * REASON_OK: fd (the callee's; connected, non-blocking, TCP_NODELAY,
 * keepalive), the address reached and our own.  Otherwise fd is -1, the
 * reason that tells most (refused beats unreachable beats timeout), and
 * `reached` is the address that gave it.
 */
struct dial_result {
	enum reason reason;
	int fd;
	struct socket_address reached;
	struct socket_address local;
};

typedef void dial_done_fn(void *arg, const struct dial_result *result);

/* Where to, and the address of ours to dial from (ADDRESS_NONE: any). */
struct dial_target {
	struct address address, source;
};

/*
 * Dials exactly the given targets, in their order; copied.  Settings are
 * borrowed for the call.  The callback comes exactly once, never before this
 * has returned, never after the cancel.  NULL when there is no memory.
 */
struct dial *dial_start(struct event_base *base,
    const struct dial_settings *settings, const struct dial_target *targets,
    size_t count, uint16_t port, dial_done_fn *done, void *arg) must_check;
void dial_cancel(struct dial *dial); /* NULL is fine */

/* errno of connect(2) to its reason. */
enum reason dial_reason(int error);

#endif
