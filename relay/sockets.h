/* SPDX-License-Identifier: ISC */
/* What sockets of all kinds need: a port of a range, where they are, our
 * address on the way to a peer, which errors are a shortage. */
#ifndef RELAY_SOCKETS_H
#define RELAY_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"

/* 0, or an errno; EADDRINUSE lets the next port be tried. */
typedef int sockets_port_fn(void *arg, uint16_t port);

/*
 * Tries ports from port_min to port_max, from one on that nobody can guess,
 * once around but SOCKETS_PORTS_TRIED at the most; port_min 0 lets the kernel
 * choose.  0, or the last errno.
 */
#define SOCKETS_PORTS_TRIED 1024
int sockets_try_ports(uint16_t port_min, uint16_t port_max,
    sockets_port_fn *take, void *arg) must_check;

/* Where it is bound.  0, or an errno. */
int sockets_local(int fd, struct socket_address *local) must_check;

/* Our address on the way to the peer; nothing is sent.  0, or the errno of
 * there being no way. */
int sockets_local_towards(
    const struct address *peer, struct address *local) must_check;

/* Of descriptors or memory: it goes by, and no single peer is its cause. */
bool sockets_is_shortage(int error);

#endif
