/* SPDX-License-Identifier: ISC */
/* Tests the messages of RFC 1928, both sides'. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/socks5.h"
#include "tests/support/prefixes.h"

#define IPV4 "\1\xc0\0\2\1\0\x50"
#define IPV6 "\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\xbb"

/* A string literal without its NUL. */
#define OCTETS(literal) literal, sizeof(literal) - 1

static enum parse_result
parse_greeting(const void *data, size_t len, size_t *consumed)
{
	struct socks5_greeting greeting;
	enum reason why;

	return socks5_greeting_parse(data, len, consumed, &greeting, &why);
}

static enum parse_result
parse_request(const void *data, size_t len, size_t *consumed)
{
	struct socks5_request request;
	enum reason why;

	return socks5_request_parse(data, len, consumed, &request, &why);
}

static enum parse_result
parse_reply(const void *data, size_t len, size_t *consumed)
{
	struct socks5_reply reply;
	enum reason why;

	return socks5_reply_parse(data, len, consumed, &reply, &why);
}

static void
a_greeting_may_offer_any_number_of_methods(void **state)
{
	(void)state;
	for (unsigned count = 0; count < 256; count++) {
		uint8_t data[SOCKS5_GREETING_MAX + 1] = {5, (uint8_t)count};
		struct socks5_greeting greeting;
		enum reason why;
		size_t consumed;

		memset(data + 2, 0x80, count);
		data[1 + count] = count == 0 ? 0 : 1;
		assert_int_equal(socks5_greeting_parse(data, sizeof(data),
				     &consumed, &greeting, &why),
		    PARSE_DONE);
		assert_int_equal(consumed, 2 + count);
		assert_int_equal(greeting.count, count);
		assert_int_equal(socks5_greeting_has(&greeting, 1), count > 0);
		assert_int_equal(
		    socks5_greeting_has(&greeting, 0x80), count > 1);
		assert_false(socks5_greeting_has(&greeting, 0));
		assert_null(
		    prefixes_violate(parse_greeting, data, sizeof(data)));
	}
}

static void
another_protocol_is_known_by_its_first_octet(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		uint8_t data[] = {(uint8_t)version, 1, 0};
		struct socks5_greeting greeting;
		enum reason why = REASON_OK;
		size_t consumed;

		if (version == 5)
			continue;
		assert_int_equal(
		    socks5_greeting_parse(data, 1, &consumed, &greeting, &why),
		    PARSE_BAD);
		assert_int_equal(why, REASON_BAD_VERSION);
		assert_null(
		    prefixes_violate(parse_greeting, data, sizeof(data)));
	}
}

/* Requests that are done, and where they lead. */
static void
requests_are_read(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		uint8_t command;
		const char *destination, *asked;
	} rows[] = {
	    {OCTETS("\5\1\0" IPV4), 1, "192.0.2.1:80", ""},
	    {OCTETS("\5\2\0" IPV6), 2, "[2001:db8::1]:443", ""},
	    {OCTETS("\5\3\0\1\0\0\0\0\0\0"), 3, "0.0.0.0:0", ""},
	    {OCTETS("\5\x77\0" IPV4), 0x77, "192.0.2.1:80", ""},
	    {OCTETS("\5\0\0" IPV4), 0, "192.0.2.1:80", ""},
	    {OCTETS("\5\1\0\3\5Www.A\xff\xff"), 1, "www.a:65535", "Www.A"},
	    {OCTETS("\5\1\0\3\1x\0\1"), 1, "x:1", "x"},
	    {OCTETS("\5\1\0\3\t192.0.2.1\0\1"), 1, "192.0.2.1:1", "192.0.2.1"},
	    {OCTETS("\5\1\0\3\5[::1]\0\1"), 1, "[::1]:1", "[::1]"},
	    {OCTETS("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\1"), 1,
		"127.0.0.1:1", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint8_t data[SOCKS5_REQUEST_MAX];
		struct socks5_request request;
		char text[ENDPOINT_TEXT_SIZE];
		enum reason why;
		size_t consumed;

		/* What follows is the target's and is not looked at. */
		memset(data, 0xee, sizeof(data));
		memcpy(data, rows[i].data, rows[i].len);
		assert_int_equal(socks5_request_parse(data, sizeof(data),
				     &consumed, &request, &why),
		    PARSE_DONE);
		assert_int_equal(consumed, rows[i].len);
		assert_int_equal(request.command, rows[i].command);
		assert_string_equal(endpoint_print(&request.destination, text),
		    rows[i].destination);
		assert_int_equal(request.asked_len, strlen(rows[i].asked));
		assert_memory_equal(
		    request.asked, rows[i].asked, request.asked_len);
		assert_null(
		    prefixes_violate(parse_request, data, sizeof(data)));
	}
}

