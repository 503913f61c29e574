/* SPDX-License-Identifier: ISC */
/* An association on loopback: real sockets, a clock that the test sets. */
#include "tests/support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"
#include "relay/association.h"
#include "relay/datagrams.h"
#include "relay/destinations.h"
#include "relay/rate.h"
#include "tests/support/fake_clock.h"
#include "tests/support/toy_seal.h"

#define HEADER	10 /* of a datagram to or from an IPv4 address */
#define LARGEST 65507

int __wrap_socket(int domain, int type, int protocol);
int __real_socket(int domain, int type, int protocol);

static int socket_errno;

int
__wrap_socket(int domain, int type, int protocol)
{
	if (socket_errno != 0) {
		errno = socket_errno;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

struct world {
	struct event_base *base;
	struct association_settings settings;
	struct association *association;
	struct association_counts counts;
	int client, target;
	struct socket_address client_at, target_at;
	enum reason ended; /* REASON_OK: not yet */
	unsigned notices;
	struct association_counts noticed;

	/* What the judge says next, and what it was asked. */
	struct association_answer answer;
	unsigned asked;
	struct association_question question;
	struct endpoint asked_for;
};

static uint8_t received[DATAGRAM_SIZE];

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static int
socket_at(const char *text, struct socket_address *at)
{
	struct address local = address(text);
	int fd = datagrams_socket(&local, 0, 0, at);

	assert_true(fd >= 0);
	return fd;
}

static struct association_answer
on_question(void *arg, const struct association_question *question)
{
	struct world *world = arg;
	struct association_answer answer = world->answer;

	world->asked++;
	world->question = *question;
	world->asked_for = *question->asked;
	if (answer.ruling == RULING_PERMIT &&
	    question->asked->kind == ENDPOINT_ADDRESS)
		answer.address = question->asked->address;
	return answer;
}

static void
on_done(void *arg, enum reason reason)
{
	((struct world *)arg)->ended = reason;
}

static void
on_notice(void *arg, const struct association_counts *so_far)
{
	struct world *world = arg;

	world->notices++;
	world->noticed = *so_far;
}

static struct association_owner
owner_of(struct world *world)
{
	return (struct association_owner){
	    on_question, on_notice, on_done, world};
}

static struct world
world_with(const char *client, const char *target)
{
	struct world world = {
	    .answer = {.ruling = RULING_PERMIT, .expires_us = UINT64_MAX}};

	socket_errno = 0;
	world.base = event_base_new();
	assert_non_null(world.base);
	world.client = socket_at(client, &world.client_at);
	world.target = socket_at(target, &world.target_at);
	world.settings = (struct association_settings){
	    .local = address(client),
	    .client = {world.client_at.address, 0},
	    .destinations_max = 64,
	    .new_max = 1000,
	};
	return world;
}

/* The world must not move from here on. */
static void
open_it(struct world *world, struct seal *seal)
{
	struct association_owner owner = owner_of(world);
	enum reason why;

	world->association =
	    association_open(world->base, &world->settings, &owner, &why);
	assert_non_null(world->association);
	assert_int_equal(
	    association_start(world->association, seal), REASON_OK);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Until a datagram that was sent has come, however late the kernel is. */
static void
run(struct world *world)
{
	const struct timeval patience = {.tv_sec = 5};
	struct event *timer = evtimer_new(world->base, on_patience, NULL);

	assert_non_null(timer);
	assert_int_equal(evtimer_add(timer, &patience), 0);
	assert_true(event_base_loop(world->base, EVLOOP_ONCE) >= 0);
	event_free(timer);
	for (int i = 0; i < 3; i++)
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
}

static void
send_octets(
    int fd, const void *octets, size_t len, const struct socket_address *to)
{
	struct sockaddr_storage storage;
	socklen_t size = socket_address_to(to, &storage);

	assert_int_equal(
	    sendto(fd, octets, len, 0, (struct sockaddr *)&storage, size),
	    (ssize_t)len);
}

/* The length, or -1 if there is nothing now. */
static ssize_t
look(int fd, struct socket_address *from)
{
	struct sockaddr_storage storage;
	socklen_t size = sizeof(storage);
	ssize_t len = recvfrom(fd, received, sizeof(received), MSG_DONTWAIT,
	    (struct sockaddr *)&storage, &size);
	struct socket_address ignored;

	if (len >= 0)
		assert_true(socket_address_from((struct sockaddr *)&storage,
		    size, from == NULL ? &ignored : from));
	return len;
}

static void
assert_nothing(int fd)
{
	assert_int_equal(look(fd, NULL), -1);
}

/* What must come, however late the kernel is. */
static ssize_t
receive(int fd, struct socket_address *from)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&readable, 1, 5000), 1);
	return look(fd, from);
}

