/* SPDX-License-Identifier: ISC */
/* IP addresses and networks as plain values, in one canonical form. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */
static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
#define MAPPED_PREFIX_LEN 96

/* IPv6 addresses that carry an IPv4 address, and where. */
static const struct {
	uint8_t prefix[12];
	uint8_t prefix_octets;
	uint8_t at;
	uint8_t flip; /* its octets are turned over with this */
} embeddings[] = {
    /* IPv4-compatible, RFC 4291 section 2.5.5.1 */
    {{0}, 12, 12, 0},
    /* 64:ff9b::/96, RFC 6052 section 2.1 */
    {{0x00, 0x64, 0xff, 0x9b}, 12, 12, 0},
    /* 64:ff9b:1::/48, RFC 8215 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 6, 12, 0},
    /* 6to4, RFC 3056 section 2 */
    {{0x20, 0x02}, 2, 2, 0},
    /* Teredo, RFC 4380 section 4: the client's address */
    {{0x20, 0x01, 0x00, 0x00}, 4, 12, 0xff},
};

static uint8_t
bits_of(enum address_family family)
{
	return family == ADDRESS_IPV4 ? 32 : 128;
}

struct address
address_from_ipv4(const uint8_t bytes[4])
{
	struct address address = {.family = ADDRESS_IPV4};

	memcpy(address.bytes, bytes, 4);
	return address;
}

struct address
address_from_ipv6(const uint8_t bytes[16])
{
	struct address address = {.family = ADDRESS_IPV6};

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return address_from_ipv4(bytes + sizeof(mapped));
	memcpy(address.bytes, bytes, 16);
	return address;
}

bool
address_parse(const char *text, struct address *address)
{
	uint8_t bytes[16];

	/* inet_pton takes no octal, no short form and no zone. */
	if (inet_pton(AF_INET, text, bytes) == 1)
		*address = address_from_ipv4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*address = address_from_ipv6(bytes);
	else
		return false;
	return true;
}

const char *
address_print(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	if (address->family == ADDRESS_NONE)
		return memcpy(out, "none", sizeof("none"));
	return inet_ntop(address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6,
	    address->bytes, out, ADDRESS_TEXT_SIZE);
}

bool
address_is_unspecified(const struct address *address)
{
	static const uint8_t zeros[sizeof(address->bytes)];

	return address->family != ADDRESS_NONE &&
	       memcmp(address->bytes, zeros, sizeof(zeros)) == 0;
}

bool
address_is_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* The unspecified address and loopback look IPv4-compatible and are not. */
static bool
is_unspecified_or_loopback(const struct address *address)
{
	static const uint8_t zeros[15];

	return memcmp(address->bytes, zeros, sizeof(zeros)) == 0 &&
	       address->bytes[15] <= 1;
}

bool
address_embedded_ipv4(const struct address *address, struct address *embedded)
{
	if (address->family != ADDRESS_IPV6 ||
	    is_unspecified_or_loopback(address))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(embeddings); i++) {
		uint8_t bytes[4];

		if (memcmp(address->bytes, embeddings[i].prefix,
			embeddings[i].prefix_octets) != 0)
			continue;
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = address->bytes[embeddings[i].at + j] ^
				   embeddings[i].flip;
		*embedded = address_from_ipv4(bytes);
		return true;
	}
	return false;
}

/* The address with all but its first prefix_len bits zero. */
static struct address
mask(const struct address *address, uint8_t prefix_len)
{
	struct address masked = {.family = address->family};
	size_t whole = prefix_len / 8;

	memcpy(masked.bytes, address->bytes, whole);
	if (prefix_len % 8 != 0)
		masked.bytes[whole] = address->bytes[whole] &
				      (uint8_t)(0xff << (8 - prefix_len % 8));
	return masked;
}

