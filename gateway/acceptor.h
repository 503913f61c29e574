/* SPDX-License-Identifier: ISC */
/* Accepts connections on one listening socket, for one event loop of the
 * several that share it. */
#ifndef GATEWAY_ACCEPTOR_H
#define GATEWAY_ACCEPTOR_H

#include "base/address.h"
#include "base/compiler.h"

struct acceptor;
struct counters;
struct event_base;

/* fd is the callee's: non-blocking, close-on-exec. */
typedef void
acceptor_fn(void *arg, int fd, const struct socket_address *client);

/*
 * Takes fd, a non-blocking listening socket.  NULL without memory.
 *
 * When descriptors or memory are short it pauses for a moment, complains once
 * a second at most, and turns some of those away who wait, by a descriptor
 * that it keeps in reserve.  Counts what it does.
 */
struct acceptor *acceptor_new(struct event_base *base, int fd,
    struct counters *counters, acceptor_fn *accepted, void *arg) must_check;
/* Accepts all who wait, then frees it. */
void acceptor_finish(struct acceptor *acceptor);
void acceptor_free(struct acceptor *acceptor); /* NULL is fine */

#endif
