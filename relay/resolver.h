/* SPDX-License-Identifier: ISC */
/* Names to addresses with c-ares: one resolver for each event loop. */
#ifndef RELAY_RESOLVER_H
#define RELAY_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/reason.h"

struct event_base;
struct resolution;
struct resolver;

#define RESOLVER_ADDRESSES_MAX 16

struct resolver_settings {
	const char *servers;	  /* "addr:port,addr:port"; NULL or "": those of
				   * resolv.conf.  Borrowed for the call. */
	unsigned timeout_ms;	  /* for one name, all tries */
	unsigned outstanding_max; /* questions at a time */
	unsigned ttl_min_s, ttl_max_s; /* clamps what is cached */
	unsigned negative_ttl_s;
	bool hosts_file; /* look into /etc/hosts too */
};

/* NULL if the servers cannot be parsed or there is no memory. */
struct resolver *resolver_new(struct event_base *base,
    const struct resolver_settings *settings) must_check;
/* Frees what is in flight too, without callbacks; not from a callback. */
void resolver_free(struct resolver *resolver);

/*
 * REASON_OK and 1 to RESOLVER_ADDRESSES_MAX addresses (borrowed for the
 * call; IPv6 and IPv4 interleaved as RFC 8305 section 4 orders them), or
 * REASON_NAME_UNKNOWN, _RESOLVER_FAILED, _RESOLVER_BUSY, _NO_MEMORY.
 */
typedef void resolution_done_fn(void *arg, enum reason reason,
    const struct address *addresses, size_t count);

/*
 * Asks for A and AAAA, never through a search list.  The callback comes
 * exactly once, never before this has returned, never after the cancel.  NULL
 * when there is no memory.
 */
struct resolution *resolution_start(struct resolver *resolver, const char *name,
    resolution_done_fn *done, void *arg) must_check;
void resolution_cancel(struct resolution *resolution); /* NULL is fine */

/* Until when what is known of a name holds, by the monotonic clock; 0 if
 * nothing is. */
uint64_t resolver_expiry_us(struct resolver *resolver, const char *name);

#endif
