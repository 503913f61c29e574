/* SPDX-License-Identifier: ISC */
/*
 * ATYP, ADDR and PORT: how all SOCKS5 messages name a place (RFC 1928
 * section 5).  For base/socks5* only.
 */
#ifndef BASE_SOCKS5_PLACE_H
#define BASE_SOCKS5_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/reason.h"
#include "base/wire.h"

/* As sent; octets point into the reader's data. */
struct socks5_place {
	uint8_t type;
	uint8_t host_len;
	const uint8_t *host;
	uint16_t port;
};

/*
 * Reads one.  False for a type that RFC 1928 does not know, whose length
 * nobody knows.  What is missing makes the reader fail.
 */
bool socks5_place_get(
    struct wire_reader *reader, struct socks5_place *place) must_check;

bool socks5_place_is_name(const struct socks5_place *place);

/* What it names.  False (REASON_BAD_NAME) for a name that is none; the port
 * is filled in all the same. */
bool socks5_place_read(const struct socks5_place *place,
    struct endpoint *endpoint, enum reason *why) must_check;

void
socks5_place_put(struct wire_writer *writer, const struct endpoint *endpoint);
/* No address at all is written as 0.0.0.0. */
void socks5_place_put_address(
    struct wire_writer *writer, const struct socket_address *address);

#endif