static size_t
message(uint8_t *out, uint8_t frag, const struct endpoint *to,
    const void *payload, size_t len)
{
	const struct socks5_udp header = {.frag = frag, .peer = *to};
	size_t header_len = socks5_udp_print(out, &header);

	memcpy(out + header_len, payload, len);
	return header_len + len;
}

static void
put(struct world *world, int fd, const void *octets, size_t len,
    const struct socket_address *to)
{
	send_octets(fd, octets, len, to);
	run(world);
}

static void
send_from(struct world *world, int fd, uint8_t frag, const struct endpoint *to,
    const void *payload, size_t len)
{
	static uint8_t out[DATAGRAM_SIZE];
	struct socket_address bound = association_bound(world->association);

	len = message(out, frag, to, payload, len);
	put(world, fd, out, len, &bound);
}

static struct endpoint
endpoint_of(const struct socket_address *at)
{
	return endpoint_from_address(&at->address, at->port);
}

static void
send_text(struct world *world, const char *text)
{
	struct endpoint to = endpoint_of(&world->target_at);

	send_from(world, world->client, 0, &to, text, strlen(text));
}

static struct endpoint
name_of(struct world *world, const char *name)
{
	struct endpoint to;

	assert_true(
	    endpoint_from_name(name, strlen(name), world->target_at.port, &to));
	return to;
}

static void
assert_target_got(struct world *world, const char *text)
{
	assert_int_equal(receive(world->target, NULL), (ssize_t)strlen(text));
	assert_memory_equal(received, text, strlen(text));
}

static void
assert_target_got_nothing(struct world *world)
{
	assert_nothing(world->target);
}

static void
assert_target_got_just(struct world *world, unsigned count)
{
	while (count-- > 0)
		(void)receive(world->target, NULL);
	assert_nothing(world->target);
}

static uint64_t
dropped(struct world *world, enum association_drop drop)
{
	struct association_counts counts;

	/* The counts are told at the end only. */
	association_close(world->association, &counts);
	world->association = NULL;
	for (int i = 0; i < DROP_COUNT; i++)
		if (i != (int)drop && counts.drops[i] != 0)
			fail_msg("%s %llu",
			    association_drop_name((enum association_drop)i),
			    (unsigned long long)counts.drops[i]);
	world->counts = counts;
	return counts.drops[drop];
}

static void
end(struct world *world)
{
	association_close(world->association, NULL);
	(void)close(world->client);
	(void)close(world->target);
	event_base_free(world->base);
}

static void
datagrams_go_both_ways(void **state)
{
	static const size_t sizes[] = {0, 1, 1472, 9000, LARGEST - HEADER};
	static uint8_t payload[LARGEST];
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);
	uint64_t octets = 0;

	(void)state;
	open_it(&world, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct socket_address from;
		struct socks5_udp header;
		size_t consumed;
		enum reason why;

		memset(payload, (int)i + 1, sizeof(payload));
		send_from(&world, world.client, 0, &to, payload, sizes[i]);
		assert_int_equal(
		    receive(world.target, &from), (ssize_t)sizes[i]);
		assert_memory_equal(received, payload, sizes[i]);
		put(&world, world.target, payload, sizes[i], &from);
		assert_int_equal(
		    receive(world.client, &from), (ssize_t)(HEADER + sizes[i]));
		assert_int_equal(
		    from.port, association_bound(world.association).port);
		assert_int_equal(socks5_udp_parse(received, HEADER + sizes[i],
				     &consumed, &header, &why),
		    PARSE_DONE);
		assert_int_equal(consumed, HEADER);
		assert_int_equal(header.frag, 0);
		assert_int_equal(header.peer.port, world.target_at.port);
		assert_true(address_is_equal(
		    &header.peer.address, &world.target_at.address));
		assert_memory_equal(received + HEADER, payload, sizes[i]);
		octets += sizes[i];
	}
	assert_int_equal(world.asked, 1);
	assert_int_equal(dropped(&world, DROP_COUNT - 1), 0);
	assert_int_equal(world.counts.datagrams_to_target, ARRAY_COUNT(sizes));
	assert_int_equal(world.counts.datagrams_to_client, ARRAY_COUNT(sizes));
	assert_int_equal(world.counts.bytes_to_target, octets);
	assert_int_equal(world.counts.bytes_to_client, octets);
	end(&world);
}

static void
ipv6_goes_both_ways(void **state)
{
	struct world world = world_with("::1", "::1");
	struct socket_address from;

	(void)state;
	open_it(&world, NULL);
	send_text(&world, "six");
	assert_int_equal(receive(world.target, &from), 3);
	put(&world, world.target, "seven", 5, &from);
	assert_int_equal(receive(world.client, NULL), 22 + 5);
	assert_memory_equal(received + 22, "seven", 5);
	end(&world);
}

