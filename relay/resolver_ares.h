/* SPDX-License-Identifier: ISC */
/* One c-ares channel on an event loop: asks for one name and family. */
#ifndef RELAY_RESOLVER_ARES_H
#define RELAY_RESOLVER_ARES_H

#include <stddef.h>

#include "base/address.h"
#include "base/reason.h"
#include "relay/resolver.h"

struct event_base;
struct resolver_ares;

/* REASON_OK and at least one address, or why there is none. */
struct resolver_answer {
	enum reason reason;
	unsigned ttl_s; /* the least on the way to the addresses */
	size_t count;
	struct address addresses[RESOLVER_ADDRESSES_MAX];
};

/* The answer is borrowed for the call. */
typedef void
resolver_answer_fn(void *arg, const struct resolver_answer *answer);

/* NULL if the servers cannot be parsed or there is no memory. */
struct resolver_ares *resolver_ares_new(struct event_base *base,
    const struct resolver_settings *settings) must_check;

/*
 * Asks.  The callback comes exactly once, perhaps before this returns; it
 * may neither ask nor free.
 */
void resolver_ares_ask(struct resolver_ares *ares, const char *name,
    enum address_family family, resolver_answer_fn *done, void *arg);

/* What is in flight fails now, with its callback.  NULL is fine. */
void resolver_ares_free(struct resolver_ares *ares);

#endif