static void
bad_requests_have_their_reason(void **state)
{
	static const struct {
		const char *data;
		size_t len; /* at which it is known */
		enum reason why;
	} rows[] = {
	    {OCTETS("\4\1\0" IPV4), REASON_BAD_REQUEST},
	    {OCTETS("\1\1\0" IPV6), REASON_BAD_REQUEST},
	    {OCTETS("\5\1\1" IPV4), REASON_BAD_REQUEST},
	    {OCTETS("\5\1\xff\3\1a\0\1"), REASON_BAD_REQUEST},
	    {OCTETS("\5\1\0\0"), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\5\1\0\2"), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\5\1\0\5"), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\5\1\0\xff"), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\4\1\0\2"), REASON_BAD_REQUEST},
	    {OCTETS("\5\1\1\2"), REASON_BAD_REQUEST},
	    {OCTETS("\5\1\0\3\0\0\x50"), REASON_BAD_NAME},
	    {OCTETS("\5\1\0\3\3a b\0\x50"), REASON_BAD_NAME},
	    {OCTETS("\5\1\0\3\5"
		    "127.1\0\x50"),
		REASON_BAD_NAME},
	    {OCTETS("\5\1\0\3\3a\0b\0\x50"), REASON_BAD_NAME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socks5_request request;
		enum reason why = REASON_OK;
		size_t consumed;

		assert_int_equal(socks5_request_parse(rows[i].data, rows[i].len,
				     &consumed, &request, &why),
		    PARSE_BAD);
		assert_int_equal(why, rows[i].why);
		assert_int_equal(
		    socks5_request_parse(rows[i].data, rows[i].len - 1,
			&consumed, &request, &why),
		    PARSE_MORE);
		assert_null(
		    prefixes_violate(parse_request, rows[i].data, rows[i].len));
	}
}

static void
a_refused_name_is_kept_for_the_record(void **state)
{
	uint8_t data[SOCKS5_REQUEST_MAX] = {5, 1, 0, 3, 255};
	struct socks5_request request;
	enum reason why;
	size_t consumed;

	(void)state;
	memset(data + 5, 'n', 255);
	data[260] = 0x01;
	data[261] = 0xbb;
	assert_int_equal(
	    socks5_request_parse(data, sizeof(data), &consumed, &request, &why),
	    PARSE_BAD);
	assert_int_equal(why, REASON_BAD_NAME);
	assert_int_equal(request.command, 1);
	assert_int_equal(request.asked_len, 255);
	assert_memory_equal(request.asked, data + 5, 255);
	assert_int_equal(request.destination.port, 443);
	assert_null(prefixes_violate(parse_request, data, sizeof(data)));
}

