/* SPDX-License-Identifier: ISC */
/* The auditor program itself, with a master and senders of our own. */
#include "tests/support/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/link.h"
#include "base/options.h"
#include "base/role.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "tests/support/folder.h"
#include "tests/support/records.h"
#include "tests/support/structured_data.h"

#define PATIENCE_US 10000000

struct world {
	struct event_base *base;
	char folder[FOLDER_SIZE], path[96], state[96];
	int receiver;
	pid_t auditor;
	struct link *control;
	bool ready, gone;
	struct audit_sender *sender; /* of the gateway */
	struct structured_data data; /* of the last record that came */
};

static void
on_ready(void *arg, struct link_message *message)
{
	struct world *world = arg;

	(void)message;
	world->ready = true;
}

static void
on_gone(void *arg)
{
	struct world *world = arg;

	world->gone = true;
}

static const struct link_handler handlers[] = {
    {CONTROL_READY, 8, 8, on_ready},
    {CONTROL_PONG, 0, 0, on_ready},
    {.handle = NULL},
};

static void
bind_receiver(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	world->receiver =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(world->receiver >= 0);
	memcpy(address.sun_path, world->path, strlen(world->path));
	assert_int_equal(
	    bind(world->receiver, (struct sockaddr *)&address, sizeof(address)),
	    0);
}

static void
control(struct world *world, enum control_type type,
    const struct wire_writer *writer, int fd)
{
	assert_int_equal(link_send_fd(world->control, (uint16_t)type, 0,
			     writer->data, writer->len, fd),
	    0);
}

static void
configure(struct world *world)
{
	struct options *options = options_new();
	char target[128];
	uint8_t *data;
	size_t len;

	(void)snprintf(target, sizeof(target), "unix:%s", world->path);
	options_add(options, "audit.target", target);
	options_add(options, "audit.format", "rfc5424");
	options_add(options, "audit.facility", "local0");
	options_add(options, "audit.sd_id", "gatewarden@32473");
	options_add(options, "audit.instance", "");
	options_add_u64(options, "audit.spool_max", 16);
	options_add(options, "audit.durable", "group");
	options_add(options, "state_dir", world->state);
	options_add(options, "boot_id", "b0");
	options_add(options, "gateway.log_level", "error");
	options_encode(options, &data, &len);
	assert_int_equal(
	    link_send(world->control, CONTROL_CONFIGURE, 0, data, len), 0);
	free(data);
	options_free(options);
}

/* Gives the auditor one end of a link; returns the other. */
static int
give_link(struct world *world, enum role role)
{
	struct wire_writer writer;
	uint8_t data[16];
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, (uint8_t)role);
	wire_put_u32(&writer, 0);
	wire_put_u32(&writer, 1);
	control(world, CONTROL_LINK, &writer, fds[0]);
	(void)close(fds[0]);
	return fds[1];
}

static void
run_auditor(int fd)
{
	/* Descriptor 3 without close-on-exec, whatever it was. */
	if (dup2(fd, 10) < 0 || dup2(10, CONTROL_FD) < 0)
		_exit(126);
	(void)close(10);
	(void)execl("./gatewarden-auditor", "gatewarden-auditor", NULL);
	_exit(127);
}

static void
start_auditor(struct world *world)
{
	struct wire_writer writer;
	uint8_t data[64];
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	world->auditor = fork();
	assert_true(world->auditor >= 0);
	if (world->auditor == 0)
		run_auditor(fds[1]);
	(void)close(fds[1]);
	world->ready = world->gone = false;
	world->control =
	    link_new(world->base, fds[0], handlers, on_gone, world);
	assert_non_null(world->control);
	configure(world);
	audit_sender_link(world->sender, give_link(world, ROLE_GATEWAY));
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, 1);
	control(world, CONTROL_COMMIT, &writer, -1);
}

static int
end_auditor(struct world *world)
{
	int status;

	assert_int_equal(waitpid(world->auditor, &status, 0), world->auditor);
	world->auditor = -1;
	link_free(world->control);
	world->control = NULL;
	return status;
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	folder_make(world->folder);
	(void)snprintf(
	    world->state, sizeof(world->state), "%s/state", world->folder);
	assert_int_equal(mkdir(world->state, 0700), 0);
	(void)snprintf(
	    world->path, sizeof(world->path), "%s/log", world->folder);
	bind_receiver(world);
	world->sender = audit_sender_new(world->base, 4242);
	start_auditor(world);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	if (world->auditor > 0) {
		assert_int_equal(kill(world->auditor, SIGKILL), 0);
		(void)end_auditor(world);
	}
	audit_sender_free(world->sender);
	event_base_free(world->base);
	(void)close(world->receiver);
	folder_remove(world->folder);
	free(world);
	return 0;
}

