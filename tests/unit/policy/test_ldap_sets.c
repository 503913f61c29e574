/* SPDX-License-Identifier: ISC */
/* Sets of rules for who wants to look at them: directory-watch, a real
 * directory, and a gateway of the test's that fetches them. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/options.h"
#include "base/wire.h"
#include "policy/rule_set_stream.h"
#include "policy/watch_protocol.h"
#include "tests/unit/policy/ldap_directory.h"

#define PATIENCE_US 20000000
#define RULES	    "ou=rules,dc=example,dc=com"
#define MANY	    "ou=many,dc=example,dc=com"

static struct event_base *base;
static struct options *options;
static struct directory_program *watch;
static char folder[64];

/* The gateway: what it was told, and whether it refuses. */
static struct link *link_to_watch;
static bool has_commit, refuses;

/* The last answer. */
static bool has_answer;
static uint16_t answer_type;
static uint32_t ticket;
static uint64_t promised;
static char why[1024];

/* What was fetched. */
static uint8_t *set;
static size_t set_len;

/* ---- the gateway */

static void
on_nothing(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static void
on_commit(void *arg, struct link_message *message)
{
	static const uint8_t answer[8];

	(void)arg;
	(void)message;
	has_commit = true;
	/* Eight zeros are a generation, four an empty text. */
	assert_int_equal(
	    link_send(link_to_watch, refuses ? WATCH_REFUSED : WATCH_TAKEN, 0,
		answer, refuses ? 4 : 8),
	    0);
}

static void
on_closed(void *arg)
{
	(void)arg;
	link_free(link_to_watch);
	link_to_watch = NULL;
}

static const struct link_handler handlers[] = {
    {WATCH_BEGIN, 0, 0, on_nothing},
    {WATCH_PUT, 1, LINK_MESSAGE_MAX, on_nothing},
    {WATCH_COMMIT, 9, 9, on_commit},
    {WATCH_CONFIRM, 8, 8, on_nothing},
    {WATCH_STATE, 5, LINK_MESSAGE_MAX, on_nothing},
    {WATCH_SUBJECTS, 0, 0, on_nothing},
    {.handle = NULL},
};

static void
await(bool *flag)
{
	assert_true(directory_await(base, flag, PATIENCE_US));
	*flag = false;
}

static void
start_watch(const char *rule_base)
{
	directory_add_server(options, "ldap", 1);
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add(options, "directory.bind", "simple");
	options_add(options, "directory.bind_dn", DIRECTORY_READER);
	options_add(options, "directory.rule_base", rule_base);
	options_add_u64(options, "directory.timeout", 10);
	options_add(options, "state_dir", folder);
	options_add(options, "gateway.log_level", "error");
	watch = directory_program_new(base, "gatewarden-directory-watch");
	directory_program_configure(watch, options, DIRECTORY_READER_PASSWORD);
	link_to_watch = link_new(
	    base, directory_program_link(watch, 0), handlers, on_closed, NULL);
	assert_non_null(link_to_watch);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	options = options_new();
	has_commit = refuses = false;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-sets-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int
tear_down(void **state)
{
	char path[128];

	(void)state;
	directory_program_free(watch);
	watch = NULL;
	link_free(link_to_watch);
	link_to_watch = NULL;
	(void)snprintf(path, sizeof(path), "%s/rules", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/rules.new", folder);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
	free(set);
	set = NULL;
	options_free(options);
	event_base_free(base);
	return 0;
}

/* ---- asking */

static void
keep_piece(const struct link_message *answer)
{
	assert_true(answer->len <= WATCH_PIECE_MAX);
	set = realloc(set, set_len + answer->len + 1);
	assert_non_null(set);
	memcpy(set + set_len, answer->data, answer->len);
	set_len += answer->len;
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct wire_reader reader;

	(void)arg;
	assert_int_equal(outcome, ANSWER_GIVEN);
	has_answer = true;
	answer_type = answer->type;
	wire_reader_init(&reader, answer->data, answer->len);
	if (answer->type == WATCH_SET_READY) {
		promised = wire_get_u64(&reader);
		assert_true(wire_is_done(&reader));
	} else if (answer->type == WATCH_SET_FAILED) {
		wire_get_string(&reader, why, sizeof(why));
		assert_true(wire_is_done(&reader));
	} else {
		assert_int_equal(answer->type, WATCH_OCTETS);
		keep_piece(answer);
	}
}

static void
ask(uint16_t type, const struct wire_writer *data)
{
	has_answer = false;
	assert_non_null(question_start(link_to_watch, type, data->data,
	    data->len, PATIENCE_US / 1000, on_answer, NULL));
	await(&has_answer);
}

static void
want_set(const char *rule_base)
{
	struct wire_writer writer;
	uint8_t data[256];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, ++ticket);
	wire_put_string(&writer, rule_base);
	ask(WATCH_SET, &writer);
}

static void
want_piece(uint32_t of, uint64_t offset)
{
	struct wire_writer writer;
	uint8_t data[12];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, of);
	wire_put_u64(&writer, offset);
	ask(WATCH_PIECE, &writer);
}

static void
must_fail(const char *because)
{
	assert_int_equal(answer_type, WATCH_SET_FAILED);
	if (strstr(why, because) == NULL)
		fail_msg("%s", why);
}

static void
drop(uint32_t of)
{
	struct wire_writer writer;
	uint8_t data[4];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, of);
	assert_int_equal(
	    link_send(link_to_watch, WATCH_SET_DROP, 0, data, writer.len), 0);
}