static void
requests_are_printed_as_they_are_read(void **state)
{
	static const struct {
		const char *destination;
		const char *data;
		size_t len;
	} rows[] = {
	    {"192.0.2.1:80", OCTETS("\5\1\0" IPV4)},
	    {"[2001:db8::1]:443", OCTETS("\5\1\0" IPV6)},
	    {"www.a:1", OCTETS("\5\1\0\3\5www.a\0\1")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint8_t out[SOCKS5_REQUEST_MAX];
		struct endpoint destination;

		assert_true(endpoint_parse(rows[i].destination, &destination));
		assert_int_equal(
		    socks5_request_print(out, 1, &destination), rows[i].len);
		assert_memory_equal(out, rows[i].data, rows[i].len);
	}
}

static void
replies_are_printed(void **state)
{
	static const struct {
		const char *bound;
		const char *data;
		size_t len;
	} rows[] = {
	    {"192.0.2.1:80", OCTETS("\5\2\0" IPV4)},
	    {"[2001:db8::1]:443", OCTETS("\5\2\0" IPV6)},
	};
	struct socket_address none = {.port = 0};
	uint8_t out[SOCKS5_REPLY_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socket_address bound;

		assert_true(socket_address_parse(rows[i].bound, &bound));
		assert_int_equal(
		    socks5_reply_print(out, 2, &bound), rows[i].len);
		assert_memory_equal(out, rows[i].data, rows[i].len);
	}
	assert_int_equal(socks5_reply_print(out, 1, &none), 10);
	assert_memory_equal(out, "\5\1\0\1\0\0\0\0\0\0", 10);
}

static void
replies_are_read(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		uint8_t reply;
		const char *bound;
	} rows[] = {
	    {OCTETS("\5\0\0" IPV4), 0, "192.0.2.1:80"},
	    {OCTETS("\5\5\0" IPV6), 5, "[2001:db8::1]:443"},
	    {OCTETS("\5\0\0\3\1h\0\1"), 0, "h:1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socks5_reply reply;
		char text[ENDPOINT_TEXT_SIZE];
		enum reason why;
		size_t consumed;

		assert_int_equal(socks5_reply_parse(rows[i].data, rows[i].len,
				     &consumed, &reply, &why),
		    PARSE_DONE);
		assert_int_equal(consumed, rows[i].len);
		assert_int_equal(reply.reply, rows[i].reply);
		assert_string_equal(
		    endpoint_print(&reply.bound, text), rows[i].bound);
		assert_null(
		    prefixes_violate(parse_reply, rows[i].data, rows[i].len));
	}
}

static void
bad_replies_have_their_reason(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		enum reason why;
	} rows[] = {
	    {OCTETS("\1\0\0" IPV4), REASON_BAD_REQUEST},
	    {OCTETS("\5\0\1" IPV4), REASON_BAD_REQUEST},
	    {OCTETS("\5\0\0\2"), REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {OCTETS("\5\0\0\3\1.\0\1"), REASON_BAD_NAME},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socks5_reply reply;
		enum reason why = REASON_OK;
		size_t consumed;

		assert_int_equal(socks5_reply_parse(rows[i].data, rows[i].len,
				     &consumed, &reply, &why),
		    PARSE_BAD);
		assert_int_equal(why, rows[i].why);
		assert_null(
		    prefixes_violate(parse_reply, rows[i].data, rows[i].len));
	}
}

static void
every_reply_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(socks5_reply_text(0), "succeeded");
	assert_string_equal(socks5_reply_text(8), "address type not supported");
	assert_string_equal(socks5_reply_text(9), "unknown reply");
	assert_string_equal(socks5_reply_text(255), "unknown reply");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_greeting_may_offer_any_number_of_methods),
	    cmocka_unit_test(another_protocol_is_known_by_its_first_octet),
	    cmocka_unit_test(requests_are_read),
	    cmocka_unit_test(bad_requests_have_their_reason),
	    cmocka_unit_test(a_refused_name_is_kept_for_the_record),
	    cmocka_unit_test(requests_are_printed_as_they_are_read),
	    cmocka_unit_test(replies_are_printed),
	    cmocka_unit_test(replies_are_read),
	    cmocka_unit_test(bad_replies_have_their_reason),
	    cmocka_unit_test(every_reply_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
