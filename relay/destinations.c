/* SPDX-License-Identifier: ISC */
/* Where one client's datagrams go. */
#include "relay/destinations.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"

RB_HEAD(asked_tree, destination);
RB_HEAD(peer_tree, destination);

struct destinations {
	struct asked_tree by_asked;
	struct peer_tree by_peer;	  /* those that lead somewhere */
	TAILQ_HEAD(, destination) by_use; /* the one used last at the end */
	size_t count, max;
	size_t held_count, held_octets;
	uint64_t epoch; /* of the rules */
	association_judge_fn *judge;
	void *arg;
};

static int
compare_ports(uint16_t a, uint16_t b)
{
	return (a > b) - (a < b);
}

static int
compare_asked(const struct destination *a, const struct destination *b)
{
	const struct endpoint *left = &a->asked, *right = &b->asked;
	int order;

	if (left->kind != right->kind)
		return left->kind == ENDPOINT_NAME ? 1 : -1;
	if (left->kind == ENDPOINT_NAME)
		order = strcmp(left->name, right->name);
	else
		order = memcmp(
		    &left->address, &right->address, sizeof(left->address));
	return order != 0 ? order : compare_ports(left->port, right->port);
}

static int
compare_peers(const struct socket_address *a, const struct socket_address *b)
{
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	return order != 0 ? order : compare_ports(a->port, b->port);
}

