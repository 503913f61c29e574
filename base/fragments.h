/* SPDX-License-Identifier: ISC */
/*
 * The reassembly queue of a UDP association (RFC 1928 section 7): fragments
 * of one datagram become that datagram, or are abandoned together.
 *
 * There is one queue, for one sequence; its fragments come in order, without
 * a gap, all for one destination.  RFC 1928 abandons the queue when a lower
 * position follows a higher one, so that a fragment that was overtaken could
 * never take its place: a gap is final, and the queue is abandoned with it.
 * No timer inside: who calls says what time it is.
 */
#ifndef BASE_FRAGMENTS_H
#define BASE_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/endpoint.h"

/* RFC 1928: "the reassembly timer MUST be no less than 5 seconds". */
#define FRAGMENTS_TIMEOUT_MIN_US (5 * UINT64_C(1000000))
/* Positions are 1 to 127; the high bit marks the last one. */
#define FRAGMENTS_POSITION_MAX 127
#define FRAGMENTS_LAST	       0x80

struct fragments_limits {
	size_t octets;	     /* of one datagram, 1 or more */
	unsigned count;	     /* of its fragments, 1 to FRAGMENTS_POSITION_MAX */
	uint64_t timeout_us; /* from its first, FRAGMENTS_TIMEOUT_MIN_US or
			      * more */
};

struct fragment {
	uint8_t frag; /* FRAG as sent */
	const struct endpoint *destination;
	const uint8_t *data; /* without the header; may be NULL if len is 0 */
	size_t len;
};

enum fragments_result {
	FRAGMENTS_HELD,	   /* it waits in the queue for those behind it */
	FRAGMENTS_WHOLE,   /* there is a datagram to be sent */
	FRAGMENTS_DROPPED, /* it belongs to no sequence, or broke its own */
	FRAGMENTS_RESULT_COUNT
};

struct fragments_whole {
	const uint8_t *data; /* the fragment's own, or borrowed until the
			      * next call */
	size_t len;
	/* Datagrams that were lost in this call: those of an abandoned
	 * sequence, and this one if it was dropped. */
	unsigned lost;
};

struct fragments;

/* NULL when there is no memory.  Holds `limits.octets` of it from the first
 * fragment of a sequence until the call after its last one. */
struct fragments *
fragments_new(const struct fragments_limits *limits) must_check;
void fragments_free(struct fragments *fragments);

/*
 * Takes the next datagram of the association, one that stands alone (FRAG 0)
 * too: it is whole as it is, and what was waiting is abandoned, as RFC 1928
 * has it for every FRAG lower than the highest of the sequence.  Position 1
 * begins a new sequence, whatever was there.  Fills in *whole (`lost` always,
 * data and len for FRAGMENTS_WHOLE; then they are the destination's of this
 * fragment).
 */
enum fragments_result
fragments_take(struct fragments *fragments, const struct fragment *fragment,
    uint64_t now_us, struct fragments_whole *whole) must_check;

/* Gives up the sequence whose time has run out, and memory that waits for
 * none; how many fragments were lost.  Taking one does it too. */
unsigned fragments_expire(struct fragments *fragments, uint64_t now_us);

#endif
