/* SPDX-License-Identifier: ISC */
/* The gateway as people write it: HOST, HOST:PORT, [ADDRESS]:PORT. */
#ifndef AGENT_GATEWAY_NAME_H
#define AGENT_GATEWAY_NAME_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/endpoint.h"

#define GATEWAY_NAME_PORT 1080 /* where none is written (RFC 1928) */

struct gateway_name {
	char host[HOST_NAME_SIZE]; /* without brackets */
	char port[6];
};

/* False if it is none of these forms. */
bool gateway_name_parse(const char *text, struct gateway_name *name) must_check;

#endif