static void
many_come_in_one_go(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);
	uint8_t out[HEADER + 1];
	struct socket_address bound;

	(void)state;
	open_it(&world, NULL);
	bound = association_bound(world.association);
	for (uint8_t i = 0; i < 100; i++)
		send_octets(
		    world.client, out, message(out, 0, &to, &i, 1), &bound);
	for (uint8_t i = 0; i < 100; i++) {
		while (look(world.target, NULL) < 0)
			run(&world);
		assert_int_equal(received[0], i);
	}
	end(&world);
}

static void
others_than_the_client_are_not_heard(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);
	struct socket_address at;
	int stranger = socket_at("127.0.0.3", &at);
	int neighbour = socket_at("127.0.0.1", &at);

	(void)state;
	open_it(&world, NULL);
	/* Another address, before the client's port is known and after. */
	send_from(&world, stranger, 0, &to, "x", 1);
	assert_target_got_nothing(&world);
	send_text(&world, "mine");
	assert_target_got(&world, "mine");
	send_from(&world, stranger, 0, &to, "x", 1);
	/* The client's address, but another port. */
	send_from(&world, neighbour, 0, &to, "x", 1);
	assert_target_got_nothing(&world);
	assert_nothing(stranger);
	assert_nothing(neighbour);
	send_text(&world, "still");
	assert_target_got(&world, "still");
	assert_int_equal(dropped(&world, DROP_SOURCE), 3);
	(void)close(stranger);
	(void)close(neighbour);
	end(&world);
}

static void
an_announced_port_is_the_only_one(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);
	struct socket_address at;
	int neighbour = socket_at("127.0.0.1", &at);

	(void)state;
	world.settings.client.port = world.client_at.port;
	open_it(&world, NULL);
	send_from(&world, neighbour, 0, &to, "x", 1);
	assert_target_got_nothing(&world);
	send_text(&world, "mine");
	assert_target_got(&world, "mine");
	assert_int_equal(dropped(&world, DROP_SOURCE), 1);
	(void)close(neighbour);
	end(&world);
}

static void
noise_before_the_first_good_datagram_does_no_harm(void **state)
{
	static const char *const noise[] = {"", "\0", "\0\0\0\1\177",
	    "\5\1\0\1\177\0\0\1\0\65hello", "\1\3\0\1x", "GET / HTTP/1.1"};
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address at, bound;
	int neighbour = socket_at("127.0.0.1", &at);

	(void)state;
	open_it(&world, NULL);
	bound = association_bound(world.association);
	for (size_t i = 0; i < ARRAY_COUNT(noise); i++) {
		put(&world, neighbour, noise[i], i == 1 ? 1 : strlen(noise[i]),
		    &bound);
		put(&world, neighbour, noise[i], 0, &bound);
	}
	assert_nothing(neighbour);
	send_text(&world, "mine");
	assert_target_got(&world, "mine");
	assert_int_equal(
	    dropped(&world, DROP_MALFORMED), 2 * ARRAY_COUNT(noise));
	(void)close(neighbour);
	end(&world);
}

static void
only_who_was_sent_to_is_heard(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address from, at;
	int elsewhere = socket_at("127.0.0.2", &at); /* another port */
	int other = socket_at("127.0.0.3", &at);

	(void)state;
	open_it(&world, NULL);
	send_text(&world, "ask");
	assert_int_equal(receive(world.target, &from), 3);
	put(&world, elsewhere, "x", 1, &from);
	put(&world, other, "x", 1, &from);
	assert_nothing(world.client);
	put(&world, world.target, "answer", 6, &from);
	assert_int_equal(receive(world.client, NULL), HEADER + 6);
	assert_int_equal(dropped(&world, DROP_STRANGER), 2);
	(void)close(elsewhere);
	(void)close(other);
	end(&world);
}

static void
answers_that_do_not_fit_are_dropped(void **state)
{
	static uint8_t large[LARGEST];
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address from;

	(void)state;
	open_it(&world, NULL);
	send_text(&world, "ask");
	assert_int_equal(receive(world.target, &from), 3);
	put(&world, world.target, large, LARGEST, &from);
	put(&world, world.target, large, LARGEST - HEADER + 1, &from);
	assert_nothing(world.client);
	put(&world, world.target, large, LARGEST - HEADER, &from);
	assert_int_equal(receive(world.client, NULL), LARGEST);
	assert_int_equal(dropped(&world, DROP_OVERSIZE), 2);
	end(&world);
}

static void
a_closed_port_of_a_target_ends_nothing(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address at;
	int gone = socket_at("127.0.0.2", &at);
	struct endpoint to = endpoint_of(&at);

	(void)state;
	(void)close(gone);
	open_it(&world, NULL);
	for (int i = 0; i < 5; i++)
		send_from(&world, world.client, 0, &to, "x", 1);
	send_text(&world, "on");
	assert_target_got(&world, "on");
	assert_int_equal(dropped(&world, DROP_UNSENT), 0);
	end(&world);
}

