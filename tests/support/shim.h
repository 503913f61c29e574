/* SPDX-License-Identifier: ISC */
/*
 * A network that loses, repeats, delays, changes and replays datagrams, and
 * keeps the account of what may come of them.
 *
 * Datagrams are numbered from 0 as they are sent; each sending is a tick.
 * Delays and ages are counted in ticks.  The same seed does the same.
 */
#ifndef TESTS_SUPPORT_SHIM_H
#define TESTS_SUPPORT_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a receiver must be able to take: so far behind the newest. */
#define SHIM_WINDOW 1024
/* No delay is longer: after so many ticks all has arrived. */
#define SHIM_DELAY_MAX 4095
#define SHIM_LEN_MAX   2048

enum shim_kind {
	SHIM_GENUINE,	  /* the first copy, or one more of it */
	SHIM_REPLAY_90,	  /* of what was sent 90 ticks ago */
	SHIM_REPLAY_2000, /* ... 2000 */
	SHIM_REPLAY_ANY,
	SHIM_FORGED, /* a bit of it is another */
	SHIM_KIND_COUNT
};

struct shim_arrival {
	uint64_t number;
	enum shim_kind kind;
	uint8_t *octets; /* may be written to; until the next call */
	size_t len;
	/* True if it is the first of its number, within the window, so that
	 * a receiver owes its delivery. */
	bool is_due;
};

struct shim;

/*
 * For `count` datagrams.  Forging leaves two octets from `unprotected` on
 * alone: RRC of RFC 4121, which no checksum covers and which says the same
 * whenever it rotates all the way round.  Ends the program when there is no
 * memory.
 */
struct shim *shim_new(uint64_t count, unsigned seed, size_t unprotected);
void shim_free(struct shim *shim);

/* Sends the next one: at most SHIM_LEN_MAX octets, copied. */
void shim_send(struct shim *shim, const uint8_t *octets, size_t len);
/* What arrives in this tick, one after the other; false: no more. */
bool shim_arrive(struct shim *shim, struct shim_arrival *arrival);
/* The next tick; shim_send does it too.  False when all has arrived. */
bool shim_wait(struct shim *shim);

/* The receiver has passed on the datagram with that number. */
void shim_delivered(struct shim *shim, uint64_t number);

/* Prints the account in a few lines behind `title`.  True if nothing was
 * delivered twice or without having been sent, and of what was due at least
 * 99.9 % was delivered. */
bool shim_report(const struct shim *shim, const char *title, FILE *out);

#endif
