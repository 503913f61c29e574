/* SPDX-License-Identifier: ISC */
/* Tests the header of RFC 1928 section 7. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/socks5_udp.h"

#define IPV4 "\1\xc0\0\2\1\0\x35"
#define IPV6 "\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x35"

/* A string literal without its NUL. */
#define OCTETS(literal) literal, sizeof(literal) - 1

/* In memory of its own, so that a sanitizer sees a read behind its end. */
static enum parse_result
parse(const void *data, size_t len, size_t *consumed, struct socks5_udp *header,
    enum reason *why)
{
	uint8_t *copy = malloc(len + 1);
	enum parse_result result;

	assert_non_null(copy);
	memcpy(copy + 1, data, len);
	result = socks5_udp_parse(copy + 1, len, consumed, header, why);
	free(copy);
	return result;
}

static void
headers_are_read(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		uint8_t frag;
		const char *peer;
	} rows[] = {
	    {OCTETS("\0\0\0" IPV4), 0, "192.0.2.1:53"},
	    {OCTETS("\0\0\0" IPV6), 0, "[2001:db8::1]:53"},
	    {OCTETS("\0\0\1" IPV4), 1, "192.0.2.1:53"},
	    {OCTETS("\0\0\xff" IPV6), 255, "[2001:db8::1]:53"},
	    {OCTETS("\0\0\0\3\6Www.A.\xff\xff"), 0, "www.a:65535"},
	    {OCTETS("\0\0\0\3\1x\0\1"), 0, "x:1"},
	    {OCTETS("\0\0\0\3\t192.0.2.1\0\1"), 0, "192.0.2.1:1"},
	    {OCTETS("\0\0\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\1"), 0,
		"127.0.0.1:1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint8_t data[64];
		struct socks5_udp header;
		char text[ENDPOINT_TEXT_SIZE];
		enum reason why;
		size_t consumed;

		/* With a payload and without. */
		memset(data, 0xee, sizeof(data));
		memcpy(data, rows[i].data, rows[i].len);
		for (size_t len = rows[i].len; len <= sizeof(data); len++) {
			assert_int_equal(
			    parse(data, len, &consumed, &header, &why),
			    PARSE_DONE);
			assert_int_equal(consumed, rows[i].len);
			assert_int_equal(header.frag, rows[i].frag);
			assert_string_equal(
			    endpoint_print(&header.peer, text), rows[i].peer);
		}
	}
}

static void
bad_headers_have_their_reason(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		enum reason why;
	} rows[] = {
	    {OCTETS("\1\0\0" IPV4 "x"), REASON_UDP_HEADER},
	    {OCTETS("\0\1\0" IPV4 "x"), REASON_UDP_HEADER},
	    {OCTETS("\x80\0\0" IPV6 "x"), REASON_UDP_HEADER},
	    /* a SOCKS request that was sent again as a datagram */
	    {OCTETS("\5\3\0" IPV4), REASON_UDP_HEADER},
	    {OCTETS("\0\0\0\0" IPV4), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\0\0\0\2" IPV4), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\0\0\0\5" IPV6), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\0\0\0\xff" IPV6), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\0\0\0\3\0\0\x35x"), REASON_BAD_NAME},
	    {OCTETS("\0\0\0\3\2a\0\0\x35x"), REASON_BAD_NAME},
	    {OCTETS("\0\0\0\3\2a \0\x35x"), REASON_BAD_NAME},
	    {OCTETS("\0\0\0\3\00410.1\0\x35x"), REASON_BAD_NAME},
	    {OCTETS("\0\0\0\3\1.\0\x35x"), REASON_BAD_NAME},
	    {OCTETS("\0\0\0\1\xc0\0\2\1\0\0x"), REASON_PORT_ZERO},
	    {OCTETS("\0\0\0\3\1a\0\0x"), REASON_PORT_ZERO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socks5_udp header;
		enum reason why = REASON_OK;
		size_t consumed;

		assert_int_equal(
		    parse(rows[i].data, rows[i].len, &consumed, &header, &why),
		    PARSE_BAD);
		assert_int_equal(why, rows[i].why);
	}
}

