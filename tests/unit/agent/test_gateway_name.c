/* SPDX-License-Identifier: ISC */
/* The gateway as people write it. */
#include "tests/support/unit.h"

#include "agent/gateway_name.h"

#include <string.h>

static void
every_form_is_read(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} rows[] = {
	    {"gw", "gw", "1080"},
	    {"gw.example.com", "gw.example.com", "1080"},
	    {"gw.example.com:1", "gw.example.com", "1"},
	    {"GW.example.com:65535", "GW.example.com", "65535"},
	    {"192.0.2.1", "192.0.2.1", "1080"},
	    {"192.0.2.1:2080", "192.0.2.1", "2080"},
	    {"2001:db8::1", "2001:db8::1", "1080"},
	    {"::1", "::1", "1080"},
	    {"[2001:db8::1]", "2001:db8::1", "1080"},
	    {"[2001:db8::1]:2080", "2001:db8::1", "2080"},
	};
	struct gateway_name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_true(gateway_name_parse(rows[i].text, &name));
		assert_string_equal(name.host, rows[i].host);
		assert_string_equal(name.port, rows[i].port);
	}
}

static void
everything_else_is_refused(void **state)
{
	static const char *const texts[] = {"", ":", ":1080", "gw:", "gw:0",
	    "gw:65536", "gw:01", "gw:+1", "gw:http", "g w", "[gw]", "[gw]:1",
	    "[::1", "[::1]x", "[::1]1080", "[]", "[]:1", "::1:", "1:2:3",
	    "10.1", "0x7f.1", "gw:1:2", "-gw"};
	char longest[400];
	struct gateway_name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (gateway_name_parse(texts[i], &name))
			fail_msg("\"%s\" was taken", texts[i]);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(gateway_name_parse(longest, &name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_is_read),
	    cmocka_unit_test(everything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
