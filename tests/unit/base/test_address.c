/* SPDX-License-Identifier: ISC */
/* Tests addresses, networks and socket addresses. */
#include "tests/support/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/address.h"

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static void
addresses_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"2001:DB8::0001", "2001:db8::1"},
	    {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"::ffff:c000:0201", "192.0.2.1"},
	    {"::ffff:0:192.0.2.1", "::ffff:0:c000:201"},
	    {"::192.0.2.1", "::192.0.2.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct address parsed = address(rows[i].text);
		char text[ADDRESS_TEXT_SIZE];

		assert_ptr_equal(address_print(&parsed, text), text);
		assert_string_equal(text, rows[i].printed);
	}
}

/* inet_aton takes most of these. */
static void
loose_addresses_are_refused(void **state)
{
	static const char *const rows[] = {"", " ", "127.1", "127.0.1",
	    "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0",
	    "010.0.0.1", "1.2.3.04", "00.0.0.0", "1.2.3", "1.2.3.4.",
	    "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1..3.4", " 1.2.3.4",
	    "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4%1", "fe80::1%eth0", "[::1]",
	    ":::", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::12345",
	    "::g", ":1", "1:", "::1.2.3", "::ffff:010.0.0.1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct address parsed;

		assert_false(address_parse(rows[i], &parsed));
	}
}

static void
an_absent_address_prints_as_none(void **state)
{
	struct address none = {.family = ADDRESS_NONE};
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_string_equal(address_print(&none, text), "none");
}

