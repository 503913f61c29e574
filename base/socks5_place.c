/* SPDX-License-Identifier: ISC */
/* ATYP, ADDR and PORT: how all SOCKS5 messages name a place. */
#include "base/socks5_place.h"

#include <string.h>

enum address_type { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

static bool
host_len_of(struct wire_reader *reader, uint8_t type, uint8_t *len)
{
	if (type == TYPE_IPV4)
		*len = 4;
	else if (type == TYPE_IPV6)
		*len = 16;
	else if (type == TYPE_NAME)
		*len = wire_get_u8(reader);
	else
		return false;
	return true;
}

bool
socks5_place_get(struct wire_reader *reader, struct socks5_place *place)
{
	place->type = wire_get_u8(reader);
	if (reader->failed)
		return true;
	if (!host_len_of(reader, place->type, &place->host_len))
		return false;
	place->host = wire_get_bytes(reader, place->host_len);
	place->port = wire_get_u16(reader);
	return true;
}

bool
socks5_place_is_name(const struct socks5_place *place)
{
	return place->type == TYPE_NAME;
}

bool
socks5_place_read(const struct socks5_place *place, struct endpoint *endpoint,
    enum reason *why)
{
	struct address address;

	endpoint->port = place->port;
	if (place->type == TYPE_NAME) {
		*why = REASON_BAD_NAME;
		return endpoint_from_name(
		    place->host, place->host_len, place->port, endpoint);
	}
	address = place->type == TYPE_IPV4 ? address_from_ipv4(place->host)
					   : address_from_ipv6(place->host);
	*endpoint = endpoint_from_address(&address, place->port);
	return true;
}

void
socks5_place_put_address(
    struct wire_writer *writer, const struct socket_address *address)
{
	bool is_ipv6 = address->address.family == ADDRESS_IPV6;

	wire_put_u8(writer, is_ipv6 ? TYPE_IPV6 : TYPE_IPV4);
	wire_put_bytes(writer, address->address.bytes, is_ipv6 ? 16 : 4);
	wire_put_u16(writer, address->port);
}

void
socks5_place_put(struct wire_writer *writer, const struct endpoint *endpoint)
{
	const struct socket_address address = {
	    endpoint->address, endpoint->port};
	size_t len;

	if (endpoint->kind == ENDPOINT_ADDRESS) {
		socks5_place_put_address(writer, &address);
		return;
	}
	len = strnlen(endpoint->name, HOST_NAME_MAX_LEN);
	wire_put_u8(writer, TYPE_NAME);
	wire_put_u8(writer, (uint8_t)len);
	wire_put_bytes(writer, endpoint->name, len);
	wire_put_u16(writer, endpoint->port);
}
