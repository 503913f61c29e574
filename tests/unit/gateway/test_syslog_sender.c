/* SPDX-License-Identifier: ISC */
/* Messages to a syslog receiver that stops, dies, comes back and is moved. */
#include "tests/support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "gateway/syslog_sender.h"
#include "gateway/syslog_unacked.h"
#include "tests/support/fake_clock.h"

struct world {
	struct event_base *base;
	struct syslog_sender *sender;
	char folder[64], path[96], target[128];
	unsigned ready, broken;
	uint64_t number;  /* of the last message */
	uint64_t arrived; /* as we were told */
};

static void
on_ready(void *arg)
{
	struct world *world = arg;

	world->ready++;
}

static void
on_arrived(void *arg, uint64_t number)
{
	struct world *world = arg;

	assert_true(number > world->arrived);
	world->arrived = number;
}

static void
on_broken(void *arg)
{
	struct world *world = arg;

	world->broken++;
}

static const struct syslog_events events = {
    .ready = on_ready,
    .arrived = on_arrived,
    .broken = on_broken,
};

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	(void)snprintf(world->folder, sizeof(world->folder), "%s",
	    "/tmp/test_syslog.XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	(void)snprintf(
	    world->path, sizeof(world->path), "%s/log", world->folder);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	syslog_sender_free(world->sender);
	event_base_free(world->base);
	(void)unlink(world->path);
	assert_int_equal(rmdir(world->folder), 0);
	free(world);
	return 0;
}

static void
start(struct world *world, const char *target)
{
	world->sender =
	    syslog_sender_new(world->base, target, NULL, &events, world);
	assert_non_null(world->sender);
}

static void
start_unix(struct world *world)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "unix:%s", world->path);
	start(world, target);
}

static int
receive_unix(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, world->path, strlen(world->path));
	(void)unlink(world->path);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static enum syslog_outcome
send_text(struct world *world, const char *text)
{
	return syslog_sender_send(
	    world->sender, ++world->number, text, strlen(text));
}

static void
assert_received(int fd, const char *text)
{
	char got[256];
	ssize_t len = recv(fd, got, sizeof(got) - 1, 0);

	assert_true(len >= 0);
	got[len] = '\0';
	assert_string_equal(got, text);
}

/* Waits for the sender to say that it is worth trying again. */
static void
await_ready(struct world *world)
{
	unsigned before = world->ready;

	for (int i = 0; i < 10 && world->ready == before; i++)
		assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	assert_true(world->ready > before);
}

static void
a_datagram_is_a_message(void **state)
{
	struct world *world = *state;
	int fd = receive_unix(world);

	start_unix(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_SENT);
	assert_int_equal(send_text(world, "two"), SYSLOG_SENT);
	assert_received(fd, "one");
	assert_received(fd, "two");
	assert_int_equal(world->arrived, 2);
	assert_false(syslog_sender_is_midway(world->sender));
	(void)close(fd);
}

static void
a_receiver_that_comes_later_is_found(void **state)
{
	struct world *world = *state;
	int fd;

	start_unix(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_LATER);
	await_ready(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_LATER);
	fd = receive_unix(world);
	await_ready(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_SENT);
	assert_received(fd, "one");
	(void)close(fd);
}

static void
a_receiver_that_was_started_anew_gets_the_next_at_once(void **state)
{
	struct world *world = *state;
	int fd = receive_unix(world);

	start_unix(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_SENT);
	(void)close(fd);
	fd = receive_unix(world);
	assert_int_equal(send_text(world, "two"), SYSLOG_SENT);
	assert_received(fd, "two");
	(void)close(fd);
}

static void
a_path_that_became_another_socket_is_noticed(void **state)
{
	struct world *world = *state;
	int fd = receive_unix(world), other;

	start_unix(world);
	assert_int_equal(send_text(world, "one"), SYSLOG_SENT);
	other = receive_unix(world); /* the first one stays open */
	fake_clock_advance(1000000);
	assert_int_equal(send_text(world, "two"), SYSLOG_SENT);
	assert_received(other, "two");
	assert_received(fd, "one");
	assert_int_equal(recv(fd, &(char){0}, 1, 0), -1);
	(void)close(fd);
	(void)close(other);
}

