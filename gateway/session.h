/* SPDX-License-Identifier: ISC */
/* One client's connection from accept to close. */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include "base/address.h"
#include "base/reason.h"

struct session;
struct worker;

/* Takes fd: a connection that was accepted on the listener of that name.
 * The session lives in worker->sessions until it closes itself. */
void session_open(struct worker *worker, const char *listener, int fd,
    const struct socket_address *client);

/* Ends every session of the worker. */
void session_close_all(struct worker *worker, enum reason reason);

#endif
