/* SPDX-License-Identifier: ISC */
/*
 * Who would ask for what, as gatewardenctl explain asks it: read, checked
 * against the settings, and filled up with what a session would have.
 *
 * Pure: no I/O, no clock.
 */
#ifndef GATEWAY_EXPLAIN_QUESTION_H
#define GATEWAY_EXPLAIN_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/request.h"

struct listener_settings;
struct options;
struct settings;

struct explain_question {
	struct identity identity; /* as its proof would leave it */
	enum command command;
	struct endpoint destination;
	struct socket_address client;		  /* ADDRESS_NONE: not said */
	const struct listener_settings *listener; /* borrowed: the settings' */
	enum protection protection;		  /* inside TLS included */
	bool is_protection_assumed; /* the most that the listener grants */
	bool has_seal;
	bool has_time; /* else: now */
	uint64_t time_us;
};

/*
 * Of the names that it knows:
 *
 * user         gssapi: the principal, whole; password: the name as it is typed,
 *              or the identity
 * do           connect, bind or udp
 * destination  HOST:PORT
 * from         an address
 * listener     its name; the first
 * method       gssapi or password; the listener's first
 * protection   of the seal; the most that the listener grants
 * at           seconds since 1970; now
 * indicator    of the ticket; may come again
 *
 * All but the first three may be left out.  False with a sentence in why: for
 * what a session on that listener could not have, too.
 */
bool explain_question_read(const struct options *asked,
    const struct settings *settings, struct explain_question *question,
    char *why, size_t why_size) must_check;

#endif
