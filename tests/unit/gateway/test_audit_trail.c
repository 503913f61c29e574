/* SPDX-License-Identifier: ISC */
/* The auditor's trail: sequence, what waited, a successor, a full disk. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "gateway/audit_trail.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/records.h"
#include "tests/support/structured_data.h"

struct world {
	struct event_base *base;
	struct audit_trail *trail;
	char folder[FOLDER_SIZE], path[96], state[96];
	int receiver;
	unsigned safe;
	bool is_failing;
	struct structured_data data; /* of the last that was received */
};

static void
on_mark(void *arg)
{
	(void)arg;
}

static void
on_safe(void *arg)
{
	struct world *world = arg;

	world->safe++;
}

static void
on_failing(void *arg, bool is_failing)
{
	struct world *world = arg;

	assert_true(world->is_failing != is_failing);
	world->is_failing = is_failing;
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
	static const struct audit_trail_functions functions = {
	    .mark = on_mark, .safe = on_safe, .failing = on_failing};
	char target[128];
	const struct audit_trail_settings settings = {
	    .target = target,
	    .rfc5424 = true,
	    .facility = 10,
	    .sd_id = "g@1",
	    .instance = "i",
	    .boot_id = "b",
	    .folder = world->state,
	    .spool_max = 1024 * 1024,
	    .durable = true,
	};

	(void)snprintf(target, sizeof(target), "unix:%s", world->path);
	world->trail =
	    audit_trail_new(world->base, &settings, &functions, world);
}