static void
what_the_kernel_refuses_is_counted(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct address broadcast = address("255.255.255.255");
	struct endpoint to = endpoint_from_address(&broadcast, 9);

	(void)state;
	open_it(&world, NULL);
	send_from(&world, world.client, 0, &to, "x", 1);
	send_text(&world, "on");
	assert_target_got(&world, "on");
	assert_int_equal(dropped(&world, DROP_UNSENT), 1);
	end(&world);
}

static void
without_descriptors_datagrams_are_lost_until_there_are_some(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");

	(void)state;
	open_it(&world, NULL);
	socket_errno = EMFILE;
	send_text(&world, "lost");
	socket_errno = 0;
	send_text(&world, "on");
	assert_target_got(&world, "on");
	assert_int_equal(dropped(&world, DROP_UNSENT), 1);
	end(&world);
}

static void
fragments_are_dropped(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);

	(void)state;
	open_it(&world, NULL);
	send_from(&world, world.client, 1, &to, "a", 1);
	send_from(&world, world.client, 0x82, &to, "b", 1);
	assert_target_got_nothing(&world);
	assert_int_equal(world.asked, 0);
	assert_int_equal(dropped(&world, DROP_FRAGMENT), 2);
	end(&world);
}

static void
fragments_are_put_together_where_that_is_asked_for(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);

	(void)state;
	world.settings.reassembly_octets = 100;
	world.settings.reassembly_timeout_ms = 5000;
	open_it(&world, NULL);
	send_from(&world, world.client, 1, &to, "ab", 2);
	assert_target_got_nothing(&world);
	send_from(&world, world.client, 0x82, &to, "cd", 2);
	assert_target_got(&world, "abcd");
	send_from(&world, world.client, 1, &to, "ab", 2);
	send_text(&world, "alone");
	assert_target_got(&world, "alone");
	send_from(&world, world.client, 0x82, &to, "cd", 2);
	assert_target_got_nothing(&world);
	send_from(&world, world.client, 1, &to, "ab", 2);
	fake_clock_advance(5000001);
	send_from(&world, world.client, 0x82, &to, "cd", 2);
	assert_target_got_nothing(&world);
	assert_int_equal(dropped(&world, DROP_FRAGMENT), 4);
	end(&world);
}

static void
a_denied_destination_gets_nothing_and_is_asked_about_once(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");

	(void)state;
	world.answer = (struct association_answer){.ruling = RULING_DENY,
	    .expires_us = clock_monotonic_us() + 60000000,
	    .note = 7};
	open_it(&world, NULL);
	for (int i = 0; i < 3; i++)
		send_text(&world, "x");
	assert_int_equal(world.asked, 1);
	assert_int_equal(world.question.before, RULING_NONE);
	fake_clock_advance(60000000);
	send_text(&world, "x");
	assert_int_equal(world.asked, 2);
	assert_int_equal(world.question.before, RULING_DENY);
	assert_int_equal(world.question.refused, 3);
	assert_int_equal(world.question.note, 7);
	assert_true(world.question.has_expired);
	assert_target_got_nothing(&world);
	assert_int_equal(dropped(&world, DROP_DENIED), 4);
	end(&world);
}

static void
datagrams_wait_until_their_destination_is_known(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = name_of(&world, "www.example.com");
	struct association_answer answer = {
	    .ruling = RULING_PERMIT,
	    .address = world.target_at.address,
	    .expires_us = clock_monotonic_us() + 10000000,
	};
	struct socket_address from;

	(void)state;
	world.answer.ruling = RULING_WAIT;
	open_it(&world, NULL);
	send_from(&world, world.client, 0, &to, "one", 3);
	send_from(&world, world.client, 0, &to, "two", 3);
	assert_int_equal(world.asked, 1);
	assert_string_equal(world.asked_for.name, "www.example.com");
	assert_target_got_nothing(&world);
	association_answer(world.association, &to, &answer);
	assert_target_got(&world, "one");
	assert_target_got(&world, "two");

	/* Expired, it is asked about again, and heard meanwhile. */
	fake_clock_advance(10000000);
	send_from(&world, world.client, 0, &to, "three", 5);
	assert_int_equal(world.asked, 2);
	assert_true(world.question.has_expired);
	assert_true(address_is_equal(
	    &world.question.address, &world.target_at.address));
	association_answer(world.association, &to, &answer);
	assert_int_equal(receive(world.target, &from), 5);
	answer.expires_us = clock_monotonic_us() + 10000000;
	fake_clock_advance(10000000);
	send_from(&world, world.client, 0, &to, "four", 4);
	put(&world, world.target, "late", 4, &from);
	assert_int_equal(receive(world.client, NULL), HEADER + 4);

	/* It leads elsewhere now: from there only. */
	answer.address = address("127.0.0.9");
	association_answer(world.association, &to, &answer);
	put(&world, world.target, "late", 4, &from);
	assert_nothing(world.client);
	/* Nobody asked. */
	association_answer(world.association, &to, &answer);
	to.port = 9;
	association_answer(world.association, &to, &answer);
	assert_int_equal(dropped(&world, DROP_STRANGER), 1);
	end(&world);
}

