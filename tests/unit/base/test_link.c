/* SPDX-License-Identifier: ISC */
/* Links keep their promises: whole messages, one answer, clean ends. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/link.h"

#define GUARD_MS 5000

enum { SMALL = 1, BIG, FILE_COMES, ASK, FREE_ME };

/* One side of a link and what came to it. */
struct side {
	struct event_base *base;
	struct link *link;
	unsigned messages;
	unsigned closings;
	size_t last_len;
	uint64_t last_id;
	uint8_t last[64];
	const uint8_t *borrowed; /* where the last was, as long as it lasted */
	int kept_fd;
	bool answers;
};

struct world {
	struct event_base *base;
	struct side a, b;
};

static void
on_message(void *arg, struct link_message *message)
{
	struct side *side = arg;

	side->messages++;
	side->last_len = message->len;
	side->last_id = message->id;
	side->borrowed = message->data;
	memcpy(side->last, message->data,
	    message->len < sizeof(side->last) ? message->len
					      : sizeof(side->last));
	(void)event_base_loopbreak(side->base);
}

static void
on_file(void *arg, struct link_message *message)
{
	struct side *side = arg;

	side->messages++;
	side->kept_fd = message->fd;
	message->fd = -1;
	(void)event_base_loopbreak(side->base);
}

static void
on_ask(void *arg, struct link_message *message)
{
	struct side *side = arg;

	on_message(arg, message);
	if (side->answers)
		assert_int_equal(link_send(side->link, SMALL, message->id,
				     message->data, message->len),
		    0);
}

static void
on_free_me(void *arg, struct link_message *message)
{
	struct side *side = arg;

	on_message(arg, message);
	link_free(side->link);
	side->link = NULL;
}

static void
on_closed(void *arg)
{
	struct side *side = arg;

	side->closings++;
	(void)event_base_loopbreak(side->base);
}

static const struct link_handler handlers[] = {
    {SMALL, 1, 64, on_message},
    {BIG, 0, LINK_MESSAGE_MAX, on_message},
    {FILE_COMES, 0, 16, on_file},
    {ASK, 1, 64, on_ask},
    {FREE_ME, 0, 64, on_free_me},
    {.handle = NULL},
};

/* A test that waits for what never comes fails. */
static void
on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for %d ms", GUARD_MS);
}

static void
turn(struct event_base *base)
{
	const struct timeval limit = {.tv_sec = GUARD_MS / 1000};
	struct event *guard = evtimer_new(base, on_guard, NULL);

	assert_int_equal(evtimer_add(guard, &limit), 0);
	assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	event_free(guard);
}

static void
turn_until(struct world *world, const unsigned *count, unsigned wanted)
{
	while (*count < wanted)
		turn(world->base);
}

static void
side_init(struct side *side, struct event_base *base, int fd)
{
	*side = (struct side){.base = base, .kept_fd = -1, .answers = true};
	side->link = link_new(base, fd, handlers, on_closed, side);
	assert_non_null(side->link);
}

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	int fds[2];

	assert_non_null(world);
	world->base = event_base_new();
	assert_int_equal(link_pair(fds), 0);
	side_init(&world->a, world->base, fds[0]);
	side_init(&world->b, world->base, fds[1]);
	*state = world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	link_free(world->a.link);
	link_free(world->b.link);
	event_base_free(world->base);
	free(world);
	return 0;
}

/* Gives b's end to the test as a raw socket. */
static int
take_raw(struct world *world)
{
	int fds[2];

	link_free(world->a.link);
	link_free(world->b.link);
	world->b.link = NULL;
	assert_int_equal(link_pair(fds), 0);
	side_init(&world->a, world->base, fds[0]);
	return fds[1];
}

static size_t
open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* ---- messages ---- */

static void
a_message_comes_whole_with_its_id(void **state)
{
	struct world *world = *state;

	assert_int_equal(link_send(world->a.link, SMALL, 77, "hello", 5), 0);
	turn_until(world, &world->b.messages, 1);
	assert_int_equal(world->b.last_len, 5);
	assert_memory_equal(world->b.last, "hello", 5);
	assert_int_equal(world->b.last_id, 77);
}

static void
what_was_received_is_wiped(void **state)
{
	static const uint8_t zeros[6];
	struct world *world = *state;

	assert_int_equal(link_send(world->a.link, SMALL, 42, "secret", 6), 0);
	turn_until(world, &world->b.messages, 1);
	assert_memory_equal(world->b.last, "secret", 6);
	assert_memory_equal(world->b.borrowed, zeros, 6);
}

