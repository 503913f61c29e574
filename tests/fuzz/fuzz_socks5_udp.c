/* SPDX-License-Identifier: ISC */
/* Fuzzes the header of RFC 1928 section 7. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/socks5_udp.h"

/* What was read is what is printed, and reads again. */
static void
check_header(const struct socks5_udp *header)
{
	uint8_t out[SOCKS5_UDP_HEADER_MAX];
	char text[ENDPOINT_TEXT_SIZE], text_again[ENDPOINT_TEXT_SIZE];
	struct socks5_udp again;
	enum reason why;
	size_t len, consumed;

	len = socks5_udp_print(out, header);
	property(len <= sizeof(out));
	property(
	    socks5_udp_parse(out, len, &consumed, &again, &why) == PARSE_DONE);
	property(consumed == len && again.frag == header->frag);
	property(strcmp(endpoint_print(&header->peer, text),
		     endpoint_print(&again.peer, text_again)) == 0);
	/* Cut anywhere it is no header. */
	while (len-- > 0)
		property(socks5_udp_parse(out, len, &consumed, &again, &why) ==
			 PARSE_BAD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks5_udp header;
	enum reason why = REASON_OK;
	size_t consumed;

	switch (socks5_udp_parse(data, size, &consumed, &header, &why)) {
	case PARSE_DONE:
		property(consumed <= size && consumed <= SOCKS5_UDP_HEADER_MAX);
		property(data[0] == 0 && data[1] == 0);
		property(header.frag == data[2] && header.peer.port != 0);
		check_header(&header);
		break;
	case PARSE_BAD:
		property(why == REASON_UDP_HEADER || why == REASON_BAD_NAME ||
			 why == REASON_ADDRESS_TYPE_UNSUPPORTED ||
			 why == REASON_PORT_ZERO);
		break;
	case PARSE_MORE:
		property(0);
		break;
	}
	return 0;
}
