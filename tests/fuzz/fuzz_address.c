/* SPDX-License-Identifier: ISC */
/* Fuzzes addresses, networks and socket addresses as people write them. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/address.h"

#define TEXT_MAX 255

static void
check_address(const char *text)
{
	char printed[ADDRESS_TEXT_SIZE];
	struct address address, again, embedded;
	struct in_addr in;

	if (!address_parse(text, &address))
		return;
	address_print(&address, printed);
	property(address_parse(printed, &again));
	property(address_is_equal(&address, &again));
	/* Nobody else reads another address. */
	if (strchr(text, ':') == NULL) {
		property(inet_aton(text, &in) == 1);
		property(memcmp(address.bytes, &in, sizeof(in)) == 0);
	}
	if (address_embedded_ipv4(&address, &embedded)) {
		property(address.family == ADDRESS_IPV6);
		property(embedded.family == ADDRESS_IPV4);
	}
}

/* Flipping a bit of the prefix leads out of the network, others do not. */
static void
check_bits(const struct network *network)
{
	unsigned bits = network->base.family == ADDRESS_IPV4 ? 32 : 128;

	property(network->prefix_len <= bits);
	for (unsigned bit = 0; bit < bits; bit++) {
		struct address other = network->base;

		other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		property(network_has(network, &other) ==
			 (bit >= network->prefix_len));
	}
}

static void
check_network(const char *text)
{
	char printed[NETWORK_TEXT_SIZE];
	struct network network, again;

	if (!network_parse(text, &network))
		return;
	property(network_has(&network, &network.base));
	check_bits(&network);
	network_print(&network, printed);
	property(network_parse(printed, &again));
	property(address_is_equal(&network.base, &again.base));
	property(network.prefix_len == again.prefix_len);
}

static void
check_socket_address(const char *text)
{
	char printed[SOCKET_ADDRESS_TEXT_SIZE];
	struct socket_address address, again;
	struct sockaddr_storage storage;
	socklen_t len;

	if (!socket_address_parse(text, &address))
		return;
	socket_address_print(&address, printed);
	property(socket_address_parse(printed, &again));
	property(address_is_equal(&address.address, &again.address));
	property(address.port == again.port);
	len = socket_address_to(&address, &storage);
	property(socket_address_from(
	    (const struct sockaddr *)&storage, len, &again));
	property(address_is_equal(&address.address, &again.address));
	property(address.port == again.port);
}

/* A sockaddr as the kernel would give it, of any length. */
static void
check_sockaddr(const uint8_t *data, size_t size)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
	struct socket_address address, again;
	socklen_t len;

	if (size > sizeof(storage))
		size = sizeof(storage);
	if (size > 0)
		memcpy(&storage, data, size);
	if (!socket_address_from(
		(const struct sockaddr *)&storage, (socklen_t)size, &address))
		return;
	len = socket_address_to(&address, &storage);
	property(socket_address_from(
	    (const struct sockaddr *)&storage, len, &again));
	property(address_is_equal(&address.address, &again.address));
	property(address.port == again.port);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	size_t len = size < TEXT_MAX ? size : TEXT_MAX;

	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	check_address(text);
	check_network(text);
	check_socket_address(text);
	check_sockaddr(data, size);
	return 0;
}