static void
the_largest_message_passes_and_a_larger_one_is_refused(void **state)
{
	struct world *world = *state;
	uint8_t *data = calloc(1, LINK_MESSAGE_MAX + 1);

	assert_int_equal(
	    link_send(world->a.link, BIG, 0, data, LINK_MESSAGE_MAX), 0);
	assert_int_equal(
	    link_send(world->a.link, BIG, 0, data, LINK_MESSAGE_MAX + 1),
	    -EMSGSIZE);
	turn_until(world, &world->b.messages, 1);
	assert_int_equal(world->b.last_len, LINK_MESSAGE_MAX);
	free(data);
}

static void
what_cannot_be_sent_waits_and_comes_in_order(void **state)
{
	struct world *world = *state;
	uint8_t data[60000] = {0};
	unsigned sent;

	for (sent = 0; link_queued_bytes(world->a.link) < 1000000; sent++) {
		memcpy(data, &sent, sizeof(sent));
		assert_int_equal(
		    link_send(world->a.link, BIG, sent, data, sizeof(data)), 0);
	}
	for (unsigned i = 0; i < sent; i++) {
		turn_until(world, &world->b.messages, i + 1);
		if (world->b.messages == i + 1)
			assert_int_equal(world->b.last_id, i);
	}
	assert_int_equal(world->b.messages, sent);
	assert_int_equal(world->b.last_id, sent - 1);
	assert_int_equal(link_queued_bytes(world->a.link), 0);
}

static void
a_full_queue_says_so_and_loses_nothing(void **state)
{
	struct world *world = *state;
	uint8_t *data = calloc(1, LINK_MESSAGE_MAX);
	unsigned sent = 0;
	int status;

	while ((status = link_send(
		    world->a.link, BIG, sent, data, LINK_MESSAGE_MAX)) == 0)
		sent++;
	assert_int_equal(status, -ENOBUFS);
	assert_in_range(link_queued_bytes(world->a.link),
	    LINK_QUEUE_MAX - LINK_MESSAGE_MAX - 64, LINK_QUEUE_MAX);
	turn_until(world, &world->b.messages, sent);
	assert_int_equal(world->b.last_id, sent - 1);
	free(data);
}

/* ---- descriptors ---- */

static void
a_descriptor_comes_along(void **state)
{
	struct world *world = *state;
	int ends[2];
	char got[4] = "";

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
	    link_send_fd(world->a.link, FILE_COMES, 0, NULL, 0, ends[1]), 0);
	assert_int_equal(close(ends[1]), 0);
	turn_until(world, &world->b.messages, 1);
	assert_int_equal(write(world->b.kept_fd, "abc", 3), 3);
	assert_true((fcntl(world->b.kept_fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(read(ends[0], got, 3), 3);
	assert_string_equal(got, "abc");
	(void)close(ends[0]);
	(void)close(world->b.kept_fd);
}

static void
a_descriptor_that_waits_is_still_the_same_file(void **state)
{
	struct world *world = *state;
	uint8_t data[60000] = {0};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	while (link_queued_bytes(world->a.link) == 0)
		assert_int_equal(
		    link_send(world->a.link, BIG, 0, data, sizeof(data)), 0);
	assert_int_equal(
	    link_send_fd(world->a.link, FILE_COMES, 0, NULL, 0, ends[1]), 0);
	assert_int_equal(close(ends[1]), 0);
	while (world->b.kept_fd < 0)
		turn(world->base);
	assert_int_equal(write(world->b.kept_fd, "x", 1), 1);
	(void)close(ends[0]);
	(void)close(world->b.kept_fd);
}

static void
a_descriptor_that_nobody_keeps_is_closed(void **state)
{
	struct world *world = *state;
	size_t before = open_descriptors();

	assert_int_equal(
	    link_send_fd(world->a.link, SMALL, 0, "x", 1, STDERR_FILENO), 0);
	turn_until(world, &world->b.messages, 1);
	assert_int_equal(open_descriptors(), before);
}

static void
send_raw(int fd, const void *data, size_t len, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	char *bytes = malloc(len);
	struct iovec part = {bytes, len};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	memcpy(bytes, data, len);
	if (fd_count > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &header, 0), len);
	free(bytes);
}

static void
a_second_descriptor_closes_the_link(void **state)
{
	static const uint8_t packet[17] = {0, SMALL, 0, 0, 0, 0, 0, 1};
	struct world *world = *state;
	int raw = take_raw(world);
	size_t before = open_descriptors();
	const int fds[2] = {0, 2};

	send_raw(raw, packet, sizeof(packet), fds, 2);
	turn_until(world, &world->a.closings, 1);
	assert_int_equal(world->a.messages, 0);
	assert_int_equal(open_descriptors(), before - 1); /* its own socket */
	(void)close(raw);
}

/* ---- peers that break the rules ---- */

struct raw_case {
	const char *what;
	size_t len;
	uint8_t packet[32];
};

static const struct raw_case bad_packets[] = {
    {"a short header", 15, {0, SMALL}},
    {"one octet", 1, {0}},
    {"an unknown type", 17, {0, 99, 0, 0, 0, 0, 0, 1}},
    {"a payload under the minimum", 16, {0, SMALL, 0, 0, 0, 0, 0, 0}},
    {"a length larger than the packet", 17, {0, SMALL, 0, 0, 0, 0, 0, 2}},
    {"a length smaller than the packet", 18, {0, SMALL, 0, 0, 0, 0, 0, 1}},
    {"reserved octets in use", 17, {0, SMALL, 0, 1, 0, 0, 0, 1}},
};

static void
a_packet_out_of_form_closes_the_link(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_COUNT(bad_packets); i++) {
		const struct raw_case *bad = &bad_packets[i];
		int raw = take_raw(world);

		print_message("%s\n", bad->what);
		send_raw(raw, bad->packet, bad->len, NULL, 0);
		turn_until(world, &world->a.closings, 1);
		assert_int_equal(world->a.messages, 0);
		(void)close(raw);
	}
}