static void
turn(struct world *world)
{
	assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
}

/* Waits for the next record; false if none comes within that time. */
static bool
next_record(struct world *world, uint64_t patience_us)
{
	uint64_t until_us = clock_monotonic_us() + patience_us;
	char message[AUDIT_RECORD_MAX];
	size_t len;
	ssize_t got;

	for (;;) {
		turn(world);
		got = recv(world->receiver, message, sizeof(message) - 1, 0);
		if (got >= 0)
			break;
		if (clock_monotonic_us() > until_us)
			return false;
		(void)usleep(1000);
	}
	message[got] = '\0';
	assert_true(
	    structured_data_parse(strchr(message, '['), &len, &world->data));
	return true;
}

static uint64_t
number(const struct world *world, const char *name)
{
	const char *value = structured_data_value(&world->data, name);

	assert_non_null(value);
	return strtoull(value, NULL, 10);
}

static void
write_record(struct world *world, enum audit_event event, uint64_t session)
{
	struct audit_record record = record_full();

	record.event = event;
	record.session = session;
	record.lost = 0;
	record.time_us = 0;
	audit_sender_write(world->sender, &record);
}

static void
await_acks(struct world *world)
{
	uint64_t until_us = clock_monotonic_us() + PATIENCE_US;

	while (audit_sender_pending(world->sender) > 0) {
		assert_true(clock_monotonic_us() < until_us);
		turn(world);
	}
}

static void
what_is_handed_over_is_acknowledged(void **state)
{
	struct world *world = *state;

	for (uint64_t session = 1; session <= 200; session++)
		write_record(world, AUDIT_DECISION, session);
	for (uint64_t session = 1; session <= 200; session++) {
		assert_true(next_record(world, PATIENCE_US));
		assert_int_equal(number(world, "seq"), session);
		assert_int_equal(number(world, "session"), session);
	}
	await_acks(world);
	assert_true(world->ready);
}

static void
an_auditor_that_is_killed_loses_and_repeats_nothing(void **state)
{
	struct world *world = *state;
	uint64_t sequence = 0, session = 0, written = 0, repeated = 0;

	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 40; i++)
			write_record(world, AUDIT_DECISION, ++written);
		for (int i = 0; i < 10 + round; i++) {
			assert_true(next_record(world, PATIENCE_US));
			assert_int_equal(number(world, "seq"), ++sequence);
			assert_int_equal(number(world, "session"), ++session);
		}
		assert_int_equal(kill(world->auditor, SIGKILL), 0);
		assert_int_equal(WTERMSIG(end_auditor(world)), SIGKILL);
		start_auditor(world);
		/* The one between the socket and the state may come twice,
		 * with the same sequence number. */
		while (session < written) {
			assert_true(next_record(world, PATIENCE_US));
			if (number(world, "seq") == sequence) {
				assert_int_equal(
				    number(world, "session"), session);
				repeated++;
				continue;
			}
			assert_int_equal(number(world, "seq"), ++sequence);
			assert_int_equal(number(world, "session"), ++session);
		}
	}
	assert_true(repeated <= 8);
	await_acks(world);
	assert_false(next_record(world, 50000));
}

static void
sessions_of_a_dead_gateway_are_closed(void **state)
{
	struct world *world = *state;
	struct audit_sender *master = audit_sender_new(world->base, 9000);
	struct audit_record other = record_full();

	audit_sender_link(master, give_link(world, ROLE_MASTER));
	other.event = AUDIT_OPEN;
	other.session = 99;
	other.time_us = 0;
	audit_sender_write(master, &other);
	assert_true(next_record(world, PATIENCE_US));
	write_record(world, AUDIT_OPEN, 1);
	write_record(world, AUDIT_OPEN, 2);
	write_record(world, AUDIT_CLOSE, 1);
	for (int i = 0; i < 3; i++)
		assert_true(next_record(world, PATIENCE_US));
	audit_sender_free(world->sender);
	world->sender = audit_sender_new(world->base, 4243);
	assert_true(next_record(world, PATIENCE_US));
	assert_string_equal(
	    structured_data_value(&world->data, "event"), "close");
	assert_string_equal(
	    structured_data_value(&world->data, "reason"), "crash");
	assert_string_equal(structured_data_value(&world->data, "identity"),
	    "alice@EXAMPLE.COM");
	assert_int_equal(number(world, "session"), 2);
	assert_int_equal(number(world, "seq"), 5);
	audit_sender_free(master); /* no gateway: nobody's sessions end */
	assert_false(next_record(world, 100000));
}