static int
compare_led(const struct destination *a, const struct destination *b)
{
	int order = compare_peers(&a->peer, &b->peer);

	return order != 0 ? order : compare_asked(a, b);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(asked_tree, destination, by_asked, compare_asked,
    static __attribute__((unused)))
RB_GENERATE_INTERNAL(peer_tree, destination, by_peer, compare_led,
    static __attribute__((unused)))

struct destinations *
destinations_new(size_t max, association_judge_fn *judge, void *arg)
{
	struct destinations *destinations = calloc(1, sizeof(*destinations));

	if (destinations == NULL)
		return NULL;
	RB_INIT(&destinations->by_asked);
	RB_INIT(&destinations->by_peer);
	TAILQ_INIT(&destinations->by_use);
	destinations->max = max;
	destinations->judge = judge;
	destinations->arg = arg;
	return destinations;
}

/* Leads it somewhere else; NULL: nowhere. */
static void
lead_to(struct destinations *destinations, struct destination *destination,
    const struct socket_address *peer)
{
	if (destination->peer.address.family != ADDRESS_NONE)
		(void)RB_REMOVE(peer_tree, &destinations->by_peer, destination);
	memset(&destination->peer, 0, sizeof(destination->peer));
	if (peer == NULL)
		return;
	destination->peer = *peer;
	(void)RB_INSERT(peer_tree, &destinations->by_peer, destination);
}

static void
drop(struct destinations *destinations, struct destination *destination)
{
	struct held *held;

	while (
	    (held = destinations_take_held(destinations, destination)) != NULL)
		free(held);
	lead_to(destinations, destination, NULL);
	(void)RB_REMOVE(asked_tree, &destinations->by_asked, destination);
	TAILQ_REMOVE(&destinations->by_use, destination, use);
	destinations->count--;
	free(destination);
}

void
destinations_free(struct destinations *destinations)
{
	if (destinations == NULL)
		return;
	while (!TAILQ_EMPTY(&destinations->by_use))
		drop(destinations, TAILQ_FIRST(&destinations->by_use));
	free(destinations);
}

static void
use(struct destinations *destinations, struct destination *destination)
{
	TAILQ_REMOVE(&destinations->by_use, destination, use);
	TAILQ_INSERT_TAIL(&destinations->by_use, destination, use);
}

struct destination *
destinations_find(
    struct destinations *destinations, const struct endpoint *asked)
{
	struct destination wanted = {.asked = *asked};
	struct destination *found =
	    RB_FIND(asked_tree, &destinations->by_asked, &wanted);

	if (found != NULL)
		use(destinations, found);
	return found;
}

/* One that waits stays: its answer is on the way. */
static bool
make_room(struct destinations *destinations)
{
	struct destination *oldest;

	TAILQ_FOREACH (oldest, &destinations->by_use, use)
		if (oldest->ruling != RULING_WAIT) {
			drop(destinations, oldest);
			return true;
		}
	return false;
}

struct destination *
destinations_add(
    struct destinations *destinations, const struct endpoint *asked)
{
	struct destination *destination;

	if (destinations->count >= destinations->max &&
	    !make_room(destinations))
		return NULL;
	destination = calloc(1, sizeof(*destination));
	if (destination == NULL)
		return NULL;
	destination->asked = *asked;
	STAILQ_INIT(&destination->held);
	(void)RB_INSERT(asked_tree, &destinations->by_asked, destination);
	TAILQ_INSERT_TAIL(&destinations->by_use, destination, use);
	destinations->count++;
	return destination;
}

/* Those that lead to a peer, one after the other; NULL after the last. */
static struct destination *
first_at(struct destinations *destinations, const struct socket_address *peer)
{
	struct destination *at = RB_ROOT(&destinations->by_peer);
	struct destination *first = NULL;

	while (at != NULL) {
		int order = compare_peers(peer, &at->peer);

		if (order == 0)
			first = at;
		at = order > 0 ? RB_RIGHT(at, by_peer) : RB_LEFT(at, by_peer);
	}
	return first;
}

static struct destination *
next_at(struct destination *destination)
{
	struct destination *next = RB_NEXT(peer_tree, NULL, destination);

	if (next == NULL || compare_peers(&next->peer, &destination->peer) != 0)
		return NULL;
	return next;
}

bool
destinations_hold(struct destinations *destinations,
    struct destination *destination, const void *payload, size_t len)
{
	struct held *held;

	if (destinations->held_count >= DESTINATIONS_HELD_MAX ||
	    len > DESTINATIONS_HELD_OCTETS - destinations->held_octets)
		return false;
	held = malloc(sizeof(*held) + len);
	if (held == NULL)
		return false;
	held->len = len;
	memcpy(held->payload, payload, len);
	STAILQ_INSERT_TAIL(&destination->held, held, entry);
	destinations->held_count++;
	destinations->held_octets += len;
	return true;
}

struct held *
destinations_take_held(
    struct destinations *destinations, struct destination *destination)
{
	struct held *held = STAILQ_FIRST(&destination->held);

	if (held == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&destination->held, entry);
	destinations->held_count--;
	destinations->held_octets -= held->len;
	return held;
}

size_t
destinations_held(const struct destinations *destinations)
{
	return destinations->held_count;
}

/* ---- what is said of them: the owner is asked as seldom as can be */

static void
lead(struct destinations *destinations, struct destination *destination,
    const struct association_answer *answer)
{
	struct socket_address peer = {answer->address, destination->asked.port};

	/* While it is looked for anew, it is where it was. */
	if (answer->ruling == RULING_WAIT || answer->ruling == RULING_BUSY)
		return;
	lead_to(destinations, destination,
	    answer->ruling == RULING_PERMIT ? &peer : NULL);
}

static enum ruling
apply(struct destinations *destinations, struct destination *destination,
    const struct association_answer *answer)
{
	must(answer->ruling != RULING_NONE);
	if (answer->told)
		destination->refused = 0;
	destination->note = answer->note;
	lead(destinations, destination, answer);
	if (answer->ruling == RULING_BUSY) {
		/* Nothing was said: it is asked about again. */
		if (destination->ruling == RULING_WAIT)
			destination->ruling = RULING_NONE;
		return RULING_BUSY;
	}
	destination->ruling = answer->ruling;
	if (answer->ruling != RULING_WAIT) {
		destination->expires_us = answer->expires_us;
		destination->epoch = destinations->epoch;
	}
	return answer->ruling;
}

static enum ruling
ask(struct destinations *destinations, struct destination *destination,
    bool has_expired)
{
	struct association_question question = {
	    .asked = &destination->asked,
	    .before = destination->ruling,
	    .address = destination->peer.address,
	    .expires_us = destination->expires_us,
	    .has_expired = has_expired,
	    .refused = destination->refused,
	    .note = destination->note,
	};
	struct association_answer answer =
	    destinations->judge(destinations->arg, &question);

	return apply(destinations, destination, &answer);
}

enum ruling
destinations_rule(
    struct destinations *destinations, struct destination *destination)
{
	bool has_expired = clock_monotonic_us() >= destination->expires_us;

	if (destination->ruling == RULING_WAIT)
		return RULING_WAIT;
	if (destination->ruling != RULING_NONE && !has_expired &&
	    destination->epoch == destinations->epoch)
		return destination->ruling;
	return ask(destinations, destination, has_expired);
}

struct destination *
destinations_answer(struct destinations *destinations,
    const struct endpoint *asked, const struct association_answer *answer,
    enum ruling *ruling)
{
	struct destination *destination =
	    destinations_find(destinations, asked);

	must(answer->ruling != RULING_WAIT);
	if (destination == NULL || destination->ruling != RULING_WAIT)
		return NULL;
	*ruling = apply(destinations, destination, answer);
	return destination;
}

bool
destinations_may_answer(
    struct destinations *destinations, const struct socket_address *peer)
{
	struct destination *destination = first_at(destinations, peer);

	while (destination != NULL) {
		struct destination *next = next_at(destination);

		if (destination->epoch == destinations->epoch)
			return true;
		if (destination->ruling == RULING_PERMIT &&
		    ask(destinations, destination, false) == RULING_PERMIT)
			return true;
		destination = next;
	}
	return false;
}

void
destinations_rules_changed(struct destinations *destinations)
{
	destinations->epoch++;
}
