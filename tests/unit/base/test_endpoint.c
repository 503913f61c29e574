/* SPDX-License-Identifier: ISC */
/* Tests what is taken for a host name, an address, or neither. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"

#define LABEL_63                                                               \
	"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

static void
names_are_normalised(void **state)
{
	static const struct {
		const char *asked, *name;
	} rows[] = {
	    {"www.example.com", "www.example.com"},
	    {"WWW.Example.COM", "www.example.com"},
	    {"AZ.az", "az.az"},
	    {"example.com.", "example.com"},
	    {"localhost", "localhost"},
	    {"a", "a"},
	    {"_ldap._tcp.example", "_ldap._tcp.example"},
	    {"a-b.c--d", "a-b.c--d"},
	    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
	    {"1.example", "1.example"},
	    {"1.2.3.a4", "1.2.3.a4"},
	    {"1.2.3.4a", "1.2.3.4a"},
	    {"0x7f.example", "0x7f.example"},
	    {"a.0xfg", "a.0xfg"},
	    {"a.0y", "a.0y"},
	    {"deadbeef", "deadbeef"},
	    {LABEL_63, LABEL_63},
	    {LABEL_63 ".b", LABEL_63 ".b"},
	    {NAME_253, NAME_253},
	    {NAME_253 ".", NAME_253},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint;

		assert_true(endpoint_from_name(
		    rows[i].asked, strlen(rows[i].asked), 80, &endpoint));
		assert_int_equal(endpoint.kind, ENDPOINT_NAME);
		assert_string_equal(endpoint.name, rows[i].name);
		assert_int_equal(endpoint.port, 80);
	}
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const rows[] = {"", ".", "..", "a..b", ".a", "a..",
	    "-a", "a-", "-", "a.-b.c", "a.b-.c", "a b", " a", "a ", "a\tb",
	    "a\nb", "a%b", "fe80::1%1", "a:b", "a/b", "a@b", "a*b", "*",
	    "*.example.com", "a\\b", "a\"b", "\x7f", "\x80",
	    "b\xc3\xbc"
	    "cher.example",
	    "b\xfc"
	    "cher",
	    "[", "]", "[]", "[a]", "[1.2.3.4]", "[::1", "::1]", "[[::1]]",
	    LABEL_63 "x", LABEL_63 "x.b", "b." LABEL_63 "x", NAME_253 "x",
	    NAME_253 "x.", NAME_253 ".."};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint = {.port = 77};

		assert_false(endpoint_from_name(
		    rows[i], strlen(rows[i]), 80, &endpoint));
		assert_int_equal(endpoint.port, 77);
	}
}

/* Whatever the resolvers of this world make of them. */
static void
what_inet_aton_takes_is_refused(void **state)
{
	static const char *const rows[] = {"127.1", "127.0.1", "0x7f000001",
	    "0X7F000001", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0",
	    "010.0.0.1", "1.2.3.04", "1.2.3.256", "1.2.3.4.", "127.0.0.1.",
	    "1.2.3.4.5", "1.2.3", "0x", "0x.0x", "a.0x", "example.1",
	    "example.0x1", "example.0XaF", "example.08", "1", "01",
	    "99999999999999999999", "127.0x0.0.1", "1.0xffffff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint;

		assert_false(endpoint_from_name(
		    rows[i], strlen(rows[i]), 80, &endpoint));
	}
}

/* Counted octets, not C strings: nothing is cut at a NUL. */
static void
no_octet_but_those_of_names_is_taken(void **state)
{
	struct endpoint endpoint;

	(void)state;
	assert_false(endpoint_from_name("localhost\0.x", 12, 80, &endpoint));
	assert_false(endpoint_from_name("127.0.0.1\0", 10, 80, &endpoint));
	assert_false(endpoint_from_name("\0", 1, 80, &endpoint));
	assert_false(endpoint_from_name(NULL, 0, 80, &endpoint));
	for (unsigned octet = 0; octet < 256; octet++) {
		char name[] = {'a', (char)octet, 'b'};
		bool is_taken =
		    octet != 0 &&
		    strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
			   "UVWXYZ0123456789-_.",
			(int)octet) != NULL;

		assert_int_equal(
		    endpoint_from_name(name, 3, 80, &endpoint), is_taken);
	}
}

