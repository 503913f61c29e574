/* SPDX-License-Identifier: ISC */
/* The auditor's queue: sequence, gaps, what waited, and a successor. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "gateway/audit_state.h"
#include "gateway/audit_trail.h"
#include "tests/support/fake_clock.h"
#include "tests/support/records.h"
#include "tests/support/structured_data.h"

#define QUEUE_MAX 100

struct world {
	struct event_base *base;
	int state_fd;
	struct audit_state *state;
	struct audit_trail *trail;
	char folder[64], path[96];
	int receiver;
	unsigned taken;
	struct structured_data data; /* of the last that was received */
};

static void
on_taken(void *arg)
{
	struct world *world = arg;

	world->taken++;
}

static void
bind_receiver(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	world->receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(world->receiver >= 0);
	memcpy(address.sun_path, world->path, strlen(world->path));
	(void)unlink(world->path);
	assert_int_equal(
	    bind(world->receiver, (struct sockaddr *)&address, sizeof(address)),
	    0);
}

static void
start(struct world *world)
{
	char target[128];
	const struct audit_trail_settings settings = {
	    .target = target,
	    .rfc5424 = true,
	    .facility = 10,
	    .sd_id = "g@1",
	    .instance = "i",
	    .boot_id = "b",
	    .queue_max = QUEUE_MAX,
	};

	(void)snprintf(target, sizeof(target), "unix:%s", world->path);
	world->state = audit_state_open(dup(world->state_fd));
	world->trail = audit_trail_new(
	    world->base, world->state, &settings, on_taken, world);
}

static void
kill_it(struct world *world)
{
	audit_trail_free(world->trail);
	audit_state_close(world->state);
	world->trail = NULL;
	world->state = NULL;
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	world->state_fd = memfd_create("auditor.state", MFD_CLOEXEC);
	world->receiver = -1;
	(void)snprintf(world->folder, sizeof(world->folder), "%s",
	    "/tmp/test_trail.XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	(void)snprintf(
	    world->path, sizeof(world->path), "%s/log", world->folder);
	start(world);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	kill_it(world);
	event_base_free(world->base);
	(void)close(world->state_fd);
	if (world->receiver >= 0)
		(void)close(world->receiver);
	(void)unlink(world->path);
	assert_int_equal(rmdir(world->folder), 0);
	free(world);
	return 0;
}

static void
turn(struct world *world)
{
	for (int i = 0; i < 50; i++)
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
}

static void
write_numbers(
    struct world *world, uint64_t source, uint64_t first, uint64_t last)
{
	struct audit_record record = record_full();

	for (uint64_t number = first; number <= last; number++) {
		record.session = source * 1000000 + number;
		record.lost = 0;
		audit_trail_write(world->trail, source, number, &record);
	}
}

/* False if there is none. */
static bool
receive(struct world *world)
{
	char message[AUDIT_RECORD_MAX];
	ssize_t got = recv(world->receiver, message, sizeof(message) - 1, 0);
	size_t len;

	if (got < 0)
		return false;
	message[got] = '\0';
	assert_true(
	    structured_data_parse(strchr(message, '['), &len, &world->data));
	return true;
}

static void
assert_number(const struct world *world, const char *name, uint64_t number)
{
	const char *value = structured_data_value(&world->data, name);

	assert_non_null(value);
	assert_int_equal(strtoull(value, NULL, 10), number);
}

static void
records_are_numbered_as_they_are_handed_over(void **state)
{
	struct world *world = *state;

	bind_receiver(world);
	write_numbers(world, 1, 1, 3);
	write_numbers(world, 2, 1, 1);
	turn(world);
	for (uint64_t sequence = 1; sequence <= 4; sequence++) {
		assert_true(receive(world));
		assert_number(world, "seq", sequence);
		assert_number(world, "session",
		    sequence == 4 ? 2000001 : 1000000 + sequence);
		assert_null(structured_data_value(&world->data, "lost"));
	}
	assert_false(receive(world));
	assert_int_equal(audit_state_taken(world->state, 1), 3);
	assert_int_equal(audit_state_taken(world->state, 2), 1);
	assert_int_equal(audit_trail_waiting(world->trail), 0);
	assert_true(world->taken > 0);
}