static void
a_payload_over_the_maximum_closes_the_link(void **state)
{
	struct world *world = *state;
	uint8_t data[65] = {0};

	assert_int_equal(
	    link_send(world->a.link, SMALL, 0, data, sizeof(data)), 0);
	turn_until(world, &world->b.closings, 1);
	assert_int_equal(world->b.messages, 0);
	turn_until(world, &world->a.closings, 1);
}

static void
a_packet_larger_than_any_message_closes_the_link(void **state)
{
	struct world *world = *state;
	int raw = take_raw(world);
	size_t len = LINK_MESSAGE_MAX + 17;
	uint8_t *packet = calloc(1, len);

	packet[1] = BIG;
	packet[5] = 3; /* 192 KiB */
	send_raw(raw, packet, len, NULL, 0);
	turn_until(world, &world->a.closings, 1);
	assert_int_equal(world->a.messages, 0);
	free(packet);
	(void)close(raw);
}

/* ---- ends ---- */

static void
what_was_sent_before_the_end_still_comes(void **state)
{
	struct world *world = *state;

	/* Left unread by a: the kernel makes a reset of that. */
	assert_int_equal(link_send(world->b.link, SMALL, 0, "x", 1), 0);
	assert_int_equal(link_send(world->a.link, SMALL, 0, "last", 4), 0);
	link_free(world->a.link);
	world->a.link = NULL;
	turn_until(world, &world->b.closings, 1);
	assert_int_equal(world->b.messages, 1);
	assert_memory_equal(world->b.last, "last", 4);
	assert_int_equal(world->b.closings, 1);
}

static void
sending_to_nobody_says_so_and_the_end_is_told_once(void **state)
{
	struct world *world = *state;

	link_free(world->a.link);
	world->a.link = NULL;
	assert_int_equal(link_send(world->b.link, SMALL, 0, "x", 1), -EPIPE);
	assert_int_equal(link_send(world->b.link, SMALL, 0, "x", 1), -EPIPE);
	assert_int_equal(world->b.closings, 0);
	turn_until(world, &world->b.closings, 1);
	assert_int_equal(link_send(world->b.link, SMALL, 0, "x", 1), -EPIPE);
	assert_int_equal(event_base_loop(world->base, EVLOOP_NONBLOCK), 1);
	assert_int_equal(world->b.closings, 1);
}

static void
a_link_may_be_freed_in_its_message(void **state)
{
	struct world *world = *state;

	assert_int_equal(link_send(world->a.link, FREE_ME, 0, "x", 1), 0);
	assert_int_equal(link_send(world->a.link, FREE_ME, 0, "x", 1), 0);
	turn_until(world, &world->a.closings, 1);
	assert_int_equal(world->b.messages, 1);
	assert_int_equal(world->b.closings, 0);
	assert_null(world->b.link);
}

static void
a_handler_that_ends_the_loop_is_told_nothing_more(void **state)
{
	struct world *world = *state;

	assert_int_equal(link_send(world->a.link, SMALL, 0, "1", 1), 0);
	assert_int_equal(link_send(world->a.link, SMALL, 0, "2", 1), 0);
	turn(world->base);
	assert_int_equal(world->b.messages, 1);
	assert_int_equal(world->b.last[0], '1');
	turn(world->base);
	assert_int_equal(world->b.messages, 2);
	assert_int_equal(world->b.last[0], '2');
}

