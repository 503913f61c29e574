/* SPDX-License-Identifier: ISC */
/* The header in front of each datagram of a UDP association. */
#include "base/socks5_udp.h"

#include "base/socks5_place.h"
#include "base/wire.h"

enum parse_result
socks5_udp_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_udp *header, enum reason *why)
{
	struct socks5_place place;
	struct wire_reader reader;
	uint16_t reserved;

	wire_reader_init(&reader, data, len);
	reserved = wire_get_u16(&reader);
	header->frag = wire_get_u8(&reader);
	*why = REASON_UDP_HEADER;
	if (reserved != 0 || reader.failed)
		return PARSE_BAD;
	if (!socks5_place_get(&reader, &place)) {
		*why = REASON_ADDRESS_TYPE_UNSUPPORTED;
		return PARSE_BAD;
	}
	if (reader.failed || !socks5_place_read(&place, &header->peer, why))
		return PARSE_BAD;
	*why = REASON_PORT_ZERO;
	if (header->peer.port == 0)
		return PARSE_BAD;
	*consumed = reader.at;
	return PARSE_DONE;
}

static void
put_beginning(struct wire_writer *writer, uint8_t frag)
{
	wire_put_u16(writer, 0);
	wire_put_u8(writer, frag);
}

size_t
socks5_udp_print(
    uint8_t out[SOCKS5_UDP_HEADER_MAX], const struct socks5_udp *header)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, SOCKS5_UDP_HEADER_MAX);
	put_beginning(&writer, header->frag);
	socks5_place_put(&writer, &header->peer);
	return writer.len;
}

size_t
socks5_udp_print_source(
    uint8_t out[SOCKS5_UDP_HEADER_IPV6], const struct socket_address *source)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, SOCKS5_UDP_HEADER_IPV6);
	put_beginning(&writer, 0);
	socks5_place_put_address(&writer, source);
	return writer.len;
}
