/* SPDX-License-Identifier: ISC */
/*
 * The header that a load balancer owes in front of a connection: read from
 * the socket to its last octet and not one more, because what follows is the
 * client's, whatever it speaks.
 */
#ifndef GATEWAY_PROXIED_H
#define GATEWAY_PROXIED_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/proxy_protocol.h"
#include "base/reason.h"

struct event_base;
struct listener_settings;
struct proxied;

/* Must connections from there bring a header? */
bool proxied_is_due(const struct listener_settings *listener,
    const struct address *from) must_check;

/*
 * Comes once.  With REASON_OK fd and the header are the callee's; otherwise
 * fd is -1, closed: client_closed or client_reset when not an octet had come
 * (so do health checks), truncated, client_error, bad_proxy_header.
 */
typedef void proxied_done_fn(
    void *arg, enum reason reason, int fd, const struct proxy_header *header);

/* Takes fd, a non-blocking socket.  NULL without memory (fd closed). */
struct proxied *proxied_start(struct event_base *base, int fd,
    proxied_done_fn *done, void *arg) must_check;

/* Closes fd; no callback comes.  NULL is fine. */
void proxied_cancel(struct proxied *proxied);

#endif