static void
literals_become_addresses(void **state)
{
	static const struct {
		const char *asked, *printed;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1:80"},
	    {"::1", "[::1]:80"},
	    {"[::1]", "[::1]:80"},
	    {"[2001:DB8::1]", "[2001:db8::1]:80"},
	    {"::ffff:127.0.0.1", "127.0.0.1:80"},
	    {"[::ffff:7f00:1]", "127.0.0.1:80"},
	    {"1111:2222:3333:4444:5555:6666:7777:8888",
		"[1111:2222:3333:4444:5555:6666:7777:8888]:80"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint;
		char text[ENDPOINT_TEXT_SIZE];

		assert_true(endpoint_from_name(
		    rows[i].asked, strlen(rows[i].asked), 80, &endpoint));
		assert_int_equal(endpoint.kind, ENDPOINT_ADDRESS);
		assert_string_equal(endpoint.name, "");
		assert_string_equal(
		    endpoint_print(&endpoint, text), rows[i].printed);
	}
}

static void
an_address_makes_an_endpoint(void **state)
{
	struct address address;
	struct endpoint endpoint;
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_true(address_parse("192.0.2.1", &address));
	endpoint = endpoint_from_address(&address, 443);
	assert_int_equal(endpoint.kind, ENDPOINT_ADDRESS);
	assert_string_equal(endpoint_print(&endpoint, text), "192.0.2.1:443");
}

static void
people_write_host_and_port(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: refused */
	} rows[] = {
	    {"www.Example.com:443", "www.example.com:443"},
	    {"192.0.2.1:22", "192.0.2.1:22"},
	    {"[2001:db8::1]:22", "[2001:db8::1]:22"},
	    {"localhost:0", "localhost:0"},
	    {"localhost:65535", "localhost:65535"},
	    {NAME_253 ":65535", NAME_253 ":65535"},
	    {"localhost:65536", NULL},
	    {"localhost:", NULL},
	    {"localhost:022", NULL},
	    {"localhost:http", NULL},
	    {"localhost", NULL},
	    {":80", NULL},
	    {"", NULL},
	    {"::1:80", NULL},
	    {"2001:db8::1", NULL},
	    {"a:b:80", NULL},
	    {"[::1]", NULL},
	    {"[::1]:", NULL},
	    {"[::1]:x", NULL},
	    {"[192.0.2.1]:80", NULL},
	    {"127.1:80", NULL},
	    {" localhost:80", NULL},
	    {NAME_253 "x:80", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint;
		char text[ENDPOINT_TEXT_SIZE];

		assert_int_equal(endpoint_parse(rows[i].text, &endpoint),
		    rows[i].printed != NULL);
		if (rows[i].printed != NULL)
			assert_string_equal(
			    endpoint_print(&endpoint, text), rows[i].printed);
	}
}

static void
endpoints_are_equal_in_kind_host_and_port(void **state)
{
	static const char *const texts[] = {"a.example:1", "a.example:2",
	    "b.example:1", "192.0.2.1:1", "192.0.2.2:1", "192.0.2.1:2",
	    "[2001:db8::1]:1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(texts); j++) {
			struct endpoint a, b;

			assert_true(endpoint_parse(texts[i], &a));
			assert_true(endpoint_parse(texts[j], &b));
			assert_int_equal(endpoint_is_equal(&a, &b), i == j);
		}
	}
}

static void
an_unspecified_address_is_known_whatever_its_port(void **state)
{
	static const struct {
		const char *text;
		bool is_unspecified;
	} rows[] = {{"0.0.0.0:1", true}, {"[::]:443", true},
	    {"0.0.0.1:1", false}, {"[::1]:1", false}, {"a.example:1", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct endpoint endpoint;

		assert_true(endpoint_parse(rows[i].text, &endpoint));
		assert_int_equal(
		    endpoint_is_unspecified(&endpoint), rows[i].is_unspecified);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_normalised),
	    cmocka_unit_test(what_is_no_name_is_refused),
	    cmocka_unit_test(what_inet_aton_takes_is_refused),
	    cmocka_unit_test(no_octet_but_those_of_names_is_taken),
	    cmocka_unit_test(literals_become_addresses),
	    cmocka_unit_test(an_address_makes_an_endpoint),
	    cmocka_unit_test(people_write_host_and_port),
	    cmocka_unit_test(endpoints_are_equal_in_kind_host_and_port),
	    cmocka_unit_test(an_unspecified_address_is_known_whatever_its_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