static void
what_waited_for_a_denial_is_dropped(void **state)
{
	static const enum ruling rulings[] = {
	    RULING_DENY, RULING_NOWHERE, RULING_BUSY};
	static const enum association_drop drops[] = {
	    DROP_DENIED, DROP_NOWHERE, DROP_WAITING};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rulings); i++) {
		struct world world = world_with("127.0.0.1", "127.0.0.2");
		struct endpoint to = name_of(&world, "www.example.com");
		struct association_answer answer = {.ruling = rulings[i]};

		world.answer.ruling = RULING_WAIT;
		open_it(&world, NULL);
		send_from(&world, world.client, 0, &to, "one", 3);
		association_answer(world.association, &to, &answer);
		assert_target_got_nothing(&world);
		/* At once it is asked about again. */
		world.answer.ruling = RULING_BUSY;
		send_from(&world, world.client, 0, &to, "two", 3);
		assert_int_equal(world.asked, 2);
		association_close(world.association, &world.counts);
		world.association = NULL;
		assert_int_equal(world.counts.drops[drops[i]],
		    rulings[i] == RULING_BUSY ? 2 : 1);
		assert_int_equal(world.counts.drops[DROP_WAITING],
		    rulings[i] == RULING_BUSY ? 2 : 1);
		end(&world);
	}
}

static void
what_waits_is_bounded(void **state)
{
	static uint8_t large[40000];
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = name_of(&world, "www.example.com");
	struct association_answer answer = {
	    .ruling = RULING_PERMIT,
	    .address = world.target_at.address,
	    .expires_us = UINT64_MAX,
	};

	(void)state;
	world.answer.ruling = RULING_WAIT;
	open_it(&world, NULL);
	send_from(&world, world.client, 0, &to, large, sizeof(large));
	send_from(&world, world.client, 0, &to, large, sizeof(large));
	for (int i = 0; i < DESTINATIONS_HELD_MAX; i++)
		send_from(&world, world.client, 0, &to, "x", 1);
	association_answer(world.association, &to, &answer);
	assert_target_got_just(&world, DESTINATIONS_HELD_MAX);
	/* And there is room again. */
	to = name_of(&world, "example.com");
	send_from(&world, world.client, 0, &to, large, sizeof(large));
	association_answer(world.association, &to, &answer);
	assert_int_equal(receive(world.target, NULL), sizeof(large));
	assert_int_equal(dropped(&world, DROP_WAITING), 2);
	end(&world);
}

static void
new_rules_are_asked_both_ways(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address from;

	(void)state;
	open_it(&world, NULL);
	send_text(&world, "ask");
	assert_int_equal(receive(world.target, &from), 3);
	association_rules_changed(world.association);
	put(&world, world.target, "a", 1, &from);
	assert_int_equal(world.asked, 2);
	assert_int_equal(world.question.before, RULING_PERMIT);
	assert_false(world.question.has_expired);
	assert_int_equal(receive(world.client, NULL), HEADER + 1);
	put(&world, world.target, "b", 1, &from);
	assert_int_equal(world.asked, 2);

	association_rules_changed(world.association);
	world.answer.ruling = RULING_DENY;
	put(&world, world.target, "c", 1, &from);
	assert_int_equal(receive(world.client, NULL), HEADER + 1);
	assert_nothing(world.client);
	association_rules_changed(world.association);
	world.answer.ruling = RULING_PERMIT;
	send_text(&world, "ask");
	assert_target_got(&world, "ask");
	association_rules_changed(world.association);
	world.answer.ruling = RULING_BUSY;
	put(&world, world.target, "d", 1, &from);
	assert_nothing(world.client);
	assert_int_equal(dropped(&world, DROP_STRANGER), 2);
	end(&world);
}

/* One destination of two that lead to the same place is enough. */
static void
who_is_sent_to_under_two_names_is_heard_by_either(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint first = name_of(&world, "a.example.com");
	struct endpoint second = name_of(&world, "b.example.com");
	struct socket_address from;

	(void)state;
	world.answer.address = world.target_at.address;
	open_it(&world, NULL);
	send_from(&world, world.client, 0, &first, "one", 3);
	send_from(&world, world.client, 0, &second, "two", 3);
	assert_target_got(&world, "one");
	assert_int_equal(receive(world.target, &from), 3);
	association_rules_changed(world.association);
	put(&world, world.target, "a", 1, &from);
	assert_int_equal(receive(world.client, NULL), HEADER + 1);
	association_rules_changed(world.association);
	world.answer.ruling = RULING_DENY;
	send_from(&world, world.client, 0, &first, "one", 3);
	world.answer.ruling = RULING_PERMIT;
	put(&world, world.target, "b", 1, &from);
	assert_int_equal(receive(world.client, NULL), HEADER + 1);
	assert_int_equal(dropped(&world, DROP_DENIED), 1);
	end(&world);
}