static void
on_closed_free(void *arg)
{
	struct side *side = arg;

	on_closed(arg);
	link_free(side->link);
	side->link = NULL;
}

static void
a_link_may_be_freed_when_it_closes(void **state)
{
	struct world *world = *state;
	int fds[2];

	link_free(world->a.link);
	link_free(world->b.link);
	assert_int_equal(link_pair(fds), 0);
	world->a.link =
	    link_new(world->base, fds[0], handlers, on_closed_free, &world->a);
	world->b.link = NULL;
	(void)close(fds[1]);
	turn_until(world, &world->a.closings, 1);
	assert_null(world->a.link);
}

/* ---- questions ---- */

struct asked {
	struct side *side;
	unsigned calls;
	enum answer_outcome outcome;
	size_t len;
	uint8_t data[64];
	bool frees;
	bool asks_again;
};

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct asked *asked = arg;

	asked->calls++;
	asked->outcome = outcome;
	assert_int_equal(answer != NULL, outcome == ANSWER_GIVEN);
	if (answer != NULL) {
		asked->len = answer->len;
		memcpy(asked->data, answer->data, answer->len);
	}
	if (asked->asks_again) {
		assert_null(question_start(
		    asked->side->link, ASK, "y", 1, 50, on_answer, asked));
		assert_int_equal(errno, EPIPE);
	}
	if (asked->frees) {
		link_free(asked->side->link);
		asked->side->link = NULL;
	}
}

static struct question *
ask(struct world *world, struct asked *asked, unsigned timeout_ms,
    const char *text)
{
	struct question *question;

	asked->side = &world->a;
	question = question_start(world->a.link, ASK, text, strlen(text),
	    timeout_ms, on_answer, asked);
	assert_non_null(question);
	assert_int_equal(asked->calls, 0);
	return question;
}

static void
each_question_gets_its_own_answer(void **state)
{
	struct world *world = *state;
	struct asked asked[100] = {0};
	char text[16];

	for (unsigned i = 0; i < ARRAY_COUNT(asked); i++) {
		(void)snprintf(text, sizeof(text), "question %u", i);
		(void)ask(world, &asked[i], GUARD_MS, text);
	}
	turn_until(world, &asked[99].calls, 1);
	for (unsigned i = 0; i < ARRAY_COUNT(asked); i++) {
		(void)snprintf(text, sizeof(text), "question %u", i);
		assert_int_equal(asked[i].calls, 1);
		assert_int_equal(asked[i].outcome, ANSWER_GIVEN);
		assert_int_equal(asked[i].len, strlen(text));
		assert_memory_equal(asked[i].data, text, strlen(text));
	}
}

static void
both_sides_may_ask_at_once(void **state)
{
	struct world *world = *state;
	struct asked a = {0}, b = {.side = &world->b};

	(void)ask(world, &a, GUARD_MS, "from a");
	assert_non_null(question_start(
	    world->b.link, ASK, "from b", 6, GUARD_MS, on_answer, &b));
	turn_until(world, &a.calls, 1);
	turn_until(world, &b.calls, 1);
	assert_memory_equal(a.data, "from a", 6);
	assert_memory_equal(b.data, "from b", 6);
}

static void
the_end_fails_what_was_asked(void **state)
{
	struct world *world = *state;
	struct asked asked[3] = {{.asks_again = true}};

	world->b.answers = false;
	for (unsigned i = 0; i < 3; i++)
		(void)ask(world, &asked[i], GUARD_MS, "x");
	turn_until(world, &world->b.messages, 3);
	link_free(world->b.link);
	world->b.link = NULL;
	turn_until(world, &world->a.closings, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(asked[i].calls, 1);
		assert_int_equal(asked[i].outcome, ANSWER_LOST);
	}
}

static void
freeing_the_link_fails_what_was_asked(void **state)
{
	struct world *world = *state;
	struct asked asked[2] = {0};

	(void)ask(world, &asked[0], GUARD_MS, "x");
	(void)ask(world, &asked[1], GUARD_MS, "x");
	link_free(world->a.link);
	world->a.link = NULL;
	assert_int_equal(asked[0].outcome, ANSWER_LOST);
	assert_int_equal(asked[1].outcome, ANSWER_LOST);
	assert_int_equal(asked[0].calls + asked[1].calls, 2);
}

