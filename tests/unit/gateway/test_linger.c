/* SPDX-License-Identifier: ISC */
/* Connections are closed so that the last reply arrives, and not too late. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "gateway/linger.h"

#define MORE_THAN_WAIT 513

static struct event_base *base;
static struct lingers *lingers;

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	lingers = lingers_new(base);
	return base != NULL && lingers != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	lingers_free(lingers);
	event_base_free(base);
	return 0;
}

/* The client's end of a connection that lingers with `reply` to be sent. */
static int
linger(const char *reply, size_t len)
{
	struct bufferevent *bev;
	int ends[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	bev = bufferevent_socket_new(base, ends[1], BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(bev);
	assert_int_equal(bufferevent_write(bev, reply, len), 0);
	lingers_add(lingers, bev);
	return ends[0];
}

static bool
is_open(int client)
{
	return send(client, "x", 1, MSG_NOSIGNAL) == 1;
}

static void
run_ms(unsigned ms)
{
	const struct timeval while_running = {
	    (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

	assert_int_equal(event_base_loopexit(base, &while_running), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

static void
the_reply_is_followed_by_the_end_and_then_by_the_close(void **state)
{
	int client = linger("no", 2);
	char data[8];

	(void)state;
	run_ms(100);
	assert_int_equal(recv(client, data, sizeof(data), 0), 2);
	assert_int_equal(recv(client, data, sizeof(data), 0), 0);
	/* What the client still says is taken, so that no reset is due. */
	assert_true(is_open(client));
	run_ms(1000);
	assert_true(is_open(client));
	run_ms(1500);
	assert_false(is_open(client));
	(void)close(client);
}

static void
a_client_that_closes_is_let_go_at_once(void **state)
{
	int client = linger("no", 2);

	(void)state;
	run_ms(10);
	(void)close(client);
	/* Nothing is left to wait for. */
	assert_int_equal(event_base_dispatch(base), 1);
}

static void
a_client_that_has_finished_gets_its_reply(void **state)
{
	int client = linger("no", 2);
	char data[8];

	(void)state;
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	run_ms(10);
	assert_int_equal(recv(client, data, sizeof(data), 0), 2);
	assert_int_equal(recv(client, data, sizeof(data), 0), 0);
	(void)close(client);
}

static void
a_client_that_reads_nothing_is_closed_within_ten_seconds(void **state)
{
	static const char much[1 << 20];
	int client = linger(much, sizeof(much));
	uint64_t began = clock_monotonic_us();

	(void)state;
	/* Until nothing lingers. */
	assert_int_equal(event_base_dispatch(base), 1);
	assert_true(clock_monotonic_us() - began < 8000000);
	assert_false(is_open(client));
	(void)close(client);
}

static void
too_many_push_out_the_oldest(void **state)
{
	int first = linger("", 0), second = linger("", 0);

	(void)state;
	for (int i = 3; i < MORE_THAN_WAIT; i++)
		(void)close(linger("", 0));
	assert_true(is_open(first));
	(void)close(linger("", 0));
	run_ms(10);
	assert_false(is_open(first));
	assert_true(is_open(second));
	(void)close(first);
	(void)close(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(the_reply_is_followed_by_the_end_and_then_by_the_close),
	    TEST(a_client_that_closes_is_let_go_at_once),
	    TEST(a_client_that_has_finished_gets_its_reply),
	    TEST(a_client_that_reads_nothing_is_closed_within_ten_seconds),
	    TEST(too_many_push_out_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
