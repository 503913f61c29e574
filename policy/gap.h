/* SPDX-License-Identifier: ISC */
/* Is there an address in a network that no other network covers? */
#ifndef POLICY_GAP_H
#define POLICY_GAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/*
 * What is covered.  The arrays are put into another order, nothing else.
 * `ipv4` covers IPv4 addresses, `ipv6` IPv6 addresses, and `embedded` those
 * IPv6 addresses that carry one of its IPv4 addresses.
 */
struct gap_cover {
	struct network *ipv4, *ipv6, *embedded;
	size_t ipv4_count, ipv6_count, embedded_count;
};

/* Exact. */
bool gap_exists(const struct network *network, const struct gap_cover *cover);

/* The blocks of IPv6 addresses that can carry an IPv4 address. */
const struct network *gap_carrier(size_t i); /* NULL after the last */

#endif
