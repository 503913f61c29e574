/* SPDX-License-Identifier: ISC */
/* Lines of the auditor's spool. */
#include "tests/support/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_chain_line.h"

#define MAC    "64039010de7347369fb6b427a6f68f410246e2ef769e5b1c93d481105f5acb62"
#define HEADER "<110>1 2026-11-26T10:00:00.000001Z host gatewarden 7 start "
#define LINE   MAC " " HEADER "[gatewarden@32473 seq=\"7\" event=\"start\"] began"

/* In memory that ends where the line ends. */
static bool
parse(const char *line, size_t len, struct audit_chain_line *parsed)
{
	char *copy = malloc(len + 1);
	bool is_good;

	assert_non_null(copy);
	memcpy(copy + 1, line, len);
	is_good = audit_chain_line_parse(copy + 1, len, parsed);
	if (is_good) {
		assert_ptr_equal(parsed->message, copy + 1 + 65);
		assert_int_equal(parsed->len, len - 65);
	}
	free(copy);
	return is_good;
}

static void
a_line_has_a_mac_a_message_and_a_number(void **state)
{
	struct audit_chain_line parsed;
	char prefix[AUDIT_CHAIN_PREFIX + 1];

	(void)state;
	assert_true(parse(LINE, strlen(LINE), &parsed));
	assert_int_equal(parsed.sequence, 7);
	assert_int_equal(parsed.mac[0], 0x64);
	assert_int_equal(parsed.mac[31], 0x62);
	audit_chain_line_prefix(parsed.mac, prefix);
	assert_string_equal(prefix, MAC " ");
}

/* Octet by octet: the number is there when all of it is, and not before. */
static void
a_line_that_was_cut_is_no_more_than_what_is_there(void **state)
{
	const char *mark = strstr(LINE, "7\" event");
	struct audit_chain_line parsed;

	(void)state;
	for (size_t len = 0; len < strlen(LINE); len++) {
		assert_int_equal(parse(LINE, len, &parsed), len > 65);
		assert_int_equal(
		    parsed.sequence, len >= (size_t)(mark - LINE) + 2 ? 7 : 0);
	}
}

static void
another_octet_in_the_mac_or_behind_it_is_no_line(void **state)
{
	char line[] = LINE;
	struct audit_chain_line parsed;

	(void)state;
	for (size_t at = 0; at < 65; at++) {
		char was = line[at];

		for (int c = 0; c < 256; c++) {
			bool is_digit =
			    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

			line[at] = (char)c;
			assert_int_equal(parse(line, strlen(LINE), &parsed),
			    at < 64 ? is_digit : c == ' ');
		}
		line[at] = was;
	}
}

static uint64_t
number_of(const char *element)
{
	char line[512];
	struct audit_chain_line parsed;

	(void)snprintf(line, sizeof(line), MAC " %s", element);
	assert_true(parse(line, strlen(line), &parsed));
	return parsed.sequence;
}

static void
only_the_first_parameter_is_the_number(void **state)
{
	(void)state;
	assert_int_equal(number_of(HEADER "[a seq=\"1\"]"), 1);
	assert_int_equal(
	    number_of(HEADER "[a seq=\"18446744073709551615\"]"), UINT64_MAX);
	assert_int_equal(
	    number_of(HEADER "[a seq=\"18446744073709551616\"]"), 0);
	assert_int_equal(
	    number_of(HEADER "[a seq=\"184467440737095516150\"]"), 0);
	assert_int_equal(number_of(HEADER "[a seq=\"0\"]"), 0);
	assert_int_equal(number_of(HEADER "[a seq=\"01\"]"), 0);
	assert_int_equal(number_of(HEADER "[a seq=\"\"]"), 0);
	assert_int_equal(number_of(HEADER "[a seq=1]"), 0);
	assert_int_equal(number_of(HEADER "[a x=\"1\" seq=\"1\"]"), 0);
	assert_int_equal(number_of(HEADER "(a seq=\"1\")"), 0);
	assert_int_equal(number_of(HEADER), 0);
	assert_int_equal(number_of("seq=\"1\""), 0);
}

static void
a_line_that_is_too_long_is_none(void **state)
{
	size_t len = AUDIT_CHAIN_LINE_MAX + 1;
	char *line = malloc(len);
	struct audit_chain_line parsed;

	(void)state;
	assert_non_null(line);
	memset(line, ' ', len);
	memcpy(line, LINE, strlen(LINE));
	assert_true(parse(line, len - 1, &parsed));
	assert_int_equal(parsed.sequence, 7);
	assert_false(parse(line, len, &parsed));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_a_mac_a_message_and_a_number),
	    cmocka_unit_test(a_line_that_was_cut_is_no_more_than_what_is_there),
	    cmocka_unit_test(another_octet_in_the_mac_or_behind_it_is_no_line),
	    cmocka_unit_test(only_the_first_parameter_is_the_number),
	    cmocka_unit_test(a_line_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
