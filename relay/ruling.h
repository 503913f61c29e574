/* SPDX-License-Identifier: ISC */
/* What the owner of an association is asked about a destination, and what it
 * says. */
#ifndef RELAY_RULING_H
#define RELAY_RULING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"

enum ruling {
	RULING_NONE, /* nothing was said yet */
	RULING_PERMIT,
	RULING_DENY,
	RULING_NOWHERE, /* its name has no address */
	RULING_WAIT,	/* it will be said */
	RULING_BUSY	/* not now; ask again with the next datagram */
};

/* What the owner is asked about a destination. */
struct association_question {
	const struct endpoint *asked;
	/* What was said before, and where it leads; of no family: nowhere. */
	enum ruling before;
	struct address address;
	/* When that ends or has ended; what is left of it stays in force while
	 * the destination is asked about for other reasons. */
	uint64_t expires_us;
	bool has_expired;
	uint64_t refused; /* datagrams that were dropped and not told of */
	uint64_t note;	  /* of the answer before */
};

struct association_answer {
	enum ruling ruling;	/* not RULING_NONE */
	struct address address; /* RULING_PERMIT: where it leads */
	uint64_t expires_us;	/* by the monotonic clock */
	bool told;		/* of those that were refused */
	uint64_t note;		/* for the next question */
};

/* Must not free the association.  After RULING_WAIT association_answer comes,
 * once. */
typedef struct association_answer
association_judge_fn(void *arg, const struct association_question *question);

#endif
