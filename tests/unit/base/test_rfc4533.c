/* SPDX-License-Identifier: ISC */
/* Tests the values that RFC 4533 adds to LDAP. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc4533.h"

#define UUID	     "0123456789abcdef"
#define OTHER	     "fedcba9876543210"
#define ID(u)	     "\x04\x10" u
#define OCTETS(text) (text), sizeof(text) - 1

/* In memory of exactly its size. */
static enum parse_result
parse_info(const void *value, size_t len, struct rfc4533_info *info)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum parse_result result;

	assert_non_null(copy);
	memcpy(copy, value, len);
	result = rfc4533_parse_info(copy, len, info);
	free(copy);
	return result;
}

static enum parse_result
parse_change(const void *value, size_t len, enum rfc4533_change *change)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct rfc4533_state state;
	enum parse_result result;

	assert_non_null(copy);
	memcpy(copy, value, len);
	result = rfc4533_parse_state(copy, len, &state);
	if (result == PARSE_DONE) {
		*change = state.change;
		assert_memory_equal(state.uuid, UUID, RFC4533_UUID_SIZE);
	}
	free(copy);
	return result;
}

static void
a_request_has_its_cookie_or_none(void **state)
{
	uint8_t out[RFC4533_REQUEST_SIZE];
	uint8_t cookie[RFC4533_COOKIE_MAX + 1];

	(void)state;
	memset(cookie, 'c', sizeof(cookie));
	assert_int_equal(rfc4533_print_request(out, NULL, 0), 7);
	assert_memory_equal(out, "\x30\x82\x00\x03\x0a\x01\x03", 7);
	assert_int_equal(rfc4533_print_request(out, "csn=1", 5), 16);
	assert_memory_equal(out,
	    "\x30\x82\x00\x0c\x0a\x01\x03\x04\x82\x00\x05"
	    "csn=1",
	    16);
	assert_int_equal(rfc4533_print_request(out, cookie, RFC4533_COOKIE_MAX),
	    RFC4533_COOKIE_MAX + 11);
	assert_int_equal(
	    rfc4533_print_request(out, cookie, RFC4533_COOKIE_MAX + 1), 0);
}

static void
each_state_of_an_entry_is_read(void **state)
{
	char value[] = "\x30\x15\x0a\x01?" ID(UUID);
	char with_cookie[] = "\x30\x19\x0a\x01?" ID(UUID) "\x04\x02"
							  "ck";
	enum rfc4533_change change;

	(void)state;
	for (char number = 0; number < 4; number++) {
		value[4] = with_cookie[4] = number;
		assert_int_equal(
		    parse_change(value, sizeof(value) - 1, &change),
		    PARSE_DONE);
		assert_int_equal(change, number);
		assert_int_equal(
		    parse_change(with_cookie, sizeof(with_cookie) - 1, &change),
		    PARSE_DONE);
		assert_int_equal(change, number);
	}
	value[4] = 4;
	assert_int_equal(
	    parse_change(value, sizeof(value) - 1, &change), PARSE_BAD);
}

static const struct {
	const char *value;
	size_t len;
	struct rfc4533_info info;
} infos[] = {
    {OCTETS("\x80\x00"), {.kind = RFC4533_NEW_COOKIE}},
    {OCTETS("\x80\x03"
	    "csn"),
	{.kind = RFC4533_NEW_COOKIE}},
    {OCTETS("\xa1\x00"), {.kind = RFC4533_REFRESH_DELETE, .is_done = true}},
    {OCTETS("\xa1\x05\x04\x03"
	    "csn"),
	{.kind = RFC4533_REFRESH_DELETE, .is_done = true}},
    {OCTETS("\xa2\x03\x01\x01\x00"), {.kind = RFC4533_REFRESH_PRESENT}},
    {OCTETS("\xa2\x81\x03\x01\x01\xff"),
	{.kind = RFC4533_REFRESH_PRESENT, .is_done = true}},
    {OCTETS("\xa3\x02\x31\x00"), {.kind = RFC4533_ID_SET}},
    {OCTETS("\xa3\x84\x00\x00\x00\x2d\x04\x02"
	    "ck\x01\x01\xff\x31\x24" ID(UUID) ID(OTHER)),
	{.kind = RFC4533_ID_SET, .are_deleted = true, .uuid_count = 2}},
};

