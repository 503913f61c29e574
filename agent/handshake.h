/* SPDX-License-Identifier: ISC */
/*
 * SOCKS5 with GSSAPI, the client's side (RFC 1928, RFC 1961): from an open
 * connection to a tunnel.  Blocks; strict about what the gateway answers.
 */
#ifndef AGENT_HANDSHAKE_H
#define AGENT_HANDSHAKE_H

#include "agent/outcome.h"
#include "base/compiler.h"
#include "base/endpoint.h"
#include "base/protection.h"

struct stream;

struct handshake {
	const char *service;	    /* of the gateway's principal: "socks" */
	const char *service_host;   /* and its host */
	enum protection protection; /* no less than this */
	struct endpoint destination;
};

/*
 * On success stream has the seal (the caller's to free) and maybe octets
 * that the target has sent already.  What failed has been said.
 */
enum outcome handshake_run(
    const struct handshake *handshake, struct stream *stream) must_check;

#endif
