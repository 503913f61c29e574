/* SPDX-License-Identifier: ISC */
/* Tests the table of reasons: one row a reason, no two alike. */
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>

#include "base/reason.h"

static void
names_are_unique_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);

		assert_true(name[0] != '\0');
		assert_int_equal(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
		    strlen(name));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
			    name, reason_name((enum reason)j));
	}
}

static void
sentences_end_with_a_full_stop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		const char *sentence = reason_sentence((enum reason)i);
		size_t len = strlen(sentence);

		assert_true(len > 10);
		assert_int_equal(sentence[len - 1], '.');
		assert_true(sentence[0] >= 'A' && sentence[0] <= 'Z');
	}
}

static void
replies_are_those_of_the_rfc(void **state)
{
	(void)state;
	assert_int_equal(reason_reply(REASON_OK), 0x00);
	for (unsigned i = 1; i < REASON_COUNT; i++) {
		assert_true(reason_reply((enum reason)i) >= 1);
		assert_true(reason_reply((enum reason)i) <= 8);
	}
	assert_int_equal(reason_reply(REASON_DENIED_RULE), 0x02);
	assert_int_equal(reason_reply(REASON_NETWORK_UNREACHABLE), 0x03);
	assert_int_equal(reason_reply(REASON_NAME_UNKNOWN), 0x04);
	assert_int_equal(reason_reply(REASON_CONNECT_REFUSED), 0x05);
	assert_int_equal(reason_reply(REASON_COMMAND_UNSUPPORTED), 0x07);
	assert_int_equal(reason_reply(REASON_ADDRESS_TYPE_UNSUPPORTED), 0x08);
}

static void
a_broken_connection_was_reset_or_failed(void **state)
{
	(void)state;
	assert_int_equal(reason_of_client(ECONNRESET), REASON_CLIENT_RESET);
	assert_int_equal(reason_of_client(EPIPE), REASON_CLIENT_RESET);
	assert_int_equal(reason_of_client(ETIMEDOUT), REASON_CLIENT_ERROR);
	assert_int_equal(reason_of_target(ECONNRESET), REASON_TARGET_RESET);
	assert_int_equal(reason_of_target(EPIPE), REASON_TARGET_RESET);
	assert_int_equal(reason_of_target(EHOSTUNREACH), REASON_TARGET_ERROR);
}

static void
an_end_as_it_should_be_is_no_error(void **state)
{
	(void)state;
	assert_false(reason_is_error(REASON_OK));
	assert_false(reason_is_error(REASON_IDLE));
	assert_true(reason_is_error(REASON_GSS_REPLAY));
	assert_true(reason_is_error(REASON_DENIED_NO_RULE));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_unique_words),
	    cmocka_unit_test(sentences_end_with_a_full_stop),
	    cmocka_unit_test(replies_are_those_of_the_rfc),
	    cmocka_unit_test(a_broken_connection_was_reset_or_failed),
	    cmocka_unit_test(an_end_as_it_should_be_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
