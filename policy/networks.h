/* SPDX-License-Identifier: ISC */
/* Networks that are gathered to see whether together they cover another. */
#ifndef POLICY_NETWORKS_H
#define POLICY_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/* All zero: none. */
struct networks {
	size_t count, size;
	struct network *networks;
	bool is_short; /* there was no memory */
};

/* What else counts as covered. */
enum networks_but {
	NETWORKS_PLAINLY,     /* nothing */
	NETWORKS_BUT_CARRIED, /* IPv6 addresses that carry a covered one */
	/* What is special by its address or by the one that it carries. */
	NETWORKS_BUT_SPECIAL,
	NETWORKS_BUT_EXTRAORDINARY /* that, and all that can carry another */
};

void networks_add(struct networks *networks, const struct network *network);
void networks_fini(struct networks *networks);

/* False also without memory.  Adds what need not be covered. */
bool networks_cover(struct networks *networks, const struct network *asked,
    enum networks_but but);

#endif
