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
#include "gateway/counters.h"

static struct event_base *base;
static struct counters counters;
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
	acceptor = acceptor_new(
	    base, listening_socket(), &counters, on_accepted, &base);
	assert_non_null(acceptor);
	for (int i = 0; i < 20; i++)
		fds[i] = knock();
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(accepted, 20);
	assert_int_equal(counters_get(&counters, COUNTER_ACCEPTED), 20);
	assert_int_equal(last_client.address.family, ADDRESS_IPV4);
	for (int i = 0; i < 20; i++)
		(void)close(fds[i]);
	acceptor_free(acceptor);
	event_base_free(base);
}

/* The lowest limit under which no number is free. */
static struct rlimit
use_up_descriptors(void)
{
	struct rlimit before, none;
	int spare = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)spare;
	(void)close(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void
turn_for(unsigned ms)
{
	struct timeval some = {0, (suseconds_t)ms * 1000};

	(void)event_base_loopexit(base, &some);
	(void)event_base_loop(base, 0);
}

static bool
is_closed(int fd)
{
	char octet;

	return recv(fd, &octet, 1, MSG_DONTWAIT) == 0;
}

static void
without_descriptors_it_turns_away_pauses_and_goes_on(void **state)
{
	struct acceptor *acceptor;
	struct rlimit before;
	int first[3], later, opened;

	(void)state;
	accepted = 0;
	memset(&counters, 0, sizeof(counters));
	base = event_base_new();
	acceptor = acceptor_new(
	    base, listening_socket(), &counters, on_accepted, &base);
	for (int i = 0; i < 3; i++)
		first[i] = knock();
	later = socket(AF_INET, SOCK_STREAM, 0);
	before = use_up_descriptors();
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(accepted, 0);
	assert_int_equal(counters_get(&counters, COUNTER_TURNED_AWAY), 3);
	assert_int_equal(counters_get(&counters, COUNTER_ACCEPT_PAUSES), 1);
	for (int i = 0; i < 3; i++)
		assert_true(is_closed(first[i]));
	/* It pauses: the loop has nothing to do but wait. */
	assert_int_equal(
	    connect(later, (struct sockaddr *)&where, where_len), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
	assert_int_equal(counters_get(&counters, COUNTER_TURNED_AWAY), 3);
	/* The reserve is kept: the next has no chance either. */
	opened = dup(0);
	assert_int_equal(opened, -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 20 && accepted == 0; i++)
		turn_for(50);
	assert_int_equal(accepted, 1);
	for (int i = 0; i < 3; i++)
		(void)close(first[i]);
	(void)close(later);
	acceptor_free(acceptor);
	event_base_free(base);
}

/* Somebody else takes the reserve while it is given up for a moment. */
static void
a_reserve_that_was_lost_comes_back(void **state)
{
	struct acceptor *acceptor;
	struct rlimit before, less;
	int fd;

	(void)state;
	accepted = 0;
	memset(&counters, 0, sizeof(counters));
	base = event_base_new();
	before = use_up_descriptors();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	fd = listening_socket();
	less = before;
	less.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	/* Without a descriptor for it there is no reserve to begin with. */
	acceptor = acceptor_new(base, fd, &counters, on_accepted, &base);
	assert_non_null(acceptor);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	fd = knock();
	before = use_up_descriptors();
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(counters_get(&counters, COUNTER_ACCEPT_PAUSES), 1);
	assert_int_equal(counters_get(&counters, COUNTER_TURNED_AWAY), 0);
	assert_false(is_closed(fd));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 20 && accepted == 0; i++)
		turn_for(50);
	assert_int_equal(accepted, 1);
	/* And is there for the next shortage. */
	(void)close(fd);
	fd = knock();
	before = use_up_descriptors();
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(counters_get(&counters, COUNTER_TURNED_AWAY), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	(void)close(fd);
	acceptor_free(acceptor);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_who_knock_are_accepted),
	    cmocka_unit_test(
		without_descriptors_it_turns_away_pauses_and_goes_on),
	    cmocka_unit_test(a_reserve_that_was_lost_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
