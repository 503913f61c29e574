/* SPDX-License-Identifier: ISC */
/*
 * Records through a real rsyslogd, which tests/support/with_rsyslogd.sh has
 * started: what its own parsers make of any octets, and what a stop costs.
 */
#include "tests/support/unit.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/text.h"
#include "gateway/audit_trail.h"
#include "tests/support/folder.h"
#include "tests/support/records.h"
#include "tests/support/structured_data.h"

#define LINE_SIZE  65536
#define WAIT_STEPS 1000 /* of 10 ms */

struct world {
	struct event_base *base;
	char folder[FOLDER_SIZE];
	struct audit_trail *trail;
	FILE *out;
	char line[LINE_SIZE];
};

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not set: run by with_rsyslogd.sh", name);
	return value;
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	folder_make(world->folder);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	audit_trail_free(world->trail);
	folder_remove(world->folder);
	event_base_free(world->base);
	if (world->out != NULL)
		(void)fclose(world->out);
	free(world);
	return 0;
}

static void
on_safe(void *arg)
{
	(void)arg;
}

static void
on_failing(void *arg, bool is_failing)
{
	(void)arg;
	fail_msg("the spool %s", is_failing ? "fails" : "failed");
}

static void
take(struct world *world, uint64_t number, const struct audit_record *record)
{
	assert_true(audit_trail_write(world->trail, 1, number, record));
}

static void
start(
    struct world *world, const char *scheme, const char *variable, bool rfc5424)
{
	char target[256];
	static const struct audit_trail_functions functions = {
	    .mark = on_safe, .safe = on_safe, .failing = on_failing};
	const struct audit_trail_settings settings = {
	    .target = target,
	    .rfc5424 = rfc5424,
	    .facility = 10,
	    .sd_id = "gatewarden@32473",
	    .instance = "gw one",
	    .boot_id = "b0",
	    .folder = world->folder,
	    .spool_max = (uint64_t)256 * 1024 * 1024,
	};

	(void)snprintf(
	    target, sizeof(target), "%s:%s", scheme, environment(variable));
	world->trail =
	    audit_trail_new(world->base, &settings, &functions, world);
	world->out = fopen(environment("RSYSLOG_OUT"), "a+");
	assert_non_null(world->out);
	assert_int_equal(fseek(world->out, 0, SEEK_END), 0);
}

/* The next line of what rsyslogd wrote; our side goes on meanwhile. */
static bool
next_line(struct world *world, int steps)
{
	size_t len = 0;

	for (int step = 0; step < steps;) {
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		clearerr(world->out);
		if (fgets(world->line + len, (int)(LINE_SIZE - len),
			world->out) == NULL) {
			(void)usleep(10000);
			step++;
			continue;
		}
		len += strlen(world->line + len);
		if (len > 0 && world->line[len - 1] == '\n')
			return true;
	}
	return false;
}

static void
assert_text(struct world *world, const char *name, const char *wanted)
{
	char text[LINE_SIZE / 4];

	if (!json_text(world->line, name, text, sizeof(text)))
		fail_msg("no %s in %s", name, world->line);
	assert_string_equal(text, wanted);
}

static void
assert_octets(
    struct world *world, const char *name, const void *octets, size_t len)
{
	char text[LINE_SIZE / 4];
	uint8_t out[AUDIT_DETAIL_SIZE];
	size_t out_len;

	if (len == 0) {
		assert_false(json_text(world->line, name, text, sizeof(text)));
		return;
	}
	assert_true(json_text(world->line, name, text, sizeof(text)));
	assert_true(text_unquote(out, sizeof(out), &out_len, text));
	assert_int_equal(out_len, len);
	assert_memory_equal(out, octets, len);
}

static void
assert_record(
    struct world *world, const struct audit_record *record, unsigned sequence)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%u", sequence);
	assert_text(world, "seq", text);
	assert_text(world, "instance", "gw one");
	assert_text(world, "event", audit_event_name(record->event));
	assert_text(world, "reason", reason_name(record->reason));
	assert_text(world, "outcome", record->failed ? "fail" : "ok");
	assert_text(world, "client", "192.0.2.7:40000");
	assert_text(world, "egress", "[2001:db8::1]:50000");
	assert_text(world, "delayed", "1");
	assert_octets(world, record->is_claimed ? "claimed" : "identity",
	    record->identity, strlen(record->identity));
	assert_octets(world, "asked", record->asked, record->asked_len);
	assert_octets(world, "rule", record->rule, strlen(record->rule));
	if (strstr(world->line, "\"cut\"") == NULL)
		assert_octets(
		    world, "detail", record->detail, strlen(record->detail));
}

