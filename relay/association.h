/* SPDX-License-Identifier: ISC */
/*
 * Moves datagrams between one client and the targets that it names (RFC 1928
 * section 7), inside a seal if there is one (RFC 1961 section 5).
 *
 * Datagrams get lost: one that is bad, or comes too early, or does not fit,
 * is dropped, counted and never answered, and nothing that comes as a
 * datagram ends the association.  The owner says of each new destination
 * whether it is permitted and where it leads; a target is heard only if the
 * client has sent to it.
 */
#ifndef RELAY_ASSOCIATION_H
#define RELAY_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "base/reason.h"
#include "relay/ruling.h"

struct association;
struct event_base;
struct rate;
struct seal;

/* Why datagrams were dropped. */
enum association_drop {
	DROP_SOURCE,	/* not from the client's address and port */
	DROP_MALFORMED, /* no RFC 1961 message or no header, or cut */
	DROP_SEAL,	/* not sealed as agreed, or changed */
	DROP_REPLAY,	/* came before, or too late to know */
	DROP_FRAGMENT,	/* a fragment, where they are not put together */
	DROP_DENIED,	/* to a destination that is denied */
	DROP_WAITING,	/* too many, or too long, for a destination's ruling */
	DROP_NOWHERE,	/* the destination's name has no address */
	DROP_RATE,	/* more than the limits let through */
	DROP_STRANGER,	/* from a target that the client has not sent to */
	DROP_OVERSIZE,	/* does not fit a datagram */
	DROP_UNSENT,	/* could not be sealed, or the kernel did not take it */
	DROP_COUNT
};

/* "source", "malformed" ... */
const char *association_drop_name(enum association_drop drop);

struct association_counts {
	uint64_t datagrams_to_target, datagrams_to_client;
	uint64_t bytes_to_target, bytes_to_client; /* of the payload */
	uint64_t drops[DROP_COUNT];
};

struct association_settings {
	struct address local;	     /* ours, at which the client sends */
	uint16_t port_min, port_max; /* 0: any */
	/* Whose datagrams are taken; port 0: the first good one tells. */
	struct socket_address client;
	unsigned idle_ms;	   /* nothing went through; 0: never */
	unsigned destinations_max; /* that are remembered */
	unsigned new_max;	   /* new destinations a second */
	uint64_t octets_max;	   /* payload a second; 0: no limit */
	struct rate *rate;	   /* as well, with others; NULL: none */
	size_t reassembly_octets;  /* of one datagram; 0: no fragments */
	unsigned reassembly_timeout_ms;
};

/* Datagrams were dropped that nobody sends who does as he should: foreign,
 * malformed, badly sealed, unasked for.  At the first, then with the next one
 * after ASSOCIATION_NOTICE_US.  Must not free the association. */
#define ASSOCIATION_NOTICE_US UINT64_C(60000000)
typedef void
association_notice_fn(void *arg, const struct association_counts *so_far);

/* It ended by itself: REASON_IDLE.  The handle is still the owner's. */
typedef void association_done_fn(void *arg, enum reason reason);

struct association_owner {
	association_judge_fn *judge;
	association_notice_fn *notice;
	association_done_fn *done;
	void *arg;
};

/*
 * Opens the client's socket; nothing is read from it yet.  Settings and owner
 * are copied; the rate has to live as long as the association.  NULL and *why
 * when there is no port, descriptor or memory.
 */
struct association *association_open(struct event_base *base,
    const struct association_settings *settings,
    const struct association_owner *owner, enum reason *why) must_check;

/* Closes and frees; fills in what was counted.  No callback comes. */
void association_close(
    struct association *association, struct association_counts *counts);

struct association_counts
association_count(const struct association *association);

/* Where the client has to send. */
struct socket_address association_bound(const struct association *association);

/* Takes the seal (NULL: clear) and begins.  REASON_OK or why not. */
enum reason association_start(
    struct association *association, struct seal *seal) must_check;

/* The owner knows now; one that nobody asked about is forgotten. */
void association_answer(struct association *association,
    const struct endpoint *asked, const struct association_answer *answer);

/* What was said of destinations was said under other rules: each is asked
 * about again at its next datagram, either way. */
void association_rules_changed(struct association *association);

#endif
