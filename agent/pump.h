/* SPDX-License-Identifier: ISC */
/* Joins two descriptors to a tunnel until both directions have ended. */
#ifndef AGENT_PUMP_H
#define AGENT_PUMP_H

#include "agent/outcome.h"
#include "base/compiler.h"

struct stream;

/*
 * Octets from `from` go into the tunnel, octets out of it to `to`.  The end
 * of one is passed on while the other goes on (half-close): `to` is closed,
 * the tunnel is shut down for sending.  `from` and `to` may block, and may
 * be one socket; they are not set to non-blocking, as others may share them.
 * What failed has been said.
 */
enum outcome pump_run(struct stream *stream, int from, int to) must_check;

#endif