static void
the_longest_texts_fit(void **state)
{
	static const char text[] = "1111:2222:3333:4444:5555:6666:7777:8888";
	struct socket_address socket_address = {address(text), 65535};
	struct network network = {address(text), 128};
	char address_out[ADDRESS_TEXT_SIZE];
	char socket_out[SOCKET_ADDRESS_TEXT_SIZE];
	char network_out[NETWORK_TEXT_SIZE];

	(void)state;
	assert_string_equal(
	    address_print(&socket_address.address, address_out), text);
	assert_string_equal(socket_address_print(&socket_address, socket_out),
	    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_string_equal(network_print(&network, network_out),
	    "1111:2222:3333:4444:5555:6666:7777:8888/128");
}

static void
equal_means_family_and_octets(void **state)
{
	struct address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct address six = {.family = ADDRESS_IPV6};
	struct address four = {.family = ADDRESS_IPV4};

	(void)state;
	assert_true(address_is_equal(&a, &a));
	assert_false(address_is_equal(&a, &b));
	assert_false(address_is_equal(&six, &four));
}

static void
an_ipv4_address_inside_ipv6_is_found(void **state)
{
	static const struct {
		const char *outer, *inner; /* NULL: none */
	} rows[] = {
	    {"::192.0.2.1", "192.0.2.1"},
	    {"::2", "0.0.0.2"},
	    {"::0.0.1.0", "0.0.1.0"},
	    {"::", NULL},
	    {"::1", NULL},
	    {"64:ff9b::192.0.2.1", "192.0.2.1"},
	    {"64:ff9b::1:0:192.0.2.1", NULL},
	    {"64:ff9b:1::192.0.2.1", "192.0.2.1"},
	    {"64:ff9b:1:ffff::192.0.2.1", "192.0.2.1"},
	    {"64:ff9b:2::192.0.2.1", NULL},
	    {"2002:c000:201::", "192.0.2.1"},
	    {"2002:7f00:1:1::1", "127.0.0.1"},
	    {"2001::3fff:fdfe", "192.0.2.1"},
	    {"2001:0:4136:e378:8000:63bf:3fff:fdfe", "192.0.2.1"},
	    {"2001:1::3fff:fdfe", NULL},
	    {"2001:db8::1", NULL},
	    {"192.0.2.1", NULL},
	    {"::ffff:192.0.2.1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct address outer = address(rows[i].outer), inner;
		char text[ADDRESS_TEXT_SIZE];

		if (rows[i].inner == NULL) {
			assert_false(address_embedded_ipv4(&outer, &inner));
			continue;
		}
		assert_true(address_embedded_ipv4(&outer, &inner));
		assert_string_equal(address_print(&inner, text), rows[i].inner);
	}
}

/*
 * Every prefix length of a family: the mask is a network, the next bit
 * behind it is a host bit, and each bit turned over is inside or outside.
 */
static void
check_every_prefix(const struct address *ones, unsigned bits)
{
	for (unsigned len = 0; len <= bits; len++) {
		struct network network = {*ones, (uint8_t)len}, again;
		char text[NETWORK_TEXT_SIZE];

		for (unsigned bit = len; bit < bits; bit++)
			network.base.bytes[bit / 8] &=
			    (uint8_t) ~(0x80 >> bit % 8);
		network_print(&network, text);
		assert_true(network_parse(text, &again));
		assert_true(address_is_equal(&network.base, &again.base));
		assert_int_equal(again.prefix_len, len);
		assert_true(network_has(&network, ones));
		for (unsigned bit = 0; bit < bits; bit++) {
			struct address other = network.base;

			other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			assert_int_equal(
			    network_has(&network, &other), bit >= len);
		}
		if (len == 0)
			continue;
		network.prefix_len = (uint8_t)(len - 1);
		network_print(&network, text);
		assert_false(network_parse(text, &again));
	}
}

static void
every_prefix_length_is_exact(void **state)
{
	struct address four = address("255.255.255.255");
	struct address six = {.family = ADDRESS_IPV6};

	(void)state;
	memset(six.bytes, 0xff, sizeof(six.bytes));
	check_every_prefix(&four, 32);
	check_every_prefix(&six, 128);
}

static void
networks_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
	    {"10.0.0.0/8", "10.0.0.0/8"},
	    {"0.0.0.0/0", "0.0.0.0/0"},
	    {"192.0.2.1", "192.0.2.1/32"},
	    {"192.0.2.1/32", "192.0.2.1/32"},
	    {"::/0", "::/0"},
	    {"2001:db8::1", "2001:db8::1/128"},
	    {"2001:db8::/32", "2001:db8::/32"},
	    {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
	    {"::ffff:0:0/96", "0.0.0.0/0"},
	    {"::ffff:192.0.2.1", "192.0.2.1/32"},
	    {"::ffff:192.0.2.1/128", "192.0.2.1/32"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct network network;
		char text[NETWORK_TEXT_SIZE];

		assert_true(network_parse(rows[i].text, &network));
		assert_ptr_equal(network_print(&network, text), text);
		assert_string_equal(text, rows[i].printed);
	}
}

static void
loose_networks_are_refused(void **state)
{
	static const char *const rows[] = {"", "/", "/8", "10.0.0.0/",
	    "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8 ",
	    "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10/8", "10.0/16",
	    "010.0.0.0/8", "1.2.3", "10.0.0.1/8", "10.0.0.1/31", "128.0.0.0/0",
	    "2001:db8::1/32", "2001:db8::/129", "::1/127", "::ffff:10.0.0.0/8",
	    "::ffff:10.0.0.0/95", "::ffff:10.0.0.1/104", "::ffff:10.0.0.0/129",
	    "fe80::%1/64",
	    "0000:1111:2222:3333:4444:5555:6666:7777:8888:9999/128"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct network network;

		assert_false(network_parse(rows[i], &network));
	}
}

static void
a_network_has_no_address_of_the_other_family(void **state)
{
	struct network four, six;
	struct address a = address("10.0.0.1"), b = address("2001:db8::1");

	(void)state;
	assert_true(network_parse("0.0.0.0/0", &four));
	assert_true(network_parse("::/0", &six));
	assert_true(network_has(&four, &a));
	assert_false(network_has(&four, &b));
	assert_true(network_has(&six, &b));
	assert_false(network_has(&six, &a));
}

static void
socket_addresses_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
	    {"192.0.2.1:1080", "192.0.2.1:1080"},
	    {"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
	    {"[::ffff:192.0.2.1]:0", "192.0.2.1:0"},
	};
	static const char *const refused[] = {"", ":", "192.0.2.1",
	    "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:080", "[192.0.2.1]:80",
	    "::1:80", "[::1]", "[::1]80", "::1]:80", "[::1:80", "[]:80", "[:80",
	    ":80", "localhost:80", "[fe80::1%1]:80",
	    "[0000:1111:2222:3333:4444:5555:6666:7777:8888:9999]:1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socket_address parsed;
		char text[SOCKET_ADDRESS_TEXT_SIZE];

		assert_true(socket_address_parse(rows[i].text, &parsed));
		socket_address_print(&parsed, text);
		assert_string_equal(text, rows[i].printed);
	}
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct socket_address parsed;

		assert_false(socket_address_parse(refused[i], &parsed));
	}
}