static void
a_receiver_that_does_not_read_is_waited_for(void **state)
{
	struct world *world = *state;
	int fd = receive_unix(world), sent = 0;

	start_unix(world);
	while (send_text(world, "x") == SYSLOG_SENT)
		assert_true(++sent < 100000);
	assert_int_equal(send_text(world, "x"), SYSLOG_LATER);
	for (int i = 0; i < sent; i++)
		assert_received(fd, "x");
	await_ready(world);
	assert_int_equal(send_text(world, "y"), SYSLOG_SENT);
	assert_received(fd, "y");
	(void)close(fd);
}

static void
what_is_too_long_for_the_socket_never_goes(void **state)
{
	struct world *world = *state;
	int fd = receive_unix(world);
	size_t len = 8 * 1024 * 1024;
	char *text = calloc(len, 1);

	start_unix(world);
	assert_non_null(text);
	assert_int_equal(
	    syslog_sender_send(world->sender, 1, text, len), SYSLOG_NEVER);
	assert_int_equal(send_text(world, "next"), SYSLOG_SENT);
	assert_received(fd, "next");
	free(text);
	(void)close(fd);
}

/* TCP */

static int
listen_tcp(in_port_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = *port,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int on = 1, small = 4096;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = address.sin_port;
	return fd;
}

static void
start_tcp(struct world *world, in_port_t port)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "tcp:127.0.0.1:%u", ntohs(port));
	start(world, target);
}

static void
send_until_taken(struct world *world, const char *text)
{
	for (int i = 0; send_text(world, text) != SYSLOG_SENT; i++) {
		assert_true(i < 100);
		await_ready(world);
	}
}

static void
assert_reads(int fd, const char *text)
{
	char got[256] = "";

	assert_int_equal(
	    recv(fd, got, strlen(text), MSG_WAITALL), strlen(text));
	assert_string_equal(got, text);
}

static void
tcp_counts_octets(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;

	start_tcp(world, port);
	send_until_taken(world, "one");
	send_until_taken(world, "twenty octets long..");
	fd = accept(listener, NULL, NULL);
	assert_reads(fd, "3 one20 twenty octets long..");
	(void)close(fd);
	(void)close(listener);
}

static void
tcp_goes_on_in_the_middle_of_a_message(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;
	size_t len = 4000000, got = 0;
	char *text = malloc(len + 1), *back = malloc(len + 9);
	enum syslog_outcome outcome;

	assert_true(text != NULL && back != NULL);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 26);
	text[len] = '\0';
	start_tcp(world, port);
	while ((outcome = send_text(world, text)) == SYSLOG_LATER &&
	       !syslog_sender_is_midway(world->sender))
		await_ready(world);
	assert_int_equal(outcome, SYSLOG_LATER);
	fd = accept(listener, NULL, NULL);
	while (got < len + 8) {
		ssize_t some = recv(fd, back + got, len + 8 - got,
		    outcome == SYSLOG_SENT ? 0 : MSG_DONTWAIT);

		assert_true(some > 0 || errno == EAGAIN);
		got += some > 0 ? (size_t)some : 0;
		if (outcome == SYSLOG_LATER)
			outcome = send_text(world, text);
	}
	assert_int_equal(outcome, SYSLOG_SENT);
	assert_false(syslog_sender_is_midway(world->sender));
	assert_memory_equal(back, "4000000 ", 8);
	assert_memory_equal(back + 8, text, len);
	free(text);
	free(back);
	(void)close(fd);
	(void)close(listener);
}

static void
tcp_sends_the_whole_again_over_a_new_connection(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;
	size_t len = 4000000;
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'm', len);
	text[len] = '\0';
	start_tcp(world, port);
	while (send_text(world, text) == SYSLOG_LATER &&
	       !syslog_sender_is_midway(world->sender))
		await_ready(world);
	fd = accept(listener, NULL, NULL);
	(void)close(fd);
	await_ready(world);
	while (send_text(world, text) == SYSLOG_LATER &&
	       !syslog_sender_is_midway(world->sender))
		await_ready(world);
	fd = accept(listener, NULL, NULL);
	assert_reads(fd, "4000000 mmm");
	free(text);
	(void)close(fd);
	(void)close(listener);
}

static void
tcp_finds_a_receiver_that_comes_later(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;

	(void)close(listener);
	start_tcp(world, port);
	assert_int_equal(send_text(world, "one"), SYSLOG_LATER);
	await_ready(world);
	listener = listen_tcp(&port);
	send_until_taken(world, "one");
	fd = accept(listener, NULL, NULL);
	assert_reads(fd, "3 one");
	(void)close(fd);
	(void)close(listener);
}