static void
a_header_that_is_cut_anywhere_is_bad(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
	    {OCTETS("\0\0\0" IPV4)},
	    {OCTETS("\0\0\0" IPV6)},
	    {OCTETS("\0\0\0\3\013example.com\0\x35")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t len = 0; len < rows[i].len; len++) {
			struct socks5_udp header;
			enum reason why = REASON_OK;
			size_t consumed;

			assert_int_equal(
			    parse(rows[i].data, len, &consumed, &header, &why),
			    PARSE_BAD);
			assert_int_equal(why, REASON_UDP_HEADER);
		}
	}
}

static void
names_of_every_length(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= 255; len++) {
		uint8_t data[SOCKS5_UDP_HEADER_MAX] = {
		    0, 0, 0, 3, (uint8_t)len};
		struct socks5_udp header;
		enum reason why = REASON_OK;
		size_t consumed;
		bool is_name = len >= 1 && len <= HOST_NAME_MAX_LEN;

		for (unsigned i = 0; i < len; i++)
			data[5 + i] = i % 2 == 1 && i + 1 < len ? '.' : 'a';
		data[5 + len + 1] = 53;
		assert_int_equal(
		    parse(data, 5 + len + 2, &consumed, &header, &why),
		    is_name ? PARSE_DONE : PARSE_BAD);
		if (is_name)
			assert_int_equal(strlen(header.peer.name), len);
		else
			assert_int_equal(why, REASON_BAD_NAME);
	}
}

static void
assert_read_back(const uint8_t *data, size_t len, const struct socks5_udp *sent)
{
	struct socks5_udp header;
	char text[ENDPOINT_TEXT_SIZE], expected[ENDPOINT_TEXT_SIZE];
	enum reason why;
	size_t consumed;

	assert_int_equal(
	    parse(data, len, &consumed, &header, &why), PARSE_DONE);
	assert_int_equal(consumed, len);
	assert_int_equal(header.frag, sent->frag);
	assert_string_equal(endpoint_print(&header.peer, text),
	    endpoint_print(&sent->peer, expected));
}

static void
what_was_printed_is_read(void **state)
{
	static const char *const peers[] = {
	    "192.0.2.1:53", "[2001:db8::1]:65535", "www.example.com:1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(peers); i++) {
		struct socks5_udp header = {.frag = 0x81};
		uint8_t out[SOCKS5_UDP_HEADER_MAX];

		assert_true(endpoint_parse(peers[i], &header.peer));
		assert_read_back(out, socks5_udp_print(out, &header), &header);
	}
}

static void
a_source_is_printed_in_its_family_s_length(void **state)
{
	static const struct {
		const char *peer;
		size_t len;
	} rows[] = {
	    {"192.0.2.1:53", SOCKS5_UDP_HEADER_IPV4},
	    {"[2001:db8::1]:53", SOCKS5_UDP_HEADER_IPV6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socks5_udp header = {.frag = 0};
		uint8_t out[SOCKS5_UDP_HEADER_IPV6];
		struct socket_address source;

		assert_true(endpoint_parse(rows[i].peer, &header.peer));
		source.address = header.peer.address;
		source.port = header.peer.port;
		assert_int_equal(
		    socks5_udp_print_source(out, &source), rows[i].len);
		assert_read_back(out, rows[i].len, &header);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_read),
	    cmocka_unit_test(bad_headers_have_their_reason),
	    cmocka_unit_test(a_header_that_is_cut_anywhere_is_bad),
	    cmocka_unit_test(names_of_every_length),
	    cmocka_unit_test(what_was_printed_is_read),
	    cmocka_unit_test(a_source_is_printed_in_its_family_s_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
