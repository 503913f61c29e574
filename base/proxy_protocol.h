/* SPDX-License-Identifier: ISC */
/*
 * The header that a load balancer writes in front of a connection, to say
 * whose it is: the PROXY protocol, version 1 (text) and version 2 (binary),
 * as proxy-protocol.txt of HAProxy specifies it.
 */
#ifndef BASE_PROXY_PROTOCOL_H
#define BASE_PROXY_PROTOCOL_H

#include "base/address.h"
#include "base/parse.h"

/* The longest line of version 1, with its CR LF. */
#define PROXY_PROTOCOL_LINE_MAX 107
/* The longest header that is taken: version 2 with many TLVs. */
#define PROXY_PROTOCOL_MAX 2048

enum proxy_origin {
	PROXY_LOCAL,   /* of the balancer itself, such as a health check */
	PROXY_UNKNOWN, /* of a client that it does not name */
	PROXY_CLIENT   /* of the client that it names */
};

struct proxy_header {
	enum proxy_origin origin;
	struct socket_address client; /* of PROXY_CLIENT */
};

/*
 * Total and pure.  Looks at data[0 .. len), which begins at the connection's
 * first octet, and answers as base/parse.h says; on PARSE_MORE every octet
 * of data is the header's.  Never PARSE_MORE with PROXY_PROTOCOL_MAX octets.
 *
 * Version 1: TCP4, TCP6 and UNKNOWN, strict: one space between the fields,
 * no leading zeros in ports, addresses of the family that was named.
 * Version 2: LOCAL; PROXY for a TCP stream over IPv4 or IPv6; for a Unix
 * socket or an unspecified family the client is unknown.  TLVs are walked
 * and left alone, but a CRC32C among them must be right.  An IPv4-mapped
 * IPv6 address becomes IPv4.
 */
enum parse_result proxy_protocol_parse(const void *data, size_t len,
    size_t *consumed, struct proxy_header *header) must_check;

#endif
