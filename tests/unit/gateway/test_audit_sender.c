/* SPDX-License-Identifier: ISC */
/* The sending side of the audit trail, against an auditor of our own. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/link.h"
#include "base/wire.h"
#include "gateway/audit_protocol.h"
#include "gateway/audit_sender.h"
#include "tests/support/fake_clock.h"
#include "tests/support/records.h"

#define SOURCE 77

struct world {
	struct event_base *base;
	struct audit_sender *sender;
	struct link *auditor;
	uint64_t last; /* number that came */
	uint64_t came; /* records */
	uint64_t lost; /* told by gap records */
	unsigned gaps;
	struct audit_record record; /* the last */
};

static void
on_record(void *arg, struct link_message *message)
{
	struct world *world = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	assert_int_equal(wire_get_u64(&reader), SOURCE);
	world->last = wire_get_u64(&reader);
	assert_true(audit_record_decode(message->data + AUDIT_HEADER_SIZE,
	    message->len - AUDIT_HEADER_SIZE, &world->record));
	world->came++;
	if (world->record.event == AUDIT_GAP) {
		world->gaps++;
		world->lost += world->record.lost;
	}
}

static void
on_closed(void *arg)
{
	(void)arg;
}

static const struct link_handler handlers[] = {
    {AUDIT_RECORD, AUDIT_HEADER_SIZE, AUDIT_RECORD_MESSAGE_MAX, on_record},
    {.handle = NULL},
};

static void
turn(struct world *world)
{
	for (int i = 0; i < 2000; i++)
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
}

static void
link_anew(struct world *world)
{
	int fds[2];

	link_free(world->auditor);
	assert_int_equal(link_pair(fds), 0);
	world->auditor =
	    link_new(world->base, fds[0], handlers, on_closed, world);
	assert_non_null(world->auditor);
	audit_sender_link(world->sender, fds[1]);
	world->came = world->last = 0;
}

static void
acknowledge(struct world *world, uint64_t source, uint64_t number)
{
	uint8_t data[AUDIT_HEADER_SIZE];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, source);
	wire_put_u64(&writer, number);
	assert_int_equal(
	    link_send(world->auditor, AUDIT_ACK, 0, data, sizeof(data)), 0);
	turn(world);
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	world->sender = audit_sender_new(world->base, SOURCE);
	assert_non_null(world->sender);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	audit_sender_free(world->sender);
	link_free(world->auditor);
	event_base_free(world->base);
	free(world);
	return 0;
}

static void
write_some(struct world *world, unsigned count)
{
	const struct audit_record record = record_full();

	for (unsigned i = 0; i < count; i++)
		audit_sender_write(world->sender, &record);
}

static void
records_go_in_order_and_stay_until_acknowledged(void **state)
{
	struct world *world = *state;

	link_anew(world);
	write_some(world, 5);
	turn(world);
	assert_int_equal(world->came, 5);
	assert_int_equal(world->last, 5);
	assert_int_equal(audit_sender_pending(world->sender), 5);
	acknowledge(world, SOURCE, 3);
	assert_int_equal(audit_sender_pending(world->sender), 2);
	acknowledge(world, SOURCE + 1, 5);
	assert_int_equal(audit_sender_pending(world->sender), 2);
	acknowledge(world, SOURCE, 5);
	assert_int_equal(audit_sender_pending(world->sender), 0);
}

static void
a_new_auditor_gets_what_was_not_acknowledged(void **state)
{
	struct world *world = *state;

	write_some(world, 2);
	link_anew(world);
	turn(world);
	assert_int_equal(world->came, 2);
	acknowledge(world, SOURCE, 1);
	write_some(world, 3);
	link_free(world->auditor);
	world->auditor = NULL;
	turn(world);
	write_some(world, 1);
	link_anew(world);
	turn(world);
	assert_int_equal(world->came, 5);
	assert_int_equal(world->last, 6);
}

static void
the_time_is_filled_in(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();

	link_anew(world);
	record.time_us = 0;
	fake_clock_set(5, 1234567);
	audit_sender_write(world->sender, &record);
	turn(world);
	assert_int_equal(world->record.time_us, 1234567);
}

static void
what_cannot_be_kept_is_counted_exactly(void **state)
{
	struct world *world = *state;
	const unsigned many = 40000;
	size_t kept;

	write_some(world, many);
	kept = audit_sender_pending(world->sender) - 1;
	assert_true(kept > 1000 && kept < many);
	link_anew(world);
	turn(world);
	assert_int_equal(world->came, kept);
	assert_int_equal(world->gaps, 0);
	/* Still no room for a long time: half of it is to be free first. */
	acknowledge(world, SOURCE, 10);
	write_some(world, 1);
	turn(world);
	assert_int_equal(world->gaps, 0);
	acknowledge(world, SOURCE, kept);
	assert_int_equal(world->gaps, 1);
	assert_int_equal(world->lost, many + 1 - kept);
	assert_int_equal(world->last, kept + 1);
	write_some(world, 1);
	turn(world);
	assert_int_equal(world->last, kept + 2);
	acknowledge(world, SOURCE, kept + 2);
	assert_int_equal(audit_sender_pending(world->sender), 0);
}

