/* SPDX-License-Identifier: ISC */
/* Tests the PROXY protocol's header, version 1 and version 2. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/proxy_protocol.h"
#include "base/wire.h"
#include "tests/support/prefixes.h"

#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"
#define OCTETS(literal) literal, sizeof(literal) - 1
#define LONGEST_V6	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct proxy_header header;

	return proxy_protocol_parse(data, len, consumed, &header);
}

/* The header followed by what is the client's; every cut is tried. */
static enum parse_result
parse_with_tail(const void *data, size_t len, struct proxy_header *header)
{
	uint8_t octets[PROXY_PROTOCOL_MAX + 64];
	enum parse_result result;
	size_t consumed;

	assert_true(len + 8 <= sizeof(octets));
	memcpy(octets, data, len);
	memcpy(octets + len, "\5\1\1\r\n\5\1\1", 8);
	assert_null(prefixes_violate(parse, octets, len + 8));
	result = proxy_protocol_parse(octets, len + 8, &consumed, header);
	if (result == PARSE_DONE)
		assert_int_equal(consumed, len);
	return result;
}

static void
names(const void *data, size_t len, const char *client)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];
	struct proxy_header header;

	assert_int_equal(parse_with_tail(data, len, &header), PARSE_DONE);
	assert_int_equal(header.origin, PROXY_CLIENT);
	assert_string_equal(socket_address_print(&header.client, text), client);
}

static void
is_of(const void *data, size_t len, enum proxy_origin origin)
{
	struct proxy_header header;

	assert_int_equal(parse_with_tail(data, len, &header), PARSE_DONE);
	assert_int_equal(header.origin, origin);
	assert_int_equal(header.client.address.family, ADDRESS_NONE);
}

static void
is_bad(const void *data, size_t len)
{
	struct proxy_header header;

	assert_int_equal(parse_with_tail(data, len, &header), PARSE_BAD);
}

/* ---- version 1 */

static void
lines_name_their_client(void **state)
{
	(void)state;
	names(OCTETS("PROXY TCP4 192.0.2.1 198.51.100.1 4711 1080\r\n"),
	    "192.0.2.1:4711");
	names(OCTETS("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0");
	names(OCTETS("PROXY TCP4 255.255.255.255 255.255.255.255 65535 "
		     "65535\r\n"),
	    "255.255.255.255:65535");
	names(OCTETS("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"),
	    "[2001:db8::1]:1");
	names(OCTETS("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"),
	    "192.0.2.1:1");
	names(
	    OCTETS("PROXY TCP6 " LONGEST_V6 " " LONGEST_V6 " 65535 65535\r\n"),
	    "[" LONGEST_V6 "]:65535");
}

static void
lines_may_not_know_their_client(void **state)
{
	static const char longest[] =
	    "PROXY UNKNOWN " LONGEST_V6 " " LONGEST_V6 " 65535 65535\r\n";

	(void)state;
	assert_int_equal(sizeof(longest) - 1, PROXY_PROTOCOL_LINE_MAX);
	is_of(OCTETS("PROXY UNKNOWN\r\n"), PROXY_UNKNOWN);
	is_of(OCTETS("PROXY UNKNOWN \r\n"), PROXY_UNKNOWN);
	is_of(OCTETS("PROXY UNKNOWN any thing \0 at all\r\n"), PROXY_UNKNOWN);
	is_of(OCTETS(longest), PROXY_UNKNOWN);
}

static void
lines_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
	    {OCTETS("PROXY\r\n")},
	    {OCTETS("PROXY \r\n")},
	    {OCTETS("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY UNKNOWNS\r\n")},
	    {OCTETS("PROXY UNKNOWN\0\r\n")},
	    {OCTETS("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n")},
	    {OCTETS("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY TCP4\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2  1 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 :\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\0\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY TCP4 192.0.2.1 nowhere 1 2\r\n")},
	    {OCTETS("PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 1 2\r\n")},
	    {OCTETS("PROXY TCP6 192.0.2.1 2001:db8::1 1 2\r\n")},
	    {OCTETS("PROXY TCP6 2001:db8::1 192.0.2.1 1 2\r\n")},
	    {OCTETS("PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n")},
	    {OCTETS("PROXY TCP6 0" LONGEST_V6 "0000000 :: 1 2\r\n")},
	    {OCTETS("PROXY UNKNOWN " LONGEST_V6 " " LONGEST_V6
		    " 65535 65535 \r\n")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		is_bad(rows[i].data, rows[i].len);
}

static void
a_line_without_end_is_refused_at_its_bound(void **state)
{
	char data[PROXY_PROTOCOL_LINE_MAX + 2];
	struct proxy_header header;
	size_t consumed;

	(void)state;
	memset(data, 'x', sizeof(data));
	memcpy(data, "PROXY ", 6);
	assert_int_equal(proxy_protocol_parse(data, PROXY_PROTOCOL_LINE_MAX - 1,
			     &consumed, &header),
	    PARSE_MORE);
	assert_int_equal(proxy_protocol_parse(
			     data, PROXY_PROTOCOL_LINE_MAX, &consumed, &header),
	    PARSE_BAD);
	/* Its end comes one octet too late. */
	memcpy(data + PROXY_PROTOCOL_LINE_MAX - 1, "\r\n", 2);
	assert_int_equal(
	    proxy_protocol_parse(data, sizeof(data), &consumed, &header),
	    PARSE_BAD);
}

static void
another_protocol_is_known_by_its_first_octets(void **state)
{
	struct proxy_header header;
	size_t consumed;

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		uint8_t octet = (uint8_t)first;

		assert_int_equal(
		    proxy_protocol_parse(&octet, 1, &consumed, &header),
		    octet == 'P' || octet == '\r' ? PARSE_MORE : PARSE_BAD);
	}
	assert_int_equal(
	    proxy_protocol_parse("POST", 4, &consumed, &header), PARSE_BAD);
	assert_int_equal(
	    proxy_protocol_parse("\r\n\r\n\1", 5, &consumed, &header),
	    PARSE_BAD);
	assert_int_equal(
	    proxy_protocol_parse("", 0, &consumed, &header), PARSE_MORE);
}

