/* SPDX-License-Identifier: ISC */
/*
 * Closes connections so that the last reply arrives: the end (inside TLS its
 * close_notify, then FIN) after the output,
 * then read and discard for a moment, because a reset would destroy the reply
 * in flight (RFC 1928 section 6: closed within 10 seconds).
 */
#ifndef GATEWAY_LINGER_H
#define GATEWAY_LINGER_H

#include "base/compiler.h"

struct bufferevent;
struct event_base;
struct lingers;

/* Those of one event loop. */
struct lingers *lingers_new(struct event_base *base) must_check;

/* Closes them all now; NULL is fine. */
void lingers_free(struct lingers *lingers);

/* Takes bev (made with BEV_OPT_CLOSE_ON_FREE).  Where there are too many, the
 * oldest goes at once. */
void lingers_add(struct lingers *lingers, struct bufferevent *bev);

#endif
