/* SPDX-License-Identifier: ISC */
/* Where a client wants to go: a normalised host name or an address, and a
 * port. */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/address.h"

#define HOST_NAME_MAX_LEN 253
#define HOST_NAME_SIZE	  (HOST_NAME_MAX_LEN + 1)
/* "name:port" with NUL */
#define ENDPOINT_TEXT_SIZE (HOST_NAME_SIZE + 6)

enum endpoint_kind { ENDPOINT_ADDRESS, ENDPOINT_NAME };

struct endpoint {
	enum endpoint_kind kind;
	struct address address;	   /* if kind is ENDPOINT_ADDRESS */
	char name[HOST_NAME_SIZE]; /* if ENDPOINT_NAME: lower case, no dot
				    * at the end */
	uint16_t port;		   /* host byte order */
};

/*
 * Makes an endpoint of counted octets that a client sent as a host name.
 * Letters, digits, hyphens and underscores; labels of 1 to 63, not
 * beginning or ending with a hyphen; at most 253 octets; one trailing dot is
 * taken off; upper case becomes lower case.  Strict address literals become
 * ENDPOINT_ADDRESS ("[::1]" too).  What any inet_aton would take for an
 * address (a last label of digits only, or 0x and hexadecimal digits) and
 * everything else (NUL, control, space, '%', ':', non-ASCII, empty) is
 * refused.
 */
bool endpoint_from_name(const void *octets, size_t len, uint16_t port,
    struct endpoint *endpoint) must_check;

struct endpoint
endpoint_from_address(const struct address *address, uint16_t port);

bool endpoint_is_equal(const struct endpoint *a, const struct endpoint *b);
/* 0.0.0.0 or [::], whatever the port. */
bool endpoint_is_unspecified(const struct endpoint *endpoint);

/* "name:port", "a.b.c.d:port" or "[x::y]:port". */
const char *
endpoint_print(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE]);

/* "HOST:PORT" as people write it; false if it is not one. */
bool endpoint_parse(const char *text, struct endpoint *endpoint) must_check;

#endif