static void
the_destination_used_longest_ago_is_forgotten(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address from;

	(void)state;
	world.settings.destinations_max = 4;
	open_it(&world, NULL);
	send_text(&world, "ask");
	assert_int_equal(receive(world.target, &from), 3);
	for (uint16_t port = 1; port <= 4; port++) {
		struct endpoint to =
		    endpoint_from_address(&world.target_at.address, port);

		put(&world, world.target, "x", 1, &from);
		assert_int_equal(receive(world.client, NULL), HEADER + 1);
		send_from(&world, world.client, 0, &to, "x", 1);
	}
	put(&world, world.target, "x", 1, &from);
	assert_nothing(world.client);
	assert_int_equal(world.asked, 5);
	send_text(&world, "ask");
	assert_int_equal(world.asked, 6);
	assert_int_equal(dropped(&world, DROP_STRANGER), 1);
	end(&world);
}

static void
where_all_destinations_wait_no_more_come(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	const char *names[] = {"a.example", "b.example", "c.example"};

	(void)state;
	world.settings.destinations_max = 2;
	world.answer.ruling = RULING_WAIT;
	open_it(&world, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct endpoint to = name_of(&world, names[i]);

		send_from(&world, world.client, 0, &to, "x", 1);
	}
	assert_int_equal(world.asked, 2);
	/* Two wait to the end. */
	assert_int_equal(dropped(&world, DROP_WAITING), 1 + 2);
	end(&world);
}

static void
new_destinations_and_octets_are_limited(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct endpoint to = endpoint_of(&world.target_at);
	uint8_t payload[100] = {0};

	(void)state;
	world.settings.new_max = 2;
	world.settings.octets_max = 1000;
	open_it(&world, NULL);
	for (uint16_t port = 1; port <= 10; port++) {
		struct endpoint other =
		    endpoint_from_address(&world.target_at.address, port);

		send_from(&world, world.client, 0, &other, "x", 1);
	}
	assert_int_equal(world.asked, 4); /* two seconds' worth */
	fake_clock_advance(500000);
	for (int i = 0; i < 30; i++)
		send_from(
		    &world, world.client, 0, &to, payload, sizeof(payload));
	assert_target_got_just(&world, 20);
	assert_int_equal(world.asked, 5);
	fake_clock_advance(1000000);
	for (int i = 0; i < 30; i++)
		send_from(
		    &world, world.client, 0, &to, payload, sizeof(payload));
	assert_target_got_just(&world, 10);
	assert_int_equal(dropped(&world, DROP_RATE), 6 + 10 + 20);
	end(&world);
}

static void
associations_that_share_a_rate_share_it(void **state)
{
	struct world one = world_with("127.0.0.1", "127.0.0.2");
	struct world other = world_with("127.0.0.3", "127.0.0.4");
	struct endpoint to = endpoint_of(&one.target_at);
	struct endpoint to_other = endpoint_of(&other.target_at);
	struct socket_address from;
	uint8_t payload[1000] = {0};
	struct rate *rate = rate_new(20000);

	(void)state;
	one.settings.rate = other.settings.rate = rate;
	open_it(&one, NULL);
	open_it(&other, NULL);
	send_from(&one, one.client, 0, &to, "", 0); /* takes nothing */
	for (int i = 0; i < 3; i++)
		send_from(&one, one.client, 0, &to, payload, sizeof(payload));
	assert_target_got_just(&one, 4);
	for (int i = 0; i < 3; i++)
		send_from(&other, other.client, 0, &to_other, payload,
		    sizeof(payload));
	assert_target_got_just(&other, 2);
	/* 500 octets are not enough for one, and it does not eat them up. */
	fake_clock_advance(25000);
	send_from(&one, one.client, 0, &to, payload, sizeof(payload));
	assert_target_got_just(&one, 0);
	fake_clock_advance(25000);
	send_from(&one, one.client, 0, &to, payload, sizeof(payload));
	assert_int_equal(receive(one.target, &from), sizeof(payload));
	/* The way back is part of it. */
	put(&one, one.target, payload, sizeof(payload), &from);
	assert_nothing(one.client);
	assert_int_equal(dropped(&one, DROP_RATE), 2);
	assert_int_equal(dropped(&other, DROP_RATE), 1);
	end(&one);
	end(&other);
	rate_free(rate);
}

/* A sealed datagram of the client's, in out; its length. */
static size_t
sealed(struct seal *seal, struct world *world, const char *text, uint8_t *out)
{
	struct endpoint to = endpoint_of(&world->target_at);
	uint8_t *token = out + RFC1961_HEADER;
	size_t len = message(token + seal->header, 0, &to, text, strlen(text));

	assert_int_equal(seal_wrap(seal, token, len, &len), REASON_OK);
	rfc1961_header(out, RFC1961_DATA, (uint16_t)len);
	return RFC1961_HEADER + len;
}

