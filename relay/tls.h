/* SPDX-License-Identifier: ISC */
/*
 * TLS on an accepted connection: a bufferevent for the negotiation, a channel
 * for the relay, and the handover from one to the other.
 *
 * No header of OpenSSL is needed to use it.
 */
#ifndef RELAY_TLS_H
#define RELAY_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

struct bufferevent;
struct channel;
struct event_base;
struct tls_context;

/*
 * Takes fd, a connected, non-blocking socket, and begins the handshake (the
 * server's side) once the bufferevent is enabled: BEV_EVENT_CONNECTED says
 * that it is done, BEV_EVENT_ERROR that it failed (tls_failure), BEV_EVENT_EOF
 * that the client went away.  Made with BEV_OPT_CLOSE_ON_FREE.  The first
 * octet that is not TLS fails it; no more are waited for.  NULL without memory
 * (fd closed).
 */
struct bufferevent *tls_accept(struct event_base *base,
    const struct tls_context *context, int fd) must_check;

/* What was agreed on. */
#define TLS_SUBJECT_SIZE 256
struct tls_facts {
	char version[16];		/* "TLSv1.3" */
	char subject[TLS_SUBJECT_SIZE]; /* of the client's certificate, as in
					 * RFC 2253; "" without one, cut where
					 * it does not fit */
};

/* Once the handshake is done. */
void tls_get_facts(struct bufferevent *bev, struct tls_facts *facts);

/* Why BEV_EVENT_ERROR came, and in `detail` OpenSSL's word for it. */
enum reason
tls_failure(struct bufferevent *bev, char *detail, size_t detail_size);

/* Says close_notify, where the socket takes it at once.  A bufferevent without
 * TLS (and one whose handshake is not done) is left alone. */
void tls_say_end(struct bufferevent *bev);

/* Frees bev and hands out its descriptor, as it is: for the last octets of a
 * connection that never came to speak TLS. */
int tls_take_fd(struct bufferevent *bev);

/*
 * Frees bev, whose output must be empty, and goes on where it stopped; what is
 * in its input is the caller's.  A stream that ends without close_notify is
 * CHANNEL_TRUNCATED.  NULL without memory (all is closed then).
 */
struct channel *channel_new_tls(struct bufferevent *bev) must_check;

#endif