static void
an_auditor_that_does_not_read_stops_nobody(void **state)
{
	struct world *world = *state;
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	audit_sender_link(world->sender, fds[1]);
	write_some(world, 20000);
	/* More than a socket and a link's queue hold: a timer goes on. */
	world->auditor =
	    link_new(world->base, fds[0], handlers, on_closed, world);
	for (int i = 0; i < 400 && world->lost == 0; i++) {
		if (world->last > 0)
			acknowledge(world, SOURCE, world->last);
		assert_int_equal(
		    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK),
		    0);
	}
	assert_int_equal(world->gaps, 1);
	assert_int_equal(world->came - 1 + world->lost, 20000);
}

struct waiter {
	unsigned kept, not_kept;
};

static void
on_kept(void *arg, bool is_kept)
{
	struct waiter *waiter = arg;

	if (is_kept)
		waiter->kept++;
	else
		waiter->not_kept++;
}

static struct audit_await *
wait_for_last(struct world *world, struct waiter *waiter)
{
	struct audit_await *await =
	    audit_sender_await(world->sender, on_kept, waiter);

	assert_non_null(await);
	assert_int_equal(waiter->kept + waiter->not_kept, 0);
	return await;
}

static void
who_waits_is_told_of_his_acknowledgement_once(void **state)
{
	struct world *world = *state;
	struct waiter second = {0}, fourth = {0}, left = {0}, late = {0};
	struct audit_await *leaving;

	link_anew(world);
	write_some(world, 2);
	(void)wait_for_last(world, &second);
	leaving = wait_for_last(world, &left);
	write_some(world, 2);
	(void)wait_for_last(world, &fourth);
	turn(world);
	acknowledge(world, SOURCE, 1);
	assert_int_equal(second.kept, 0);
	audit_await_cancel(leaving);
	acknowledge(world, SOURCE, 3);
	assert_int_equal(second.kept, 1);
	assert_int_equal(fourth.kept, 0);
	acknowledge(world, SOURCE, 4);
	acknowledge(world, SOURCE, 4);
	assert_int_equal(second.kept, 1);
	assert_int_equal(fourth.kept, 1);
	assert_int_equal(left.kept + left.not_kept, 0);
	/* Acknowledged before he asks: told all the same, and not at once. */
	(void)wait_for_last(world, &late);
	turn(world);
	assert_int_equal(late.kept, 1);
}

static void
tell(struct world *world, enum audit_message message)
{
	assert_int_equal(
	    link_send(world->auditor, (uint16_t)message, 0, NULL, 0), 0);
	turn(world);
}

static void
a_failing_auditor_is_known_and_gets_all_again(void **state)
{
	struct world *world = *state;
	struct waiter waiter = {0};

	link_anew(world);
	assert_false(audit_sender_is_failing(world->sender));
	write_some(world, 3);
	(void)wait_for_last(world, &waiter);
	turn(world);
	assert_int_equal(world->came, 3);
	tell(world, AUDIT_FAILING);
	assert_true(audit_sender_is_failing(world->sender));
	assert_int_equal(waiter.not_kept, 1);
	assert_int_equal(audit_sender_pending(world->sender), 3);
	tell(world, AUDIT_AGAIN);
	assert_false(audit_sender_is_failing(world->sender));
	assert_int_equal(world->came, 6);
	assert_int_equal(world->last, 3);
	assert_int_equal(waiter.kept, 0);
}

static void
what_is_lost_is_not_waited_for(void **state)
{
	struct world *world = *state;
	struct waiter waiter = {0};

	write_some(world, 40000);
	assert_true(audit_sender_is_failing(world->sender));
	(void)wait_for_last(world, &waiter);
	turn(world);
	assert_int_equal(waiter.not_kept, 1);
	assert_int_equal(waiter.kept, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_go_in_order_and_stay_until_acknowledged),
	    TEST(a_new_auditor_gets_what_was_not_acknowledged),
	    TEST(the_time_is_filled_in),
	    TEST(what_cannot_be_kept_is_counted_exactly),
	    TEST(who_waits_is_told_of_his_acknowledgement_once),
	    TEST(a_failing_auditor_is_known_and_gets_all_again),
	    TEST(what_is_lost_is_not_waited_for),
	    TEST(an_auditor_that_does_not_read_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
