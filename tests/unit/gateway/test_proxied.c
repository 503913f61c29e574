/* SPDX-License-Identifier: ISC */
/* The header of a load balancer is read from a socket, and nothing more. */
#include "tests/support/unit.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "gateway/proxied.h"
#include "gateway/settings.h"

static struct event_base *base;
static int balancer; /* its end of the connection */
static struct proxied *proxied;

static struct {
	unsigned count;
	enum reason reason;
	int fd;
	struct proxy_header header;
} heard;

static void
on_done(
    void *arg, enum reason reason, int fd, const struct proxy_header *header)
{
	assert_ptr_equal(arg, &heard);
	proxied = NULL;
	heard.count++;
	heard.reason = reason;
	heard.fd = fd;
	if (header != NULL)
		heard.header = *header;
	assert_int_equal(header != NULL, reason == REASON_OK);
	assert_int_equal(fd >= 0, reason == REASON_OK);
}

static void
start(void)
{
	int ends[2];

	memset(&heard, 0, sizeof(heard));
	heard.fd = -1;
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
	    0);
	balancer = ends[0];
	proxied = proxied_start(base, ends[1], on_done, &heard);
	assert_non_null(proxied);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	start();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	proxied_cancel(proxied);
	proxied = NULL;
	if (balancer >= 0)
		(void)close(balancer);
	if (heard.fd >= 0)
		(void)close(heard.fd);
	event_base_free(base);
	return 0;
}

static void
say(const void *octets, size_t len)
{
	assert_int_equal(send(balancer, octets, len, MSG_NOSIGNAL), (int)len);
	for (int i = 0; i < 3; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

#define LINE "PROXY TCP4 192.0.2.1 198.51.100.1 4711 1080\r\n"
#define BINARY                                                                 \
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\x12\x67\4" \
	"\x38"
#define OCTETS(literal) literal, sizeof(literal) - 1

/* Cut in two at each place, with what is the client's behind it. */
static void
is_read_to_its_last_octet(const char *header, size_t len)
{
	char octets[128], rest[8];

	memcpy(octets, header, len);
	memcpy(octets + len, "\5\1\1", 3);
	for (size_t cut = 0; cut <= len + 3; cut++) {
		(void)tear_down(NULL);
		(void)set_up(NULL);
		say(octets, cut);
		assert_int_equal(heard.count, cut >= len);
		say(octets + cut, len + 3 - cut);
		assert_int_equal(heard.count, 1);
		assert_int_equal(heard.reason, REASON_OK);
		assert_int_equal(heard.header.origin, PROXY_CLIENT);
		assert_int_equal(heard.header.client.port, 4711);
		assert_int_equal(recv(heard.fd, rest, sizeof(rest), 0), 3);
		assert_memory_equal(rest, "\5\1\1", 3);
	}
}

static void
what_follows_the_header_is_left_alone(void **state)
{
	(void)state;
	is_read_to_its_last_octet(OCTETS(LINE));
	is_read_to_its_last_octet(OCTETS(BINARY));
}

static void
an_octet_at_a_time_will_do(void **state)
{
	static const char octets[] = BINARY;

	(void)state;
	for (size_t i = 0; i < sizeof(octets) - 1; i++) {
		assert_int_equal(heard.count, 0);
		say(octets + i, 1);
	}
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.reason, REASON_OK);
}

/* What is the header's is taken, so that the loop has nothing to do. */
static void
half_a_header_makes_nobody_spin(void **state)
{
	(void)state;
	say(LINE, 20);
	turn();
	assert_int_equal(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
	assert_int_equal(heard.count, 0);
	(void)close(balancer);
	balancer = -1;
	turn();
	assert_int_equal(heard.reason, REASON_TRUNCATED);
}

static void
who_closes_without_an_octet_has_only_looked(void **state)
{
	(void)state;
	(void)close(balancer);
	balancer = -1;
	turn();
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.reason, REASON_CLIENT_CLOSED);
}

static void
anything_else_is_refused(void **state)
{
	(void)state;
	say("\5\1\1", 3);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.reason, REASON_BAD_PROXY_HEADER);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	say(OCTETS("PROXY TCP4 192.0.2.1 198.51.100.1 4711 99999\r\n"));
	assert_int_equal(heard.reason, REASON_BAD_PROXY_HEADER);
}

static void
a_cancelled_one_is_silent(void **state)
{
	(void)state;
	say(LINE, 20);
	proxied_cancel(proxied);
	proxied = NULL;
	turn();
	assert_int_equal(heard.count, 0);
	assert_int_equal(send(balancer, "x", 1, MSG_NOSIGNAL), -1);
	proxied_cancel(NULL);
}

/* A connection over TCP, whose balancer resets it. */
static void
a_reset_without_an_octet_has_only_looked(void **state)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_in where = {.sin_family = AF_INET};
	socklen_t len = sizeof(where);
	int listening = socket(AF_INET, SOCK_STREAM, 0), fd;

	(void)state;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(listening, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(
	    getsockname(listening, (struct sockaddr *)&where, &len), 0);
	(void)close(balancer);
	proxied_cancel(proxied);
	balancer = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(balancer, (struct sockaddr *)&where, len), 0);
	fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	(void)close(listening);
	proxied = proxied_start(base, fd, on_done, &heard);
	assert_non_null(proxied);
	assert_int_equal(setsockopt(balancer, SOL_SOCKET, SO_LINGER, &at_once,
			     sizeof(at_once)),
	    0);
	(void)close(balancer);
	balancer = -1;
	turn();
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.reason, REASON_CLIENT_RESET);
}

static void
balancers_are_known_by_their_network(void **state)
{
	struct listener_settings listener = {.balancers = {.count = 2}};
	struct address address;

	(void)state;
	assert_true(
	    network_parse("192.0.2.0/24", &listener.balancers.networks[0]));
	assert_true(
	    network_parse("2001:db8::/32", &listener.balancers.networks[1]));
	assert_true(address_parse("192.0.2.7", &address));
	assert_true(proxied_is_due(&listener, &address));
	assert_true(address_parse("2001:db8::1", &address));
	assert_true(proxied_is_due(&listener, &address));
	assert_true(address_parse("192.0.3.7", &address));
	assert_false(proxied_is_due(&listener, &address));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_follows_the_header_is_left_alone),
	    TEST(an_octet_at_a_time_will_do),
	    TEST(half_a_header_makes_nobody_spin),
	    TEST(who_closes_without_an_octet_has_only_looked),
	    TEST(anything_else_is_refused),
	    TEST(a_cancelled_one_is_silent),
	    TEST(a_reset_without_an_octet_has_only_looked),
	    TEST(balancers_are_known_by_their_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