/* The master's numbers are its own, also to who knows them. */
static void
one_program_cannot_speak_for_another(void **state)
{
	struct world *world = *state;
	struct audit_sender *master = audit_sender_new(world->base, 4242);
	struct audit_record record = record_full();

	for (uint64_t session = 1; session <= 5; session++)
		write_record(world, AUDIT_DECISION, session);
	for (uint64_t session = 1; session <= 5; session++)
		assert_true(next_record(world, PATIENCE_US));
	audit_sender_link(master, give_link(world, ROLE_MASTER));
	record.session = 77;
	audit_sender_write(master, &record);
	assert_true(next_record(world, PATIENCE_US));
	assert_int_equal(number(world, "session"), 77);
	audit_sender_free(master);
}

static void
stop(struct world *world)
{
	assert_int_equal(
	    link_send(world->control, CONTROL_STOP, 0, NULL, 0), 0);
}

static void
a_stop_hands_over_what_waits(void **state)
{
	struct world *world = *state;
	uint64_t before_us;

	assert_true(next_record(world, 1) == false);
	for (uint64_t session = 1; session <= 300; session++)
		write_record(world, AUDIT_DECISION, session);
	stop(world);
	for (uint64_t session = 1; session <= 300; session++) {
		assert_true(next_record(world, PATIENCE_US));
		assert_int_equal(number(world, "session"), session);
	}
	before_us = clock_monotonic_us();
	assert_int_equal(end_auditor(world), 0);
	assert_true(clock_monotonic_us() - before_us < 1000000);
}

static void
a_stop_does_not_wait_for_ever(void **state)
{
	struct world *world = *state;
	uint64_t before_us = clock_monotonic_us();

	while (!world->ready)
		turn(world);
	for (uint64_t session = 1; session <= 300; session++)
		write_record(world, AUDIT_DECISION, session);
	turn(world);
	stop(world);
	assert_int_equal(end_auditor(world), 0);
	assert_in_range(clock_monotonic_us() - before_us, 1900000, 5000000);
}

static void
what_is_no_record_is_left_out(void **state)
{
	struct world *world = *state;
	int fd = give_link(world, ROLE_GATEWAY);
	struct link *link = link_new(world->base, fd, handlers, on_gone, world);
	uint8_t data[100] = {0};

	assert_non_null(link);
	assert_int_equal(link_send(link, 1, 0, data, sizeof(data)), 0);
	write_record(world, AUDIT_DECISION, 5);
	assert_true(next_record(world, PATIENCE_US));
	assert_int_equal(number(world, "session"), 5);
	assert_false(next_record(world, 50000));
	link_free(link);
}

static void
an_auditor_without_its_folder_goes_on_when_it_is_back(void **state)
{
	struct world *world = *state;
	char away[sizeof(world->state) + 8];

	write_record(world, AUDIT_DECISION, 1);
	assert_true(next_record(world, PATIENCE_US));
	await_acks(world);
	assert_int_equal(kill(world->auditor, SIGKILL), 0);
	(void)end_auditor(world);
	(void)snprintf(away, sizeof(away), "%s.away", world->state);
	assert_int_equal(rename(world->state, away), 0);
	start_auditor(world);
	write_record(world, AUDIT_DECISION, 2);
	while (!audit_sender_is_failing(world->sender))
		turn(world);
	write_record(world, AUDIT_DECISION, 3);
	assert_int_equal(rename(away, world->state), 0);
	await_acks(world);
	assert_true(next_record(world, PATIENCE_US)); /* that it is back */
	assert_int_equal(number(world, "seq"), 2);
	for (uint64_t session = 2; session <= 3; session++) {
		assert_true(next_record(world, PATIENCE_US));
		assert_int_equal(number(world, "session"), session);
		assert_int_equal(number(world, "seq"), session + 1);
	}
}

static void
a_configuration_may_come_again(void **state)
{
	struct world *world = *state;
	struct wire_writer writer;
	uint8_t data[8];

	while (!world->ready)
		turn(world);
	world->ready = false;
	configure(world);
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, 2);
	control(world, CONTROL_COMMIT, &writer, -1);
	while (!world->ready)
		turn(world);
	write_record(world, AUDIT_DECISION, 5);
	assert_true(next_record(world, PATIENCE_US));
	assert_int_equal(number(world, "seq"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_handed_over_is_acknowledged),
	    TEST(an_auditor_that_is_killed_loses_and_repeats_nothing),
	    TEST(sessions_of_a_dead_gateway_are_closed),
	    TEST(one_program_cannot_speak_for_another),
	    TEST(a_stop_hands_over_what_waits),
	    TEST(a_stop_does_not_wait_for_ever),
	    TEST(what_is_no_record_is_left_out),
	    TEST(an_auditor_without_its_folder_goes_on_when_it_is_back),
	    TEST(a_configuration_may_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