static void
socket_addresses_pass_through_the_kernels_form(void **state)
{
	static const char *const rows[] = {
	    "192.0.2.1:1080", "[2001:db8::1]:443"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct socket_address from, to;
		struct sockaddr_storage storage;
		const struct sockaddr *sockaddr =
		    (const struct sockaddr *)&storage;
		socklen_t len;

		assert_true(socket_address_parse(rows[i], &from));
		len = socket_address_to(&from, &storage);
		assert_true(len > 0);
		assert_true(socket_address_from(sockaddr, len, &to));
		assert_true(address_is_equal(&from.address, &to.address));
		assert_int_equal(from.port, to.port);
		assert_false(socket_address_from(sockaddr, len - 1, &to));
		assert_false(socket_address_from(sockaddr, 0, &to));
	}
}

static void
a_mapped_peer_is_an_ipv4_peer(void **state)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons(80),
	    .sin6_scope_id = 7,
	};
	struct socket_address peer;

	(void)state;
	assert_int_equal(
	    inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr), 1);
	assert_true(socket_address_from(
	    (const struct sockaddr *)&in6, sizeof(in6), &peer));
	assert_int_equal(peer.address.family, ADDRESS_IPV4);
	assert_int_equal(peer.port, 80);
}

static void
other_families_are_no_socket_address(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct socket_address peer, none = {.port = 1};
	struct sockaddr_storage storage;

	(void)state;
	memset(un.sun_path, 'x', sizeof(un.sun_path));
	assert_false(socket_address_from(
	    (const struct sockaddr *)&un, sizeof(un), &peer));
	assert_int_equal(socket_address_to(&none, &storage), 0);
	assert_int_equal(storage.ss_family, AF_UNSPEC);
}

static void
zeros_are_unspecified(void **state)
{
	static const char *const rows[] = {"0.0.0.1", "127.0.0.1", "::1",
	    "1::", "255.255.255.255", "10.0.0.0"};
	struct address address = {.family = ADDRESS_NONE};

	(void)state;
	assert_false(address_is_unspecified(&address));
	assert_true(address_parse("0.0.0.0", &address));
	assert_true(address_is_unspecified(&address));
	assert_true(address_parse("::", &address));
	assert_true(address_is_unspecified(&address));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_true(address_parse(rows[i], &address));
		assert_false(address_is_unspecified(&address));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeros_are_unspecified),
	    cmocka_unit_test(addresses_are_read_and_printed),
	    cmocka_unit_test(loose_addresses_are_refused),
	    cmocka_unit_test(an_absent_address_prints_as_none),
	    cmocka_unit_test(the_longest_texts_fit),
	    cmocka_unit_test(equal_means_family_and_octets),
	    cmocka_unit_test(an_ipv4_address_inside_ipv6_is_found),
	    cmocka_unit_test(every_prefix_length_is_exact),
	    cmocka_unit_test(networks_are_read_and_printed),
	    cmocka_unit_test(loose_networks_are_refused),
	    cmocka_unit_test(a_network_has_no_address_of_the_other_family),
	    cmocka_unit_test(socket_addresses_are_read_and_printed),
	    cmocka_unit_test(socket_addresses_pass_through_the_kernels_form),
	    cmocka_unit_test(a_mapped_peer_is_an_ipv4_peer),
	    cmocka_unit_test(other_families_are_no_socket_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