/* Drains the receiver while the sender goes on. */
static size_t
drain(struct world *world, uint64_t *lost, size_t *gaps, uint64_t *sequence)
{
	size_t count = 0;

	for (int idle = 0; idle < 50;) {
		assert_true(event_base_loop(world->base,
				EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
		if (!receive(world)) {
			idle++;
			(void)usleep(10000);
			continue;
		}
		idle = 0;
		assert_number(world, "seq", ++*sequence);
		if (strcmp(structured_data_value(&world->data, "event"),
			"gap") != 0) {
			count++;
			continue;
		}
		*lost += strtoull(
		    structured_data_value(&world->data, "lost"), NULL, 10);
		(*gaps)++;
	}
	return count;
}

static void
what_does_not_fit_is_one_gap_with_its_count(void **state)
{
	struct world *world = *state;
	uint64_t lost = 0, sequence = 0;
	size_t gaps = 0, came;

	write_numbers(world, 1, 1, QUEUE_MAX + 250);
	assert_int_equal(audit_trail_waiting(world->trail), QUEUE_MAX + 1);
	assert_int_equal(audit_state_taken(world->state, 1), 250);
	turn(world);
	bind_receiver(world);
	came = drain(world, &lost, &gaps, &sequence);
	assert_int_equal(came, QUEUE_MAX);
	assert_int_equal(gaps, 1);
	assert_int_equal(lost, 250);
	assert_number(world, "session", 1000000 + QUEUE_MAX + 250);
	assert_int_equal(audit_state_taken(world->state, 1), QUEUE_MAX + 250);
	assert_int_equal(audit_state_lost(world->state), 0);
}

static void
a_receiver_that_stopped_in_the_middle_misses_nothing_uncounted(void **state)
{
	struct world *world = *state;
	uint64_t lost = 0, sequence = 0;
	size_t gaps = 0, came;

	bind_receiver(world); /* its queue fills up */
	for (uint64_t i = 0; i < 100; i++) {
		write_numbers(world, 1, i * 20 + 1, i * 20 + 20);
		turn(world);
	}
	came = drain(world, &lost, &gaps, &sequence);
	assert_int_equal(gaps, 1);
	assert_true(lost > 0);
	assert_int_equal(came + lost, 2000);
}

static void
what_waited_says_so(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();

	fake_clock_set(1000000, record.time_us + 1000000);
	bind_receiver(world);
	audit_trail_write(world->trail, 1, 1, &record);
	turn(world);
	assert_true(receive(world));
	assert_null(structured_data_value(&world->data, "delayed"));
	fake_clock_advance(1);
	audit_trail_write(world->trail, 1, 2, &record);
	turn(world);
	assert_true(receive(world));
	assert_string_equal(
	    structured_data_value(&world->data, "delayed"), "1");
}

static void
a_successor_continues_the_sequence(void **state)
{
	struct world *world = *state;

	bind_receiver(world);
	write_numbers(world, 1, 1, 5);
	turn(world);
	write_numbers(world, 1, 6, 8); /* never handed over */
	assert_int_equal(audit_trail_received(world->trail, 1), 8);
	kill_it(world);
	start(world);
	assert_int_equal(audit_trail_received(world->trail, 1), 5);
	assert_int_equal(audit_trail_received(world->trail, 2), 0);
	write_numbers(world, 1, 6, 8);
	turn(world);
	for (uint64_t sequence = 1; sequence <= 8; sequence++) {
		assert_true(receive(world));
		assert_number(world, "seq", sequence);
		assert_number(world, "session", 1000000 + sequence);
	}
	assert_false(receive(world));
}

static void
a_successor_tells_of_what_was_lost(void **state)
{
	struct world *world = *state;

	write_numbers(world, 1, 1, QUEUE_MAX + 7);
	kill_it(world);
	bind_receiver(world);
	start(world);
	assert_int_equal(audit_trail_received(world->trail, 1), 7);
	turn(world);
	assert_true(receive(world));
	assert_string_equal(
	    structured_data_value(&world->data, "event"), "gap");
	assert_number(world, "lost", 7);
	assert_number(world, "seq", 1);
	assert_false(receive(world));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_are_numbered_as_they_are_handed_over),
	    TEST(what_does_not_fit_is_one_gap_with_its_count),
	    TEST(
		a_receiver_that_stopped_in_the_middle_misses_nothing_uncounted),
	    TEST(what_waited_says_so),
	    TEST(a_successor_continues_the_sequence),
	    TEST(a_successor_tells_of_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