static void
a_deadline_passes_and_the_late_answer_is_dropped(void **state)
{
	struct world *world = *state;
	struct asked asked = {0};
	unsigned before;

	world->b.answers = false;
	(void)ask(world, &asked, 20, "slow");
	turn_until(world, &asked.calls, 1);
	assert_int_equal(asked.outcome, ANSWER_TIMEOUT);

	before = world->a.messages;
	assert_int_equal(
	    link_send(world->b.link, SMALL, world->b.last_id, "late", 4), 0);
	assert_int_equal(link_send(world->b.link, SMALL, 5, "next", 4), 0);
	turn_until(world, &world->a.messages, before + 1);
	assert_memory_equal(world->a.last, "next", 4);
	assert_int_equal(asked.calls, 1);
	assert_int_equal(world->a.closings, 0);
}

static void
a_cancelled_question_stays_silent(void **state)
{
	struct world *world = *state;
	struct asked cancelled = {0}, other = {0};

	question_cancel(NULL);
	question_cancel(ask(world, &cancelled, 10, "x"));
	(void)ask(world, &other, GUARD_MS, "y");
	turn_until(world, &other.calls, 1);
	assert_int_equal(cancelled.calls, 0);
}

static void
a_link_may_be_freed_in_an_answer(void **state)
{
	struct world *world = *state;
	struct asked first = {.frees = true}, second = {0};

	(void)ask(world, &first, GUARD_MS, "x");
	(void)ask(world, &second, GUARD_MS, "y");
	turn_until(world, &second.calls, 1);
	assert_int_equal(first.outcome, ANSWER_GIVEN);
	assert_int_equal(second.outcome, ANSWER_LOST);
	assert_int_equal(world->a.closings, 0);
}

static void
a_link_may_be_freed_when_a_question_is_lost(void **state)
{
	struct world *world = *state;
	struct asked asked = {.frees = true};

	world->b.answers = false;
	(void)ask(world, &asked, GUARD_MS, "x");
	turn_until(world, &world->b.messages, 1);
	link_free(world->b.link);
	world->b.link = NULL;
	turn_until(world, &asked.calls, 1);
	assert_int_equal(asked.outcome, ANSWER_LOST);
	assert_int_equal(asked.calls, 1);
	assert_int_equal(world->a.closings, 0);
}

static void
nothing_is_left_open(void **state)
{
	struct world *world = *state;
	uint8_t data[60000] = {0};
	size_t before = open_descriptors();
	struct side a, b;
	int fds[2];

	(void)world;
	assert_int_equal(link_pair(fds), 0);
	side_init(&a, world->base, fds[0]);
	side_init(&b, world->base, fds[1]);
	while (link_queued_bytes(a.link) < 500000)
		assert_int_equal(link_send_fd(a.link, BIG, 0, data,
				     sizeof(data), STDERR_FILENO),
		    0);
	link_free(a.link);
	link_free(b.link);
	assert_int_equal(open_descriptors(), before);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_message_comes_whole_with_its_id),
	    TEST(what_was_received_is_wiped),
	    TEST(the_largest_message_passes_and_a_larger_one_is_refused),
	    TEST(what_cannot_be_sent_waits_and_comes_in_order),
	    TEST(a_full_queue_says_so_and_loses_nothing),
	    TEST(a_descriptor_comes_along),
	    TEST(a_descriptor_that_waits_is_still_the_same_file),
	    TEST(a_descriptor_that_nobody_keeps_is_closed),
	    TEST(a_second_descriptor_closes_the_link),
	    TEST(a_packet_out_of_form_closes_the_link),
	    TEST(a_payload_over_the_maximum_closes_the_link),
	    TEST(a_packet_larger_than_any_message_closes_the_link),
	    TEST(what_was_sent_before_the_end_still_comes),
	    TEST(sending_to_nobody_says_so_and_the_end_is_told_once),
	    TEST(a_link_may_be_freed_in_its_message),
	    TEST(a_handler_that_ends_the_loop_is_told_nothing_more),
	    TEST(a_link_may_be_freed_when_it_closes),
	    TEST(each_question_gets_its_own_answer),
	    TEST(both_sides_may_ask_at_once),
	    TEST(the_end_fails_what_was_asked),
	    TEST(freeing_the_link_fails_what_was_asked),
	    TEST(a_deadline_passes_and_the_late_answer_is_dropped),
	    TEST(a_cancelled_question_stays_silent),
	    TEST(a_link_may_be_freed_in_an_answer),
	    TEST(a_link_may_be_freed_when_a_question_is_lost),
	    TEST(nothing_is_left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
