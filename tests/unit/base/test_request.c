/* SPDX-License-Identifier: ISC */
/* Tests the names of the commands. */
#include "tests/support/unit.h"

#include "base/request.h"

static void
names_go_both_ways(void **state)
{
	static const enum command commands[] = {
	    COMMAND_CONNECT, COMMAND_BIND, COMMAND_UDP};
	static const char *const names[] = {"connect", "bind", "udp"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		enum command command;

		assert_string_equal(command_name(commands[i]), names[i]);
		assert_true(command_parse(names[i], &command));
		assert_int_equal(command, commands[i]);
	}
}

/* The octet comes from the client: any of them has a name. */
static void
other_octets_are_unknown(void **state)
{
	(void)state;
	for (unsigned octet = 4; octet < 256; octet++)
		assert_string_equal(
		    command_name((enum command)octet), "unknown");
}

static void
other_words_are_no_command(void **state)
{
	enum command command = COMMAND_BIND;

	(void)state;
	assert_false(command_parse("", &command));
	assert_false(command_parse("CONNECT", &command));
	assert_false(command_parse("unknown", &command));
	assert_int_equal(command, COMMAND_BIND);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_go_both_ways),
	    cmocka_unit_test(other_octets_are_unknown),
	    cmocka_unit_test(other_words_are_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
