/* SPDX-License-Identifier: ISC */
/* What a proved client asks for; plain data that policy judges. */
#ifndef BASE_REQUEST_H
#define BASE_REQUEST_H

#include "base/endpoint.h"
#include "base/identity.h"
#include "base/protection.h"

/* The octets of RFC 1928 section 4. */
enum command { COMMAND_CONNECT = 1, COMMAND_BIND = 2, COMMAND_UDP = 3 };

/* "connect", "bind", "udp". */
const char *command_name(enum command command);
bool command_parse(const char *text, enum command *command) must_check;

#define LISTENER_NAME_SIZE 33

struct request {
	const struct identity *identity; /* borrowed; NULL: nobody proved */
	enum command command;
	struct endpoint destination;
	struct socket_address client;
	const char *listener;	    /* borrowed: the listener's name */
	enum protection protection; /* as granted */
	uint64_t time_us;	    /* now, by the wall clock */
};

#endif