/* ---- version 2 */

#define TCP4_BLOCK	   "\xc0\0\2\1\xc6\x33\x64\1\x12\x67\4\x38"
#define V6_1		   "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define MAPPED		   "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
#define TCP6_BLOCK(source) source V6_1 "\x12\x67\4\x38"

/* Puts a header together; returns its length. */
static size_t
binary(uint8_t out[PROXY_PROTOCOL_MAX + 8], uint8_t version, uint8_t kind,
    const void *block, size_t block_len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, PROXY_PROTOCOL_MAX + 8);
	wire_put_bytes(&writer, SIGNATURE, 12);
	wire_put_u8(&writer, version);
	wire_put_u8(&writer, kind);
	wire_put_u16(&writer, (uint16_t)block_len);
	wire_put_bytes(&writer, block, block_len);
	assert_false(writer.failed);
	return writer.len;
}

static void
binary_headers_name_their_client(void **state)
{
	static const struct {
		uint8_t kind;
		const char *block;
		size_t len;
		const char *client;
	} rows[] = {
	    {0x11, OCTETS(TCP4_BLOCK), "192.0.2.1:4711"},
	    {0x21, OCTETS(TCP6_BLOCK(V6_1)), "[2001:db8::1]:4711"},
	    {0x21, OCTETS(TCP6_BLOCK(MAPPED)), "192.0.2.1:4711"},
	    /* PP2_TYPE_NOOP, of no length and of some; of an unknown type */
	    {0x11, OCTETS(TCP4_BLOCK "\4\0\0"), "192.0.2.1:4711"},
	    {0x11, OCTETS(TCP4_BLOCK "\4\0\2xx\xee\0\1y"), "192.0.2.1:4711"},
	};
	uint8_t out[PROXY_PROTOCOL_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		names(out,
		    binary(out, 0x21, rows[i].kind, rows[i].block, rows[i].len),
		    rows[i].client);
}

static void
binary_headers_may_not_know_their_client(void **state)
{
	uint8_t out[PROXY_PROTOCOL_MAX + 8];
	uint8_t block[216 + 3] = {0};

	(void)state;
	is_of(out, binary(out, 0x21, 0x00, "", 0), PROXY_UNKNOWN);
	is_of(out, binary(out, 0x21, 0x00, "whatever", 8), PROXY_UNKNOWN);
	is_of(out, binary(out, 0x21, 0x31, block, 216), PROXY_UNKNOWN);
	is_of(out, binary(out, 0x21, 0x31, block, 219), PROXY_UNKNOWN);
	is_bad(out, binary(out, 0x21, 0x31, block, 215));
	is_bad(out, binary(out, 0x21, 0x31, block, 217));
}

static void
local_headers_are_of_the_balancer_itself(void **state)
{
	uint8_t out[PROXY_PROTOCOL_MAX + 8];
	uint8_t block[PROXY_PROTOCOL_MAX] = {0};

	(void)state;
	is_of(out, binary(out, 0x20, 0x00, "", 0), PROXY_LOCAL);
	/* Whatever the family, what follows is not looked at. */
	is_of(out, binary(out, 0x20, 0x11, OCTETS(TCP4_BLOCK)), PROXY_LOCAL);
	is_of(out, binary(out, 0x20, 0xff, "x", 1), PROXY_LOCAL);
	is_of(out, binary(out, 0x20, 0, block, PROXY_PROTOCOL_MAX - 16),
	    PROXY_LOCAL);
	is_bad(out, binary(out, 0x20, 0, block, PROXY_PROTOCOL_MAX - 15));
}

static void
binary_headers_that_are_none_are_refused(void **state)
{
	static const struct {
		uint8_t version, kind;
		const char *block;
		size_t len;
	} rows[] = {
	    {0x11, 0x11, OCTETS(TCP4_BLOCK)}, /* version */
	    {0x31, 0x11, OCTETS(TCP4_BLOCK)},
	    {0x22, 0x11, OCTETS(TCP4_BLOCK)}, /* command */
	    {0x21, 0x12, OCTETS(TCP4_BLOCK)}, /* datagrams */
	    {0x21, 0x10, OCTETS(TCP4_BLOCK)}, /* no transport */
	    {0x21, 0x01, OCTETS(TCP4_BLOCK)}, /* no family */
	    {0x21, 0x32, OCTETS(TCP4_BLOCK)},
	    {0x21, 0x41, OCTETS(TCP4_BLOCK)},
	    {0x21, 0x11, "", 0},
	    {0x21, 0x11, TCP4_BLOCK, 11}, /* too short */
	    {0x21, 0x21, OCTETS(TCP4_BLOCK)},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\4")}, /* half a TLV */
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\4\0")},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\4\0\1")},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\4\xff\xffx")},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\3\0\3xxx")},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\3\0\4xx")},
	    {0x21, 0x11, OCTETS(TCP4_BLOCK "\3\0\4xxxx")},
	};
	uint8_t out[PROXY_PROTOCOL_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		is_bad(out, binary(out, rows[i].version, rows[i].kind,
				rows[i].block, rows[i].len));
}