static void
sealed_datagrams_go_both_ways(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct seal *seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
	struct socket_address from, bound;
	uint8_t out[1000], *plain;
	size_t len, plain_len;

	(void)state;
	open_it(&world, toy_seal_new(PROTECTION_CONFIDENTIALITY));
	bound = association_bound(world.association);
	for (int i = 0; i < 3; i++) {
		len = sealed(seal, &world, "ask", out);
		put(&world, world.client, out, len, &bound);
		assert_int_equal(receive(world.target, &from), 3);
		assert_memory_equal(received, "ask", 3);
		put(&world, world.target, "answer", 6, &from);
		len = (size_t)receive(world.client, NULL);
		assert_int_equal(len, RFC1961_HEADER + TOY_SEAL_HEADER +
					  HEADER + 6 + TOY_SEAL_TRAILER);
		assert_int_equal(received[0], RFC1961_VERSION);
		assert_int_equal(received[1], RFC1961_DATA);
		assert_int_equal(
		    received[2] << 8 | received[3], len - RFC1961_HEADER);
		assert_int_equal(seal_unwrap(seal, received + RFC1961_HEADER,
				     len - RFC1961_HEADER, &plain, &plain_len),
		    REASON_OK);
		assert_int_equal(plain_len, HEADER + 6);
		assert_memory_equal(plain + HEADER, "answer", 6);
	}
	seal_free(seal);
	end(&world);
}

static void
what_is_not_sealed_as_agreed_is_dropped(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct seal *seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
	struct socket_address at, bound;
	int neighbour = socket_at("127.0.0.1", &at);
	uint8_t good[1000], out[1001];
	size_t len = sealed(seal, &world, "good", good);

	(void)state;
	open_it(&world, toy_seal_new(PROTECTION_CONFIDENTIALITY));
	bound = association_bound(world.association);
	/* Cut anywhere; with more behind; a length that lies; in clear. */
	for (size_t cut = 0; cut < len; cut++)
		put(&world, neighbour, good, cut, &bound);
	memcpy(out, good, len);
	out[len] = 0;
	put(&world, neighbour, out, len + 1, &bound);
	out[3]++;
	put(&world, neighbour, out, len, &bound);
	out[3] = (uint8_t)(out[3] - 2);
	put(&world, neighbour, out, len, &bound);
	out[3]++;
	out[0] = 5;
	put(&world, neighbour, out, len, &bound);
	out[0] = 1;
	out[1] = 2;
	put(&world, neighbour, out, len, &bound);
	{
		struct endpoint to = endpoint_of(&world.target_at);

		send_from(&world, neighbour, 0, &to, "clear", 5);
	}
	assert_target_got_nothing(&world);
	assert_nothing(neighbour);
	/* None of it told the client's port. */
	put(&world, world.client, good, len, &bound);
	assert_target_got(&world, "good");
	assert_int_equal(dropped(&world, DROP_MALFORMED), len + 6);
	seal_free(seal);
	(void)close(neighbour);
	end(&world);
}

static void
a_changed_or_repeated_message_is_dropped(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct seal *seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
	struct socket_address bound;
	uint8_t out[1000];
	size_t len = sealed(seal, &world, "good", out);

	(void)state;
	open_it(&world, toy_seal_new(PROTECTION_CONFIDENTIALITY));
	bound = association_bound(world.association);
	out[len - 1] ^= 1;
	put(&world, world.client, out, len, &bound);
	assert_target_got_nothing(&world);
	out[len - 1] ^= 1;
	put(&world, world.client, out, len, &bound);
	put(&world, world.client, out, len, &bound);
	assert_target_got(&world, "good");
	assert_target_got_nothing(&world);
	association_close(world.association, &world.counts);
	world.association = NULL;
	assert_int_equal(world.counts.drops[DROP_SEAL], 1);
	assert_int_equal(world.counts.drops[DROP_REPLAY], 1);
	seal_free(seal);
	end(&world);
}

static void
what_is_odd_is_noticed_once_a_minute(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address at;
	int stranger = socket_at("127.0.0.3", &at);
	struct endpoint to = endpoint_of(&world.target_at);

	(void)state;
	open_it(&world, NULL);
	send_text(&world, "on");
	send_from(&world, world.client, 1, &to, "fragment", 8);
	assert_int_equal(world.notices, 0);
	for (int i = 0; i < 3; i++)
		send_from(&world, stranger, 0, &to, "x", 1);
	assert_int_equal(world.notices, 1);
	assert_int_equal(world.noticed.drops[DROP_SOURCE], 1);
	fake_clock_advance(ASSOCIATION_NOTICE_US - 1);
	send_from(&world, stranger, 0, &to, "x", 1);
	assert_int_equal(world.notices, 1);
	fake_clock_advance(1);
	send_from(&world, stranger, 0, &to, "x", 1);
	assert_int_equal(world.notices, 2);
	assert_int_equal(world.noticed.drops[DROP_SOURCE], 5);
	assert_int_equal(world.noticed.drops[DROP_FRAGMENT], 1);
	(void)close(stranger);
	end(&world);
}

