/* SPDX-License-Identifier: ISC */
/*
 * The header in front of each datagram of a UDP association (RFC 1928
 * section 7), parsed and printed; both sides'.
 */
#ifndef BASE_SOCKS5_UDP_H
#define BASE_SOCKS5_UDP_H

#include "base/endpoint.h"
#include "base/parse.h"
#include "base/reason.h"

/* RSV, FRAG, ATYP, ADDR, PORT: with a name of 255, and with an address. */
#define SOCKS5_UDP_HEADER_MAX  (2 + 1 + 1 + 1 + 255 + 2)
#define SOCKS5_UDP_HEADER_IPV4 (2 + 1 + 1 + 4 + 2)
#define SOCKS5_UDP_HEADER_IPV6 (2 + 1 + 1 + 16 + 2)
/* The most octets of a UDP datagram over IPv4. */
#define SOCKS5_UDP_DATAGRAM_MAX 65507

struct socks5_udp {
	uint8_t frag; /* 0: stands alone; base/fragments.h knows the others */
	/* Where a client's datagram goes, or where one for a client is from. */
	struct endpoint peer;
};

/*
 * Reads the header of a whole datagram, so that it is never PARSE_MORE; the
 * octets from *consumed on are the payload (there may be none).  Pure, no
 * allocation.  PARSE_BAD says in *why: udp_header (RSV not 0, shorter than
 * it says), address_type_unsupported, bad_name, port_zero.  A bad datagram
 * is dropped and never answered.
 */
enum parse_result socks5_udp_parse(const void *data, size_t len,
    size_t *consumed, struct socks5_udp *header, enum reason *why) must_check;

/* Writes a header and returns its length. */
size_t socks5_udp_print(
    uint8_t out[SOCKS5_UDP_HEADER_MAX], const struct socks5_udp *header);

/*
 * The same of a datagram for the client, which stands alone: with
 * SOCKS5_UDP_HEADER_IPV4 or _IPV6 octets, as the source's family says.
 */
size_t socks5_udp_print_source(
    uint8_t out[SOCKS5_UDP_HEADER_IPV6], const struct socket_address *source);

#endif