/* Names that rsyslogd or its files could stumble over. */
static struct audit_record
nasty_record(unsigned i)
{
	struct audit_record record = record_drawn();

	if (i == 0) {
		record = record_largest();
		/* rsyslogd reads no year from 2100 on. */
		record.time_us = record_full().time_us;
		record.client = record_full().client;
		record.egress = record_full().egress;
	}
	if (i == 1) {
		memset(record.asked, '"', 255);
		record.asked_len = 255;
		memset(record.identity, '"', 255);
		record.identity[255] = '\0';
		memset(record.detail, ']', 255);
		record.detail[255] = '\0';
	}
	return record;
}

static void
any_octets_come_through(struct world *world)
{
	enum { COUNT = 300 };
	static struct audit_record records[COUNT];

	srand(5424);
	for (unsigned i = 0; i < COUNT; i++) {
		records[i] = nasty_record(i);
		take(world, i + 1, &records[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		assert_true(next_line(world, WAIT_STEPS));
		assert_text(world, "msgid", audit_event_name(records[i].event));
		assert_text(world, "time", "2025-11-24T16:00:00.123456Z");
		assert_record(world, &records[i], i + 1);
	}
	assert_false(next_line(world, 10));
}

static void
any_octets_come_through_a_unix_socket(void **state)
{
	start(*state, "unix", "RSYSLOG_UNIX", true);
	any_octets_come_through(*state);
}

static void
any_octets_come_through_tcp(void **state)
{
	start(*state, "tcp", "RSYSLOG_TCP", true);
	any_octets_come_through(*state);
}

/* The parser of /dev/log knows no structured data: it leads the text. */
static void
rfc3164_has_host_tag_and_the_data_in_its_text(void **state)
{
	struct world *world = *state;
	struct structured_data *data = malloc(sizeof(*data));
	char host[256], tag[64], text[LINE_SIZE / 4];

	start(world, "unix", "RSYSLOG_DEVLOG", false);
	assert_non_null(data);
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	host[strcspn(host, ".")] = '\0';
	(void)snprintf(tag, sizeof(tag), "gatewarden[%d]:", (int)getpid());
	srand(3164);
	for (unsigned i = 0; i < 100; i++) {
		struct audit_record record = record_drawn();
		uint8_t out[1024];
		size_t len;
		const char *identity;

		take(world, i + 1, &record);
		assert_true(next_line(world, WAIT_STEPS));
		assert_text(world, "tag", tag);
		assert_text(world, "host", host);
		assert_true(json_text(world->line, "msg", text, sizeof(text)));
		assert_int_equal(text[0], ' ');
		assert_true(structured_data_parse(text + 1, &len, data));
		assert_string_equal(data->id, "gatewarden@32473");
		assert_int_equal(text[1 + len], ' ');
		identity = structured_data_value(
		    data, record.is_claimed ? "claimed" : "identity");
		assert_true(text_unquote(
		    out, sizeof(out), &len, identity != NULL ? identity : ""));
		assert_int_equal(len, strlen(record.identity));
		assert_memory_equal(out, record.identity, len);
	}
	assert_false(next_line(world, 10));
	free(data);
}

static void
a_stopped_daemon_costs_nothing(struct world *world, uint64_t total)
{
	pid_t daemon = (pid_t)strtol(environment("RSYSLOG_PID"), NULL, 10);
	struct audit_record record = record_full();
	uint64_t slowest_us = 0;
	char number[32];

	record.lost = 0;
	assert_int_equal(kill(daemon, SIGSTOP), 0);
	for (uint64_t i = 1; i <= total; i++) {
		uint64_t before_us = clock_monotonic_us(), took_us;

		take(world, i, &record);
		assert_true(event_base_loop(world->base, EVLOOP_NONBLOCK) >= 0);
		took_us = clock_monotonic_us() - before_us;
		if (took_us > slowest_us)
			slowest_us = took_us;
	}
	assert_true(slowest_us < 1000000); /* blocked, it would not return */
	assert_int_equal(kill(daemon, SIGCONT), 0);
	for (uint64_t i = 1; i <= total; i++) {
		assert_true(next_line(world, WAIT_STEPS));
		(void)snprintf(number, sizeof(number), "%" PRIu64, i);
		assert_text(world, "seq", number);
	}
	assert_false(next_line(world, 10));
	assert_int_equal(audit_trail_waiting(world->trail), 0);
}

static void
a_stopped_daemon_costs_nothing_on_a_unix_socket(void **state)
{
	start(*state, "unix", "RSYSLOG_UNIX", true);
	a_stopped_daemon_costs_nothing(*state, 5000);
}

static void
a_stopped_daemon_costs_nothing_on_tcp(void **state)
{
	start(*state, "tcp", "RSYSLOG_TCP", true);
	a_stopped_daemon_costs_nothing(*state, 20000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(any_octets_come_through_a_unix_socket),
	    TEST(any_octets_come_through_tcp),
	    TEST(rfc3164_has_host_tag_and_the_data_in_its_text),
	    TEST(a_stopped_daemon_costs_nothing_on_a_unix_socket),
	    TEST(a_stopped_daemon_costs_nothing_on_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
