/* SPDX-License-Identifier: ISC */
/* Tests the messages of RFC 1929. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/rfc1929.h"
#include "tests/support/prefixes.h"

static enum parse_result
parse(const void *data, size_t len, size_t *consumed)
{
	struct rfc1929_message message;
	size_t need;

	return rfc1929_parse(data, len, &need, consumed, &message);
}

/* A message of those lengths, its octets counted up from `first`. */
static size_t
compose(uint8_t out[RFC1929_MAX], size_t user_len, size_t password_len,
    uint8_t first)
{
	size_t len = 0;

	out[len++] = 1;
	out[len++] = (uint8_t)user_len;
	for (size_t i = 0; i < user_len; i++)
		out[len++] = first++;
	out[len++] = (uint8_t)password_len;
	for (size_t i = 0; i < password_len; i++)
		out[len++] = first++;
	return len;
}

static void
assert_field(const uint8_t *expected, size_t len, const uint8_t *octets,
    uint8_t octets_len)
{
	assert_int_equal(octets_len, len);
	if (len == 0)
		assert_null(octets);
	else
		assert_ptr_equal(octets, expected);
}

static void
every_pair_of_lengths_is_read(void **state)
{
	uint8_t data[RFC1929_MAX + 1];

	(void)state;
	for (size_t user = 0; user < 256; user++) {
		for (size_t password = 0; password < 256; password++) {
			struct rfc1929_message message;
			size_t need = 0, consumed = 0;
			size_t len =
			    compose(data, user, password, (uint8_t)user);

			/* What follows is not looked at. */
			data[len] = 0xff;
			assert_int_equal(rfc1929_parse(data, len + 1, &need,
					     &consumed, &message),
			    PARSE_DONE);
			assert_int_equal(consumed, len);
			assert_field(
			    data + 2, user, message.user, message.user_len);
			assert_field(data + 3 + user, password,
			    message.password, message.password_len);
			assert_int_equal(rfc1929_parse(data, len - 1, &need,
					     &consumed, &message),
			    PARSE_MORE);
		}
	}
}

static void
every_octet_may_stand_anywhere_in_a_field(void **state)
{
	uint8_t data[RFC1929_MAX];

	(void)state;
	/* Each length with each octet at its first place, and with it all the
	 * others behind: every octet at every place. */
	for (size_t len = 1; len < 256; len++) {
		for (unsigned first = 0; first < 256; first++) {
			struct rfc1929_message message;
			size_t need, consumed;
			size_t size = compose(data, len, len, (uint8_t)first);

			assert_int_equal(rfc1929_parse(data, size, &need,
					     &consumed, &message),
			    PARSE_DONE);
			assert_int_equal(message.user[0], first);
			assert_int_equal(message.user_len, len);
			assert_int_equal(message.password_len, len);
		}
	}
}

/* Octet by octet and cut everywhere, in memory of exactly its size. */
static void
a_message_is_done_with_its_last_octet(void **state)
{
	static const size_t lens[] = {0, 1, 2, 127, 128, 254, 255};
	uint8_t data[RFC1929_MAX + 4];

	(void)state;
	for (size_t u = 0; u < sizeof(lens) / sizeof(*lens); u++) {
		for (size_t p = 0; p < sizeof(lens) / sizeof(*lens); p++) {
			size_t len = compose(data, lens[u], lens[p], 0);

			memset(data + len, 5, 4);
			assert_null(prefixes_violate(parse, data, len + 4));
		}
	}
}

static void
it_says_how_much_it_needs(void **state)
{
	static const uint8_t data[] = {1, 3, 'b', 'o', 'b', 2, 'p', 'w'};
	static const size_t needs[] = {3, 3, 6, 6, 6, 6, 8, 8};

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++) {
		struct rfc1929_message message;
		size_t need = 0, consumed;

		assert_int_equal(
		    rfc1929_parse(data, len, &need, &consumed, &message),
		    PARSE_MORE);
		assert_int_equal(need, needs[len]);
	}
}

static void
another_version_is_bad_at_its_octet(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 256; version++) {
		uint8_t data[] = {(uint8_t)version, 1, 'u', 1, 'p'};
		size_t consumed;

		assert_int_equal(parse(data, 1, &consumed),
		    version == 1 ? PARSE_MORE : PARSE_BAD);
		assert_int_equal(parse(data, sizeof(data), &consumed),
		    version == 1 ? PARSE_DONE : PARSE_BAD);
		assert_null(prefixes_violate(parse, data, sizeof(data)));
	}
}

static void
the_replys_version_is_one(void **state)
{
	uint8_t reply[RFC1929_REPLY];

	(void)state;
	rfc1929_reply(reply, true);
	assert_memory_equal(reply, "\1\0", 2);
	rfc1929_reply(reply, false);
	assert_memory_equal(reply, "\1\1", 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_of_lengths_is_read),
	    cmocka_unit_test(every_octet_may_stand_anywhere_in_a_field),
	    cmocka_unit_test(a_message_is_done_with_its_last_octet),
	    cmocka_unit_test(it_says_how_much_it_needs),
	    cmocka_unit_test(another_version_is_bad_at_its_octet),
	    cmocka_unit_test(the_replys_version_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
