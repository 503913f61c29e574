/* SPDX-License-Identifier: ISC */
/* Who is at the other end of the control socket, as the kernel says. */
#ifndef GATEWAY_CONTROL_PEER_H
#define GATEWAY_CONTROL_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

/* Who it was when it connected.  False where the kernel does not say. */
bool control_peer_find(int fd, struct ucred *peer) must_check;

/* Root, or our own user. */
bool control_peer_is_ours(const struct ucred *peer) must_check;

/* They, and whoever had that group (CONTROL_NO_GROUP: nobody)
 * when it connected. */
bool
control_peer_is_of(int fd, const struct ucred *peer, uint32_t group) must_check;

#endif