static void
it_ends_when_nothing_goes_through(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct socket_address at;
	int stranger = socket_at("127.0.0.3", &at);
	struct endpoint to = endpoint_of(&world.target_at);

	(void)state;
	world.settings.idle_ms = 50;
	open_it(&world, NULL);
	fake_clock_advance(49000);
	send_text(&world, "on");
	(void)usleep(60000);
	run(&world);
	assert_int_equal(world.ended, REASON_OK);
	/* What is dropped keeps nothing open. */
	fake_clock_advance(50000);
	send_from(&world, stranger, 0, &to, "x", 1);
	for (int i = 0; i < 100 && world.ended == REASON_OK; i++) {
		(void)usleep(10000);
		run(&world);
	}
	assert_int_equal(world.ended, REASON_IDLE);
	(void)close(stranger);
	end(&world);
}

static void
ports_are_of_the_range(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct association_owner owner = owner_of(&world);
	struct association *others[3];
	struct socket_address at;
	enum reason why;
	int fd = socket_at("127.0.0.1", &at);

	(void)state;
	(void)close(fd);
	world.settings.port_min = (uint16_t)(at.port < 65533 ? at.port : 65533);
	world.settings.port_max = (uint16_t)(world.settings.port_min + 2);
	world.settings.local = address("127.0.0.7");
	for (int i = 0; i < 3; i++) {
		others[i] =
		    association_open(world.base, &world.settings, &owner, &why);
		assert_non_null(others[i]);
		at = association_bound(others[i]);
		assert_in_range(
		    at.port, world.settings.port_min, world.settings.port_max);
	}
	assert_null(
	    association_open(world.base, &world.settings, &owner, &why));
	assert_int_equal(why, REASON_NO_PORTS);
	for (int i = 0; i < 3; i++)
		association_close(others[i], NULL);
	world.association =
	    association_open(world.base, &world.settings, &owner, &why);
	assert_non_null(world.association);
	end(&world);
}

static void
without_a_descriptor_it_does_not_open(void **state)
{
	struct world world = world_with("127.0.0.1", "127.0.0.2");
	struct association_owner owner = owner_of(&world);
	enum reason why;

	(void)state;
	socket_errno = EMFILE;
	assert_null(
	    association_open(world.base, &world.settings, &owner, &why));
	assert_int_equal(why, REASON_NO_DESCRIPTORS);
	socket_errno = 0;
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(datagrams_go_both_ways),
	    cmocka_unit_test(ipv6_goes_both_ways),
	    cmocka_unit_test(many_come_in_one_go),
	    cmocka_unit_test(others_than_the_client_are_not_heard),
	    cmocka_unit_test(an_announced_port_is_the_only_one),
	    cmocka_unit_test(noise_before_the_first_good_datagram_does_no_harm),
	    cmocka_unit_test(only_who_was_sent_to_is_heard),
	    cmocka_unit_test(answers_that_do_not_fit_are_dropped),
	    cmocka_unit_test(a_closed_port_of_a_target_ends_nothing),
	    cmocka_unit_test(what_the_kernel_refuses_is_counted),
	    cmocka_unit_test(
		without_descriptors_datagrams_are_lost_until_there_are_some),
	    cmocka_unit_test(fragments_are_dropped),
	    cmocka_unit_test(
		fragments_are_put_together_where_that_is_asked_for),
	    cmocka_unit_test(
		a_denied_destination_gets_nothing_and_is_asked_about_once),
	    cmocka_unit_test(datagrams_wait_until_their_destination_is_known),
	    cmocka_unit_test(what_waited_for_a_denial_is_dropped),
	    cmocka_unit_test(what_waits_is_bounded),
	    cmocka_unit_test(new_rules_are_asked_both_ways),
	    cmocka_unit_test(who_is_sent_to_under_two_names_is_heard_by_either),
	    cmocka_unit_test(the_destination_used_longest_ago_is_forgotten),
	    cmocka_unit_test(where_all_destinations_wait_no_more_come),
	    cmocka_unit_test(new_destinations_and_octets_are_limited),
	    cmocka_unit_test(associations_that_share_a_rate_share_it),
	    cmocka_unit_test(sealed_datagrams_go_both_ways),
	    cmocka_unit_test(what_is_not_sealed_as_agreed_is_dropped),
	    cmocka_unit_test(a_changed_or_repeated_message_is_dropped),
	    cmocka_unit_test(what_is_odd_is_noticed_once_a_minute),
	    cmocka_unit_test(it_ends_when_nothing_goes_through),
	    cmocka_unit_test(ports_are_of_the_range),
	    cmocka_unit_test(without_a_descriptor_it_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
