/* SPDX-License-Identifier: ISC */
/*
 * What differs between the protocols that clients speak to us: the greeting,
 * the form of a request and the form of a reply.  The story in session.c is
 * one for all fronts.
 */
#ifndef GATEWAY_FRONT_H
#define GATEWAY_FRONT_H

#include "base/hint.h"
#include "base/method.h"
#include "base/parse.h"
#include "base/reason.h"
#include "base/request.h"

struct evbuffer;

/* Room for any front's request and reply. */
#define FRONT_REPLY_MAX 1024

struct front_request {
	enum command command;
	struct endpoint destination;
	/* The destination's name as the client wrote it, for the record. */
	uint8_t asked_len;
	uint8_t asked[255];
};

/* By which methods a client may prove itself, in the order in which we
 * choose. */
struct front_methods {
	size_t count;
	enum method method[METHOD_COUNT];
	bool no_password_here; /* the listener has it, but not for this one */
};

struct front {
	/*
	 * Reads the greeting out of `input`, takes it off when it is whole,
	 * chooses a method by our preference and writes what the client has
	 * to read to `output` (the refusal, too).  What it offers is noted in
	 * the facts.
	 */
	enum parse_result (*greet)(struct evbuffer *input,
	    struct evbuffer *output, const struct front_methods *methods,
	    struct hint_facts *facts, enum method *method, enum reason *why);

	/* Looks at the request at the start of data; a command that nobody
	 * knows is bad.  `request` is filled in as far as it was read. */
	enum parse_result (*parse_request)(const uint8_t *data, size_t len,
	    size_t *consumed, struct front_request *request, enum reason *why);

	/* Writes the reply for `reason`; `bound` is the address that the
	 * reply names, all zero where there is none.  Returns its length. */
	size_t (*print_reply)(uint8_t out[FRONT_REPLY_MAX], enum reason reason,
	    const struct socket_address *bound);
};

extern const struct front front_socks5;

#endif
