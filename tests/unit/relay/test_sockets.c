/* SPDX-License-Identifier: ISC */
/* Ports of a range, each once; and where sockets are. */
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/sockets.h"

int __wrap_socket(int domain, int type, int protocol);
int __real_socket(int domain, int type, int protocol);

static int socket_errno;

int
__wrap_socket(int domain, int type, int protocol)
{
	if (socket_errno == 0)
		return __real_socket(domain, type, protocol);
	errno = socket_errno;
	return -1;
}

struct ports {
	unsigned tried, seen[65536];
	int answer;
	uint16_t first, free; /* free: 0 for none */
};

static int
take(void *arg, uint16_t port)
{
	struct ports *ports = arg;

	if (ports->tried++ == 0)
		ports->first = port;
	ports->seen[port]++;
	return port == ports->free && port != 0 ? 0 : ports->answer;
}

static void
each_port_of_a_range_is_tried_once(void **state)
{
	static struct ports ports;

	(void)state;
	ports = (struct ports){.answer = EADDRINUSE};
	assert_int_equal(
	    sockets_try_ports(65526, 65535, take, &ports), EADDRINUSE);
	assert_int_equal(ports.tried, 10);
	for (unsigned port = 65526; port <= 65535; port++)
		assert_int_equal(ports.seen[port], 1);
	ports = (struct ports){.answer = EADDRINUSE, .free = 1003};
	assert_int_equal(sockets_try_ports(1000, 1003, take, &ports), 0);
	assert_int_equal(ports.seen[1003], 1);
}

static void
a_range_has_an_end_and_errors_are_one(void **state)
{
	static struct ports ports;

	(void)state;
	ports = (struct ports){.answer = EADDRINUSE};
	assert_int_equal(sockets_try_ports(1, 65535, take, &ports), EADDRINUSE);
	assert_int_equal(ports.tried, SOCKETS_PORTS_TRIED);
	ports = (struct ports){.answer = EACCES};
	assert_int_equal(sockets_try_ports(1, 65535, take, &ports), EACCES);
	assert_int_equal(ports.tried, 1);
	ports = (struct ports){.answer = 0};
	assert_int_equal(sockets_try_ports(0, 0, take, &ports), 0);
	assert_int_equal(ports.seen[0], 1);
}

static void
nobody_can_guess_the_first(void **state)
{
	static struct ports ports;
	unsigned different = 0;
	uint16_t before = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		ports = (struct ports){.answer = 0};
		assert_int_equal(
		    sockets_try_ports(20000, 60000, take, &ports), 0);
		different += ports.first != before;
		before = ports.first;
	}
	assert_true(different > 15);
}

static void
our_address_on_the_way_to_a_peer_is_the_routes(void **state)
{
	static const char *const here[] = {"127.0.0.1", "::1"};
	struct address peer, local;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(here); i++) {
		assert_true(address_parse(here[i], &peer));
		assert_int_equal(sockets_local_towards(&peer, &local), 0);
		assert_true(address_is_equal(&local, &peer));
	}
	assert_true(address_parse("255.255.255.255", &peer));
	assert_int_equal(sockets_local_towards(&peer, &local), EACCES);
	socket_errno = EMFILE;
	assert_int_equal(sockets_local_towards(&peer, &local), EMFILE);
	socket_errno = 0;
}

static void
where_a_socket_is_bound_is_asked(void **state)
{
	struct socket_address local;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(sockets_local(fd, &local), 0);
	assert_int_equal(local.port, 0);
	assert_true(address_is_unspecified(&local.address));
	(void)close(fd);
	assert_int_equal(sockets_local(fd, &local), EBADF);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(sockets_local(fd, &local), EAFNOSUPPORT);
	(void)close(fd);
}

static void
a_shortage_is_nobodys_fault(void **state)
{
	(void)state;
	assert_true(sockets_is_shortage(EMFILE));
	assert_true(sockets_is_shortage(ENOBUFS));
	assert_false(sockets_is_shortage(ECONNABORTED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_port_of_a_range_is_tried_once),
	    cmocka_unit_test(a_range_has_an_end_and_errors_are_one),
	    cmocka_unit_test(nobody_can_guess_the_first),
	    cmocka_unit_test(our_address_on_the_way_to_a_peer_is_the_routes),
	    cmocka_unit_test(where_a_socket_is_bound_is_asked),
	    cmocka_unit_test(a_shortage_is_nobodys_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
