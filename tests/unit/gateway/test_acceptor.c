/* SPDX-License-Identifier: ISC */
/* Accepting, and what happens when no descriptor is left. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "gateway/acceptor.h"

static struct event_base *base;
static struct sockaddr_storage where;
static socklen_t where_len;
static unsigned accepted;
static struct socket_address last_client;

static void
on_accepted(void *arg, int fd, const struct socket_address *client)
{
	assert_ptr_equal(arg, &base);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	last_client = *client;
	accepted++;
	(void)close(fd);
}

static int
listening_socket(void)
{
	struct socket_address loopback = {.port = 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(address_parse("127.0.0.1", &loopback.address));
	where_len = socket_address_to(&loopback, &where);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, where_len), 0);
	assert_int_equal(listen(fd, 64), 0);
	where_len = sizeof(where);
	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&where, &where_len), 0);
	return fd;
}

static int
knock(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&where, where_len), 0);
	return fd;
}

static void
all_who_knock_are_accepted(void **state)
{
	struct acceptor *acceptor;
	int fds[20];

	(void)state;
	accepted = 0;
	base = event_base_new();
	acceptor = acceptor_new(base, listening_socket(), on_accepted, &base);
	assert_non_null(acceptor);
	for (int i = 0; i < 20; i++)
		fds[i] = knock();
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(accepted, 20);
	assert_int_equal(last_client.address.family, ADDRESS_IPV4);
	for (int i = 0; i < 20; i++)
		(void)close(fds[i]);
	acceptor_free(acceptor);
	event_base_free(base);
}

static void
without_descriptors_it_pauses_and_goes_on(void **state)
{
	struct rlimit before, none;
	struct acceptor *acceptor;
	struct timeval half = {0, 50000};
	int fd, spare;

	(void)state;
	accepted = 0;
	base = event_base_new();
	acceptor = acceptor_new(base, listening_socket(), on_accepted, &base);
	fd = knock();
	spare = dup(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)spare; /* no number below is free */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	/* It pauses: the loop has nothing to do but wait. */
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(accepted, 0);
	assert_int_equal(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 20 && accepted == 0; i++) {
		(void)event_base_loopexit(base, &half);
		(void)event_base_loop(base, 0);
	}
	assert_int_equal(accepted, 1);
	(void)close(fd);
	(void)close(spare);
	acceptor_free(acceptor);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_who_knock_are_accepted),
	    cmocka_unit_test(without_descriptors_it_pauses_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
