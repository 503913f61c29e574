/* SPDX-License-Identifier: ISC */
/* Tests the framing of RFC 1961. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc1961.h"
#include "tests/support/prefixes.h"

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct rfc1961_frame frame;
	size_t need;

	return rfc1961_parse(data, len, &need, consumed, &frame);
}

static void
frames_of_each_type_are_read(void **state)
{
	static const enum rfc1961_type types[] = {
	    RFC1961_CONTEXT, RFC1961_LEVEL, RFC1961_DATA};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		uint8_t data[] = {1, (uint8_t)types[i], 0, 3, 'a', 'b', 'c', 9};
		struct rfc1961_frame frame;
		size_t need, consumed;

		assert_int_equal(
		    rfc1961_parse(data, sizeof(data), &need, &consumed, &frame),
		    PARSE_DONE);
		assert_int_equal(consumed, 7);
		assert_int_equal(frame.type, types[i]);
		assert_int_equal(frame.token_len, 3);
		assert_ptr_equal(frame.token, data + 4);
		assert_null(prefixes_violate(parse, data, sizeof(data)));
	}
}

static void
a_token_may_be_empty(void **state)
{
	struct rfc1961_frame frame;
	size_t need, consumed;

	(void)state;
	assert_int_equal(
	    rfc1961_parse("\1\1\0\0", 4, &need, &consumed, &frame), PARSE_DONE);
	assert_int_equal(consumed, 4);
	assert_int_equal(frame.token_len, 0);
	assert_null(frame.token);
}

static void
an_abort_is_two_octets(void **state)
{
	struct rfc1961_frame frame;
	size_t need, consumed;

	(void)state;
	assert_int_equal(
	    rfc1961_parse("\1\377", 2, &need, &consumed, &frame), PARSE_DONE);
	assert_int_equal(consumed, 2);
	assert_int_equal(frame.type, RFC1961_ABORT);
	assert_null(frame.token);
	assert_int_equal(
	    rfc1961_parse("\1\377\0\0", 4, &need, &consumed, &frame),
	    PARSE_DONE);
	assert_int_equal(consumed, 2);
	assert_null(prefixes_violate(parse, "\1\377\0\0", 4));
}

static void
it_says_how_much_it_needs(void **state)
{
	static const uint8_t data[] = {1, 3, 0x01, 0x02, 0xaa};
	static const size_t needs[] = {2, 2, 4, 4, 4 + 0x102, 4 + 0x102};

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		struct rfc1961_frame frame;
		size_t need, consumed;

		assert_int_equal(
		    rfc1961_parse(data, len, &need, &consumed, &frame),
		    PARSE_MORE);
		assert_int_equal(need, needs[len]);
	}
}

static void
the_largest_token_is_read(void **state)
{
	uint8_t *data = calloc(1, RFC1961_FRAME_MAX);
	struct rfc1961_frame frame;
	size_t need, consumed;

	(void)state;
	assert_non_null(data);
	rfc1961_header(data, RFC1961_DATA, RFC1961_TOKEN_MAX);
	assert_int_equal(rfc1961_parse(data, RFC1961_FRAME_MAX - 1, &need,
			     &consumed, &frame),
	    PARSE_MORE);
	assert_int_equal(need, RFC1961_FRAME_MAX);
	assert_int_equal(
	    rfc1961_parse(data, RFC1961_FRAME_MAX, &need, &consumed, &frame),
	    PARSE_DONE);
	assert_int_equal(frame.token_len, RFC1961_TOKEN_MAX);
	free(data);
}

static void
another_version_is_bad_at_its_octet(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		uint8_t data[] = {(uint8_t)version, 1, 0, 0};
		size_t consumed;

		assert_int_equal(parse(data, 1, &consumed),
		    version == 1 ? PARSE_MORE : PARSE_BAD);
		assert_null(prefixes_violate(parse, data, sizeof(data)));
	}
}

static void
an_unknown_type_is_bad_at_its_octet(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t data[] = {1, (uint8_t)type, 0, 0};
		enum parse_result expected = PARSE_BAD;
		size_t consumed;

		if (type >= 1 && type <= 3)
			expected = PARSE_MORE;
		if (type == 0xff)
			expected = PARSE_DONE;
		assert_int_equal(parse(data, 2, &consumed), expected);
		assert_null(prefixes_violate(parse, data, sizeof(data)));
	}
}

static void
a_header_is_four_octets(void **state)
{
	uint8_t out[RFC1961_HEADER];

	(void)state;
	rfc1961_header(out, RFC1961_DATA, 0x1234);
	assert_memory_equal(out, "\1\3\x12\x34", 4);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_of_each_type_are_read),
	    cmocka_unit_test(a_token_may_be_empty),
	    cmocka_unit_test(an_abort_is_two_octets),
	    cmocka_unit_test(it_says_how_much_it_needs),
	    cmocka_unit_test(the_largest_token_is_read),
	    cmocka_unit_test(another_version_is_bad_at_its_octet),
	    cmocka_unit_test(an_unknown_type_is_bad_at_its_octet),
	    cmocka_unit_test(a_header_is_four_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
