/* SPDX-License-Identifier: ISC */
/*
 * The addresses that are closed unless a rule names a network inside them:
 * loopback, link-local, cloud metadata, multicast, unspecified, reserved and
 * the gateway's own.
 */
#ifndef POLICY_SPECIAL_H
#define POLICY_SPECIAL_H

#include "base/address.h"

struct own_addresses;

/*
 * True if the address is closed.  A network that holds it opens it if it is
 * at least *prefix_len long: it lies inside the closed block.  Of the
 * gateway's own addresses, and of IPv6 addresses that carry a closed IPv4
 * one, each is a block of its own.
 */
bool special_find(const struct address *address,
    const struct own_addresses *own, uint8_t *prefix_len);

/* True if the address is one of this host: its own, loopback, unspecified, or
 * one that carries such an IPv4 address. */
bool
special_is_here(const struct address *address, const struct own_addresses *own);

/* The built-in blocks. */
const struct network *special_blocks(size_t *count);

#endif
