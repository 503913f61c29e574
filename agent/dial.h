/* SPDX-License-Identifier: ISC */
/* A TCP connection to the gateway; blocks. */
#ifndef AGENT_DIAL_H
#define AGENT_DIAL_H

#include "agent/gateway_name.h"
#include "agent/outcome.h"
#include "base/compiler.h"

#define DIAL_TIMEOUT_S 60 /* for one address, and for one answer later on */

/* Tries every address in turn.  The socket blocks, DIAL_TIMEOUT_S at most in
 * a call.  What failed has been said. */
enum outcome dial(const struct gateway_name *gateway, int *fd) must_check;

#endif