/* Computed apart; its method gives e3069283 for "123456789". */
static void
a_checksum_must_be_right(void **state)
{
	static const char tlv[] = TCP4_BLOCK "\4\0\1x\3\0\4"
					     "\x9f\x08\x01\x27";
	uint8_t out[PROXY_PROTOCOL_MAX + 8];
	struct proxy_header header;
	size_t len;

	(void)state;
	len = binary(out, 0x21, 0x11, OCTETS(tlv));
	names(out, len, "192.0.2.1:4711");
	for (size_t i = 16; i < len; i++) {
		if (i == len - 7)
			continue; /* the type that makes it a checksum */
		out[i] ^= 1;
		assert_int_equal(parse_with_tail(out, len, &header), PARSE_BAD);
		out[i] ^= 1;
	}
	/* Once is enough. */
	is_bad(out,
	    binary(out, 0x21, 0x11, OCTETS(TCP4_BLOCK "\3\0\4xxxx\3\0\4xxxx")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_name_their_client),
	    cmocka_unit_test(lines_may_not_know_their_client),
	    cmocka_unit_test(lines_that_are_none_are_refused),
	    cmocka_unit_test(a_line_without_end_is_refused_at_its_bound),
	    cmocka_unit_test(another_protocol_is_known_by_its_first_octets),
	    cmocka_unit_test(binary_headers_name_their_client),
	    cmocka_unit_test(binary_headers_may_not_know_their_client),
	    cmocka_unit_test(local_headers_are_of_the_balancer_itself),
	    cmocka_unit_test(binary_headers_that_are_none_are_refused),
	    cmocka_unit_test(a_checksum_must_be_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