/* ---- what has arrived */

#define RECORD "a record of thirty-two octets..." /* with its count 35 */

static void
await_arrival(struct world *world, uint64_t number)
{
	for (int i = 0; i < 50 && world->arrived < number; i++)
		assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	assert_int_equal(world->arrived, number);
}

static void
tcp_says_what_has_arrived(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port);

	start_tcp(world, port);
	send_until_taken(world, RECORD);
	await_arrival(world, world->number);
	send_until_taken(world, RECORD);
	send_until_taken(world, RECORD);
	await_arrival(world, world->number);
	assert_int_equal(world->broken, 0);
	(void)close(listener);
}

/* The receiver's host takes what its buffer holds, and acknowledges that; what
 * waits in ours behind it dies with the connection. */
static void
tcp_says_that_what_has_not_arrived_is_lost(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;
	uint64_t first, sent = 0;
	char octets[35];

	start_tcp(world, port);
	send_until_taken(world, RECORD);
	first = world->number; /* it took some tries */
	fd = accept(listener, NULL, NULL);
	while (send_text(world, RECORD) == SYSLOG_SENT)
		sent = world->number;
	for (int i = 0; i < 3; i++) /* looks are due */
		assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	assert_true(world->arrived > 0 && world->arrived < sent);
	(void)close(listener);
	/* All that is said to have arrived can be read. */
	for (uint64_t n = first; n <= world->arrived; n++)
		assert_int_equal(recv(fd, octets, sizeof(octets),
				     MSG_WAITALL | MSG_DONTWAIT),
		    sizeof(octets));
	(void)close(fd);
	for (int i = 0; i < 50 && world->broken == 0; i++)
		assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	assert_int_equal(world->broken, 1);
	assert_true(world->arrived < sent);
}

static void
a_connection_that_has_nothing_on_its_way_breaks_quietly(void **state)
{
	struct world *world = *state;
	in_port_t port = 0;
	int listener = listen_tcp(&port), fd;
	unsigned ready;

	start_tcp(world, port);
	send_until_taken(world, RECORD);
	await_arrival(world, world->number);
	fd = accept(listener, NULL, NULL);
	ready = world->ready;
	(void)close(fd);
	while (world->ready == ready)
		assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	assert_int_equal(world->broken, 0);
	(void)close(listener);
}

static void
messages_end_where_the_stream_was(void **state)
{
	struct syslog_unacked *unacked = syslog_unacked_new();
	uint64_t number = 0;

	(void)state;
	assert_true(syslog_unacked_is_empty(unacked));
	syslog_unacked_add(unacked, 5, 100);
	syslog_unacked_add(unacked, 7, 200);
	syslog_unacked_add(unacked, 8, 300);
	assert_false(syslog_unacked_confirm(unacked, 99, &number));
	assert_true(syslog_unacked_confirm(unacked, 299, &number));
	assert_int_equal(number, 7);
	assert_false(syslog_unacked_confirm(unacked, 299, &number));
	assert_false(syslog_unacked_is_empty(unacked));
	assert_true(syslog_unacked_confirm(unacked, 300, &number));
	assert_int_equal(number, 8);
	assert_true(syslog_unacked_is_empty(unacked));
	syslog_unacked_add(unacked, 9, 400);
	syslog_unacked_free(unacked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_datagram_is_a_message),
	    TEST(a_receiver_that_comes_later_is_found),
	    TEST(a_receiver_that_was_started_anew_gets_the_next_at_once),
	    TEST(a_path_that_became_another_socket_is_noticed),
	    TEST(a_receiver_that_does_not_read_is_waited_for),
	    TEST(what_is_too_long_for_the_socket_never_goes),
	    TEST(tcp_counts_octets),
	    TEST(tcp_goes_on_in_the_middle_of_a_message),
	    TEST(tcp_sends_the_whole_again_over_a_new_connection),
	    TEST(tcp_finds_a_receiver_that_comes_later),
	    TEST(tcp_says_what_has_arrived),
	    TEST(tcp_says_that_what_has_not_arrived_is_lost),
	    TEST(a_connection_that_has_nothing_on_its_way_breaks_quietly),
	    cmocka_unit_test(messages_end_where_the_stream_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
