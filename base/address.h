/* SPDX-License-Identifier: ISC */
/* IP addresses and networks as plain values, in one canonical form. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

enum address_family { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6 };

/*
 * Octets in network order; unused ones are zero, so that two equal addresses
 * are equal to memcmp.  IPv4-mapped IPv6 addresses (::ffff:a.b.c.d) are
 * always held as IPv4.
 */
struct address {
	enum address_family family;
	uint8_t bytes[16];
};

/* An address and a port (host byte order). */
struct socket_address {
	struct address address;
	uint16_t port;
};

/* A CIDR block; the bits behind the prefix are zero. */
struct network {
	struct address base;
	uint8_t prefix_len;
};

/* "[2001:db8:...]:65535" with NUL */
#define ADDRESS_TEXT_SIZE	 46
#define SOCKET_ADDRESS_TEXT_SIZE 54
#define NETWORK_TEXT_SIZE	 50

/*
 * Reads a strict dotted quad (no octal, no short forms) or RFC 4291 text
 * without a zone; mapped addresses become IPv4.  False for anything else.
 */
bool address_parse(const char *text, struct address *address) must_check;
/* "none" for ADDRESS_NONE. */
const char *
address_print(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

/* 0.0.0.0 or ::, as clients write what they do not know. */
bool address_is_unspecified(const struct address *address);
bool address_is_equal(const struct address *a, const struct address *b);

/* From 4 or 16 octets of the wire; a mapped IPv6 address becomes IPv4. */
struct address address_from_ipv4(const uint8_t bytes[4]);
struct address address_from_ipv6(const uint8_t bytes[16]);

/*
 * The IPv4 address that an IPv6 address carries inside (IPv4-compatible,
 * 64:ff9b::/96, 64:ff9b:1::/48 taken as /96 form, 6to4 2002::/16, Teredo
 * 2001::/32, whose client it is).  :: and ::1 carry none.  False if it carries
 * none; *embedded is then left alone.
 */
bool address_embedded_ipv4(
    const struct address *address, struct address *embedded) must_check;

/*
 * "a.b.c.d/n" or "x::/n"; host bits must be zero; no "/n" means one host.  A
 * mapped network ("::ffff:a.b.c.d/n", n from 96) becomes IPv4.
 */
bool network_parse(const char *text, struct network *network) must_check;
const char *
network_print(const struct network *network, char out[NETWORK_TEXT_SIZE]);
bool network_has(const struct network *network, const struct address *address);

/* False for families other than AF_INET and AF_INET6; the scope of an IPv6
 * address is dropped. */
bool socket_address_from(const struct sockaddr *from, socklen_t len,
    struct socket_address *to) must_check;
/* Fills *to and returns its length, 0 for ADDRESS_NONE. */
socklen_t socket_address_to(
    const struct socket_address *from, struct sockaddr_storage *to);
/* "a.b.c.d:port" or "[x::y]:port". */
bool socket_address_parse(
    const char *text, struct socket_address *address) must_check;
const char *socket_address_print(
    const struct socket_address *address, char out[SOCKET_ADDRESS_TEXT_SIZE]);

#endif
