/* SPDX-License-Identifier: ISC */
/* Who of the programs talks with whom, and the links that they need. */
#ifndef GATEWAY_WIRING_H
#define GATEWAY_WIRING_H

#include <stdint.h>

#include "base/role.h"

struct child;
struct supervisor;

/*
 * `child` was started: makes the links between it and each of its peers that
 * was started before it and runs (a peer that starts later is its own turn).
 * `workers` are the gateway's threads with sessions.
 */
void wiring_connect(
    const struct supervisor *supervisor, struct child *child, uint32_t workers);

/* A link of the master's own, which to the child is a peer of that role: our
 * end, or -1 when it could not be made; the child is killed then. */
int wiring_join(struct child *child, enum role as);

#endif