static void
kill_it(struct world *world)
{
	audit_trail_free(world->trail);
	world->trail = NULL;
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	world->receiver = -1;
	folder_make(world->folder);
	(void)snprintf(
	    world->state, sizeof(world->state), "%s/state", world->folder);
	assert_int_equal(mkdir(world->state, 0700), 0);
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
	if (world->receiver >= 0)
		(void)close(world->receiver);
	folder_remove(world->folder);
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
		assert_true(
		    audit_trail_write(world->trail, source, number, &record));
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
await_safe(struct world *world)
{
	for (int step = 0; !audit_trail_is_safe(world->trail); step++) {
		assert_true(step < 1000);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
	assert_true(world->safe > 0);
}

static void
records_are_numbered_as_they_come(void **state)
{
	struct world *world = *state;

	bind_receiver(world);
	write_numbers(world, 1, 1, 3);
	write_numbers(world, 2, 1, 1);
	await_safe(world);
	turn(world);
	for (uint64_t sequence = 1; sequence <= 4; sequence++) {
		assert_true(receive(world));
		assert_number(world, "seq", sequence);
		assert_number(world, "session",
		    sequence == 4 ? 2000001 : 1000000 + sequence);
		assert_null(structured_data_value(&world->data, "lost"));
	}
	assert_false(receive(world));
	assert_int_equal(audit_trail_taken(world->trail, 1), 3);
	assert_int_equal(audit_trail_taken(world->trail, 2), 1);
	assert_int_equal(audit_trail_waiting(world->trail), 0);
	await_safe(world);
}

/* Takes all that comes, in order, until record `last`. */
static void
receive_all(struct world *world, uint64_t first, uint64_t last)
{
	for (int idle = 0; first <= last;) {
		assert_true(event_base_loop(world->base,
				EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
		if (receive(world)) {
			assert_number(world, "seq", first++);
			idle = 0;
		} else {
			assert_true(++idle < 1000);
			(void)usleep(10000);
		}
	}
	assert_false(receive(world));
}

static void
what_nobody_takes_waits(void **state)
{
	struct world *world = *state;

	write_numbers(world, 1, 1, 300);
	turn(world);
	assert_int_equal(audit_trail_waiting(world->trail), 300);
	await_safe(world);
	kill_it(world);
	start(world);
	assert_int_equal(audit_trail_waiting(world->trail), 300);
	bind_receiver(world);
	receive_all(world, 1, 300);
	assert_int_equal(audit_trail_waiting(world->trail), 0);
}

static void
a_receiver_that_stopped_in_the_middle_misses_nothing(void **state)
{
	struct world *world = *state;

	bind_receiver(world); /* its queue fills up */
	for (uint64_t i = 0; i < 50; i++) {
		write_numbers(world, 1, i * 20 + 1, i * 20 + 20);
		turn(world);
	}
	assert_true(audit_trail_waiting(world->trail) > 0);
	receive_all(world, 1, 1000);
}

/* A spool that is full of what nobody takes. */
static void
what_cannot_be_kept_is_not_taken(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();
	uint64_t number = 1;

	while (audit_trail_write(world->trail, 1, number, &record))
		number++;
	turn(world);
	assert_true(world->is_failing);
	assert_true(audit_trail_is_failing(world->trail));
	assert_int_equal(audit_trail_taken(world->trail, 1), number - 1);
	bind_receiver(world);
	for (int step = 0; world->is_failing; step++) {
		assert_true(step < 1000);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)receive(world);
		(void)usleep(10000);
	}
	assert_true(audit_trail_write(world->trail, 1, number, &record));
}

/* The last lines of the spool, as a loss of power takes them; what is mapped
 * into memory may be newer. */
static void
lose_lines(const struct world *world, unsigned lines)
{
	char path[256], text[65536];
	FILE *file;
	size_t len;

	(void)snprintf(
	    path, sizeof(path), "%s/spool/%020u.log", world->state, 1U);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	assert_true(len > 0 && len < sizeof(text));
	for (len--; lines > 0; lines--)
		while (text[--len] != '\n')
			;
	assert_int_equal(truncate(path, (off_t)len + 1), 0);
}

static void
await_record(struct world *world)
{
	for (int idle = 0; !receive(world); idle++) {
		assert_true(idle < 1000);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
}

static void
what_the_disk_lost_is_counted(void **state)
{
	static const uint64_t numbers[] = {1, 2, 3, 6, 7};
	struct world *world = *state;

	write_numbers(world, 1, 1, 5);
	await_safe(world);
	kill_it(world);
	lose_lines(world, 2);
	start(world);
	bind_receiver(world);
	write_numbers(world, 1, 6, 6);
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		await_record(world);
		assert_number(world, "seq", numbers[i]);
		if (numbers[i] != 6)
			continue;
		assert_string_equal(
		    structured_data_value(&world->data, "event"), "gap");
		assert_number(world, "lost", 2);
	}
}

static bool is_sync_failing, is_data_sync_failing;
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

/* As the kernel does it: once it says that it could not, and then that all is
 * well. */
int
__wrap_fsync(int fd)
{
	if (!is_sync_failing)
		return __real_fsync(fd);
	is_sync_failing = false;
	errno = EIO;
	return -1;
}

int
__wrap_fdatasync(int fd)
{
	if (!is_data_sync_failing)
		return __real_fdatasync(fd);
	is_data_sync_failing = false;
	errno = EIO;
	return -1;
}

static ino_t
first_segment(const struct world *world)
{
	char path[256];
	struct stat status;

	(void)snprintf(
	    path, sizeof(path), "%s/spool/%020u.log", world->state, 1U);
	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

static void
what_the_disk_did_not_take_is_written_once_more(void **state)
{
	struct world *world = *state;
	unsigned safe;
	ino_t before;

	bind_receiver(world);
	write_numbers(world, 1, 1, 3);
	await_safe(world);
	before = first_segment(world);
	safe = world->safe;
	is_sync_failing = true;
	write_numbers(world, 1, 4, 4);
	for (int step = 0; !world->is_failing; step++) {
		assert_true(step < 1000);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
	for (int step = 0; world->is_failing; step++) {
		assert_true(step < 1000);
		if (first_segment(world) == before)
			assert_int_equal(world->safe, safe);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
	assert_int_not_equal(first_segment(world), before);
	/* The one that says that records can be kept again is the fifth. */
	for (uint64_t sequence = 1; sequence <= 5; sequence++) {
		await_record(world);
		assert_number(world, "seq", sequence);
	}
}

/* Two segments fill up in one turn: the first is synced on the spot. */
static void
a_segment_that_was_put_away_in_vain_is_written_once_more(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();
	uint64_t number = 1;
	ino_t before;

	bind_receiver(world);
	is_data_sync_failing = true;
	while (audit_trail_write(world->trail, 1, number, &record))
		number++;
	assert_false(is_data_sync_failing);
	before = first_segment(world);
	for (int step = 0; first_segment(world) == before; step++) {
		assert_true(step < 1000);
		assert_int_equal(world->safe, 0);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
	for (uint64_t sequence = 1; sequence <= number; sequence++) {
		await_record(world);
		assert_number(world, "seq", sequence);
	}
}

static void
a_folder_that_is_not_there_is_waited_for(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();
	char elsewhere[128];

	kill_it(world);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.away", world->state);
	assert_int_equal(rename(world->state, elsewhere), 0);
	start(world);
	assert_false(audit_trail_write(world->trail, 1, 1, &record));
	turn(world);
	assert_true(world->is_failing);
	assert_int_equal(rename(elsewhere, world->state), 0);
	for (int step = 0; world->is_failing; step++) {
		assert_true(step < 1000);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		(void)usleep(10000);
	}
	assert_true(audit_trail_write(world->trail, 1, 1, &record));
	bind_receiver(world);
	/* The one that says so, and ours. */
	receive_all(world, 1, 2);
}

static void
what_waited_says_so(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();

	fake_clock_set(1000000, record.time_us + 1000000);
	bind_receiver(world);
	assert_true(audit_trail_write(world->trail, 1, 1, &record));
	await_safe(world);
	turn(world);
	assert_true(receive(world));
	assert_null(structured_data_value(&world->data, "delayed"));
	fake_clock_advance(1);
	assert_true(audit_trail_write(world->trail, 1, 2, &record));
	await_safe(world);
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
	kill_it(world);
	start(world);
	assert_int_equal(audit_trail_taken(world->trail, 1), 8);
	assert_int_equal(audit_trail_taken(world->trail, 2), 0);
	write_numbers(world, 1, 9, 9);
	receive_all(world, 1, 9);
}

static void
note(void *arg, const struct audit_record *record)
{
	uint64_t *sum = arg;

	*sum += record->session * (record->event == AUDIT_OPEN ? 1 : 1000);
}

static void
what_was_said_of_sessions_is_found_again(void **state)
{
	struct world *world = *state;
	struct audit_record record = record_full();
	uint64_t sum = 0;

	record.event = AUDIT_OPEN;
	record.session = 7;
	assert_true(audit_trail_write(world->trail, 1, 1, &record));
	record.event = AUDIT_DECISION;
	record.session = 8;
	assert_true(audit_trail_write(world->trail, 1, 2, &record));
	record.event = AUDIT_CLOSE;
	record.session = 9;
	assert_true(audit_trail_write(world->trail, 1, 3, &record));
	kill_it(world);
	start(world);
	audit_trail_sessions(world->trail, note, &sum);
	assert_int_equal(sum, 9007);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_are_numbered_as_they_come),
	    TEST(what_nobody_takes_waits),
	    TEST(a_receiver_that_stopped_in_the_middle_misses_nothing),
	    TEST(what_cannot_be_kept_is_not_taken),
	    TEST(what_the_disk_lost_is_counted),
	    TEST(what_the_disk_did_not_take_is_written_once_more),
	    TEST(a_segment_that_was_put_away_in_vain_is_written_once_more),
	    TEST(a_folder_that_is_not_there_is_waited_for),
	    TEST(what_waited_says_so),
	    TEST(a_successor_continues_the_sequence),
	    TEST(what_was_said_of_sessions_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
