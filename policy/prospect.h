/* SPDX-License-Identifier: ISC */
/*
 * Whether a name that is not resolved yet could lead to any address that is
 * permitted.
 */
#ifndef POLICY_PROSPECT_H
#define POLICY_PROSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct endpoint;
struct network;
struct own_addresses;
struct rule;

enum prospect_outcome {
	PROSPECT_UNDECIDED, /* what was seen so far permits no address */
	PROSPECT_OPEN,	    /* some address is permitted, or may be */
	PROSPECT_CLOSED	    /* every address that was left is denied */
};

/* The networks that the rules seen so far deny. */
struct prospect {
	const struct endpoint *asked;
	const struct own_addresses *own;
	struct network *denied;
	size_t denied_count, denied_size;
	bool was_permitted; /* some rule would permit what is denied */
	size_t effort;	    /* networks that may still be looked at */
};

void prospect_init(struct prospect *prospect, const struct endpoint *asked,
    const struct own_addresses *own);
void prospect_fini(struct prospect *prospect);

/*
 * Takes the next rule, in their order, of which everything but the
 * destination holds.  Exact, except that PROSPECT_OPEN is said too where
 * finding out would take too long or there is no memory: then the addresses
 * are resolved and judged one by one.
 */
enum prospect_outcome prospect_add(
    struct prospect *prospect, const struct rule *rule, bool denies) must_check;

#endif