bool
network_parse(const char *text, struct network *network)
{
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	char base[ADDRESS_TEXT_SIZE];
	struct address address, masked;
	uint64_t shift, bits, prefix_len;

	if (len >= sizeof(base))
		return false;
	memcpy(base, text, len);
	base[len] = '\0';
	if (!address_parse(base, &address))
		return false;

	/* The prefix of a mapped network counts the bits of IPv6. */
	bits = bits_of(address.family);
	shift = 0;
	if (address.family == ADDRESS_IPV4 && strchr(base, ':') != NULL)
		shift = MAPPED_PREFIX_LEN;
	prefix_len = bits + shift;
	if (*slash == '/' &&
	    !text_parse_u64(slash + 1, shift, bits + shift, &prefix_len))
		return false;
	prefix_len -= shift;

	masked = mask(&address, (uint8_t)prefix_len);
	if (!address_is_equal(&masked, &address))
		return false;
	*network = (struct network){address, (uint8_t)prefix_len};
	return true;
}

const char *
network_print(const struct network *network, char out[NETWORK_TEXT_SIZE])
{
	char base[ADDRESS_TEXT_SIZE];

	snprintf(out, NETWORK_TEXT_SIZE, "%s/%u",
	    address_print(&network->base, base), network->prefix_len);
	return out;
}

bool
network_has(const struct network *network, const struct address *address)
{
	size_t whole = network->prefix_len / 8;
	unsigned rest = network->prefix_len % 8;

	if (address->family != network->base.family ||
	    memcmp(address->bytes, network->base.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((address->bytes[whole] ^ network->base.bytes[whole]) >>
		   (8 - rest)) == 0;
}

bool
socket_address_from(
    const struct sockaddr *from, socklen_t len, struct socket_address *to)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof(in) && from->sa_family == AF_INET) {
		uint8_t bytes[4];

		memcpy(&in, from, sizeof(in));
		memcpy(bytes, &in.sin_addr, sizeof(bytes));
		to->address = address_from_ipv4(bytes);
		to->port = ntohs(in.sin_port);
		return true;
	}
	if (len >= sizeof(in6) && from->sa_family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		to->address = address_from_ipv6(in6.sin6_addr.s6_addr);
		to->port = ntohs(in6.sin6_port);
		return true;
	}
	return false;
}

socklen_t
socket_address_to(
    const struct socket_address *from, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (from->address.family == ADDRESS_IPV4) {
		struct sockaddr_in in = {
		    .sin_family = AF_INET,
		    .sin_port = htons(from->port),
		};

		memcpy(&in.sin_addr, from->address.bytes, 4);
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	if (from->address.family == ADDRESS_IPV6) {
		struct sockaddr_in6 in6 = {
		    .sin6_family = AF_INET6,
		    .sin6_port = htons(from->port),
		};

		memcpy(&in6.sin6_addr, from->address.bytes, 16);
		memcpy(to, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

bool
socket_address_parse(const char *text, struct socket_address *address)
{
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_TEXT_SIZE];
	struct address parsed;
	uint64_t port;
	bool is_bracketed;
	size_t len;

	if (colon == NULL || !text_parse_u64(colon + 1, 0, UINT16_MAX, &port))
		return false;
	len = (size_t)(colon - text);
	is_bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (is_bracketed) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!address_parse(host, &parsed))
		return false;
	/* Brackets are for what has colons, and that needs them. */
	if (is_bracketed != (strchr(host, ':') != NULL))
		return false;
	*address = (struct socket_address){parsed, (uint16_t)port};
	return true;
}

const char *
socket_address_print(
    const struct socket_address *address, char out[SOCKET_ADDRESS_TEXT_SIZE])
{
	bool is_ipv6 = address->address.family == ADDRESS_IPV6;
	char host[ADDRESS_TEXT_SIZE];

	address_print(&address->address, host);
	snprintf(out, SOCKET_ADDRESS_TEXT_SIZE, is_ipv6 ? "[%s]:%u" : "%s:%u",
	    host, address->port);
	return out;
}
