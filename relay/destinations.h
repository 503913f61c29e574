/* SPDX-License-Identifier: ISC */
/*
 * Where one client's datagrams go: the destinations that it has asked for,
 * what was said of each, and the datagrams that wait until that is known.
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
#include "relay/ruling.h"

/* What waits at most, all destinations together. */
#define DESTINATIONS_HELD_MAX	 16
#define DESTINATIONS_HELD_OCTETS 65536

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
struct destinations *
destinations_new(size_t max, association_judge_fn *judge, void *arg) must_check;
void destinations_free(struct destinations *destinations); /* NULL is fine */

/* The one that was asked for like this, which is now the one used last; NULL
 * if there is none. */
struct destination *destinations_find(
    struct destinations *destinations, const struct endpoint *asked);

/* A new one; NULL without memory, or if all others wait. */
struct destination *destinations_add(
    struct destinations *destinations, const struct endpoint *asked) must_check;

/* May it get a datagram?  What was said before stands until it expires or the
 * rules change; then the judge is asked. */
enum ruling destinations_rule(
    struct destinations *destinations, struct destination *destination);

/* What the judge says of one that waits, and what that means for it now; NULL
 * if it does not wait. */
struct destination *destinations_answer(struct destinations *destinations,
    const struct endpoint *asked, const struct association_answer *answer,
    enum ruling *ruling);

/* Does some destination lead to this peer, by today's rules? */
bool destinations_may_answer(
    struct destinations *destinations, const struct socket_address *peer);

/* What was said so far was said under other rules. */
void destinations_rules_changed(struct destinations *destinations);

/* Keeps a copy of a payload; false if that were too many or too much. */
bool destinations_hold(struct destinations *destinations,
    struct destination *destination, const void *payload,
    size_t len) must_check;

/* What was held longest, for the caller to free; NULL if nothing is. */
struct held *destinations_take_held(struct destinations *destinations,
    struct destination *destination) must_check;

/* How many are held, of all. */
size_t destinations_held(const struct destinations *destinations);

#endif