/* Asks for the rules, and waits until those that it has taken are in force:
 * they may come twice, since they are sent as soon as they were read. */
static void
want_rules(void)
{
	bool never = false;

	assert_int_equal(link_send(link_to_watch, WATCH_WANT, 0, NULL, 0), 0);
	await(&has_commit);
	for (want_set(""); answer_type != WATCH_SET_READY; want_set(""))
		(void)directory_await(base, &never, 10000);
	drop(ticket);
	has_commit = false;
}

/* Of that set, in so many rules. */
static void
fetch(const char *rule_base, long count)
{
	want_set(rule_base);
	if (answer_type == WATCH_SET_FAILED)
		fail_msg("%s", why);
	free(set);
	set = NULL;
	set_len = 0;
	while (set_len < promised)
		want_piece(ticket, set_len);
	assert_int_equal(set_len, promised);
	assert_int_equal(rule_set_count(set, set_len), count);
}

/* ---- tests */

static void
the_set_in_force_comes_in_pieces(void **state)
{
	(void)state;
	start_watch(MANY);
	want_rules();
	fetch("", 3000);
	assert_true(set_len > 2 * (size_t)WATCH_PIECE_MAX);
	fetch("", 3000); /* and again */
}

static void
another_base_is_read_and_changes_nothing(void **state)
{
	(void)state;
	start_watch(RULES);
	want_rules();
	fetch(MANY, 3000);
	assert_false(has_commit);
	fetch("", 2);
}

static void
what_cannot_be_read_is_said(void **state)
{
	(void)state;
	start_watch(RULES);
	want_set("");
	must_fail("no rules are in force yet");
	want_rules();
	want_set("ou=none,dc=example,dc=com");
	must_fail("there is no such entry");
	want_set("none");
	must_fail("Invalid DN syntax");
	want_set("ou=empty,dc=example,dc=com");
	must_fail("no rule");
	want_set("ou=part,dc=example,dc=com");
	must_fail("referrals are not followed");
	fetch("", 2); /* none of it stays in the way */
}

static void
one_set_is_looked_at_at_a_time(void **state)
{
	uint32_t first;

	(void)state;
	start_watch(RULES);
	want_rules();
	want_set("");
	first = ticket;
	want_set(MANY);
	must_fail("somebody else");
	want_set("");
	must_fail("somebody else");
	want_piece(ticket, 0);
	must_fail("not fetched in time");
	want_piece(first, promised + 1);
	must_fail("not fetched in time");
	drop(ticket); /* of one who got none */
	want_set("");
	must_fail("somebody else");
	drop(first);
	want_piece(first, 0);
	must_fail("not fetched in time");
	fetch("", 2);
}

/* What the gateway has refused is not in force. */
static void
after_a_refusal_the_set_in_force_is_the_one_before(void **state)
{
	(void)state;
	start_watch(RULES);
	want_rules();
	refuses = true;
	directory_modify(
	    "dn: cn=zz," RULES "\nchangetype: add\nobjectClass: gwRule\n"
	    "gwAction: permit\ngwDestination: *\n");
	await(&has_commit);
	fetch("", 2);
	fetch(RULES, 3);
	directory_modify("dn: cn=zz," RULES "\nchangetype: delete\n");
	await(&has_commit);
}

static void
without_a_directory_no_other_base_can_be_read(void **state)
{
	struct options *none = options_new();

	(void)state;
	start_watch(RULES);
	options_add(none, "state_dir", folder);
	options_add(none, "gateway.log_level", "error");
	options_add(none, "policy.file", directory_path("none.ldif"));
	directory_program_configure(watch, none, NULL);
	want_set(MANY);
	must_fail("directory.uri names no server");
	options_free(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_set_in_force_comes_in_pieces),
	    TEST(another_base_is_read_and_changes_nothing),
	    TEST(what_cannot_be_read_is_said),
	    TEST(one_set_is_looked_at_at_a_time),
	    TEST(after_a_refusal_the_set_in_force_is_the_one_before),
	    TEST(without_a_directory_no_other_base_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