static void
each_message_between_entries_is_read(void **state)
{
	struct rfc4533_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(infos); i++) {
		assert_int_equal(
		    parse_info(infos[i].value, infos[i].len, &info),
		    PARSE_DONE);
		assert_int_equal(info.kind, infos[i].info.kind);
		assert_int_equal(info.is_done, infos[i].info.is_done);
		assert_int_equal(info.are_deleted, infos[i].info.are_deleted);
		assert_int_equal(info.uuid_count, infos[i].info.uuid_count);
	}
}

static void
what_is_cut_off_or_goes_on_is_bad(void **state)
{
	char longer[64];
	struct rfc4533_info info;
	enum rfc4533_change change;
	const char whole[] = "\x30\x19\x0a\x01\x01" ID(UUID) "\x04\x02"
							     "ck";

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(infos); i++) {
		for (size_t len = 0; len < infos[i].len; len++)
			assert_int_equal(
			    parse_info(infos[i].value, len, &info), PARSE_BAD);
		memcpy(longer, infos[i].value, infos[i].len);
		longer[infos[i].len] = 0;
		assert_int_equal(
		    parse_info(longer, infos[i].len + 1, &info), PARSE_BAD);
	}
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(parse_change(whole, len, &change), PARSE_BAD);
	assert_int_equal(
	    parse_change(whole, sizeof(whole), &change), PARSE_BAD);
}

static void
what_is_not_of_this_form_is_bad(void **state)
{
	static const struct {
		const char *value;
		size_t len;
	} values[] = {
	    {OCTETS("\x30\x00")},		      /* a sequence */
	    {OCTETS("\xa4\x00")},		      /* no such choice */
	    {OCTETS("\xa1\x80\x00\x00")},	      /* without a length */
	    {OCTETS("\xa1\x85\x00\x00\x00\x00\x00")}, /* a length too long */
	    {OCTETS("\xa1\x02\x01\x00")},	      /* a boolean of nothing */
	    {OCTETS("\xa1\x04\x01\x02\xff\xff")},     /* ... of two octets */
	    {OCTETS("\xa1\x02\x02\x00")},	      /* an integer */
	    {OCTETS("\xa3\x00")},	  /* a set without its ids */
	    {OCTETS("\xa3\x02\x30\x00")}, /* ... in a sequence */
	    {OCTETS("\xa3\x06\x31\x04\x04\x02"
		    "ab")},			  /* a short id */
	    {OCTETS("\xa3\x04\x31\x00\x05\x00")}, /* ... and more */
	};
	struct rfc4533_info info;
	enum rfc4533_change change;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		assert_int_equal(
		    parse_info(values[i].value, values[i].len, &info),
		    PARSE_BAD);
	assert_int_equal(
	    parse_change(OCTETS("\x31\x15\x0a\x01\x01" ID(UUID)), &change),
	    PARSE_BAD);
	assert_int_equal(
	    parse_change(OCTETS("\x30\x16\x0a\x02\x00\x01" ID(UUID)), &change),
	    PARSE_BAD);
	assert_int_equal(parse_change(OCTETS("\x30\x14\x0a\x01\x01\x04\x0f"
					     "0123456789abcde"),
			     &change),
	    PARSE_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_has_its_cookie_or_none),
	    cmocka_unit_test(each_state_of_an_entry_is_read),
	    cmocka_unit_test(each_message_between_entries_is_read),
	    cmocka_unit_test(what_is_cut_off_or_goes_on_is_bad),
	    cmocka_unit_test(what_is_not_of_this_form_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
