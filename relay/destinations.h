/* SPDX-License-Identifier: ISC */
/*
 * Where one client's datagrams go: the destinations that it has asked for,
 * where each leads, and the datagrams that wait until that is known.
 *
 * Bounded: the destination that was used longest ago makes room for a new
 * one.  Trees, not hashes: foreign names cannot unbalance them.
 */
#ifndef RELAY_DESTINATIONS_H
#define RELAY_DESTINATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "base/compiler.h"
#include "base/endpoint.h"

/* What waits at most, all destinations together. */
#define DESTINATIONS_HELD_MAX	 16
#define DESTINATIONS_HELD_OCTETS 65536

enum ruling {
	RULING_NONE, /* nothing was said yet */
	RULING_PERMIT,
	RULING_DENY,
	RULING_NOWHERE, /* its name has no address */
	RULING_WAIT,	/* it will be said */
	RULING_BUSY	/* not now; ask again with the next datagram */
};

/* A datagram's payload that waits. */
struct held {
	STAILQ_ENTRY(held) entry;
	size_t len;
	uint8_t payload[];
};
STAILQ_HEAD(held_list, held);

struct destination {
	RB_ENTRY(destination) by_asked, by_peer;
	TAILQ_ENTRY(destination) use;
	struct endpoint asked;
	enum ruling ruling;
	/* Where its datagrams go, and from where answers may come; of no
	 * family: nowhere. */
	struct socket_address peer;
	uint64_t expires_us; /* the ruling, by the monotonic clock */
	uint64_t epoch;	     /* of the rules, at the ruling */
	uint64_t refused;    /* datagrams since somebody was told */
	uint64_t note;	     /* the judge's own */
	struct held_list held;
};

struct destinations;

/* NULL without memory. */
struct destinations *destinations_new(size_t max) must_check;
void destinations_free(struct destinations *destinations); /* NULL is fine */

size_t destinations_count(const struct destinations *destinations);

/* The one that was asked for like this, which is now the one used last; NULL
 * if there is none. */
struct destination *destinations_find(
    struct destinations *destinations, const struct endpoint *asked);

/* A new one; NULL without memory, or if all others wait. */
struct destination *destinations_add(
    struct destinations *destinations, const struct endpoint *asked) must_check;

/* Leads it somewhere else; NULL: nowhere. */
void destinations_lead(struct destinations *destinations,
    struct destination *destination, const struct socket_address *peer);

/* Those that lead to a peer, one after the other; NULL after the last. */
struct destination *destinations_at(
    struct destinations *destinations, const struct socket_address *peer);
struct destination *destinations_next_at(struct destination *destination);

/* Keeps a copy of a payload; false if that were too many or too much. */
bool destinations_hold(struct destinations *destinations,
    struct destination *destination, const void *payload,
    size_t len) must_check;

/* What was held longest, for the caller to free; NULL if nothing is. */
struct held *destinations_take_held(struct destinations *destinations,
    struct destination *destination) must_check;

#endif
