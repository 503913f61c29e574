/* SPDX-License-Identifier: ISC */
/* What the control socket says of users, entries, names, rules and the
 * gateway: a real server and client, and scripted directory programs. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/link.h"
#include "base/options.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "gateway/control_commands.h"
#include "gateway/control_server.h"
#include "gateway/policy_source.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "policy/lookup_now.h"
#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"
#include "policy/watch_protocol.h"
#include "relay/resolver.h"

#define ALICE	    "alice@EXAMPLE.COM"
#define PATIENCE_US 10000000
#define SET_LEN	    (5 * WATCH_PIECE_MAX / 2)
#define LINES_MAX   16

static char directory[] = "/tmp/gatewarden-test-XXXXXX";
static struct sockaddr_un address;
static struct event_base *base;
static struct shared shared;
static struct settings settings;
static struct control_world world;
static struct control_server *server;
static struct audit_record last_record;

/* directory-lookup and directory-watch, and what they are to say. */
static struct link *lookup, *watch;
static uint16_t lookup_answer; /* LOOKUP_...; 0: nothing */
static const char *set_failure;
static char asked_text[256];
static uint32_t last_ticket, dropped;
static unsigned pieces, pieces_max;

/* gatewardenctl. */
static struct link *client;
static struct options *lines[LINES_MAX];
static size_t line_count, octet_count;
static bool is_done, is_failed;
static struct ctl_failed failed;

void __wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record);
void
__wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record)
{
	(void)sender;
	last_record = *record;
}

/* ---- directory-lookup */

static void
say_failed(struct link *link, uint16_t type, uint64_t id, const char *why)
{
	uint8_t data[256];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, why);
	assert_int_equal(link_send(link, type, id, data, writer.len), 0);
}

/* In staff, and through it in all. */
static void
say_alice(uint64_t id, uint32_t number)
{
	struct provenance *found = provenance_new();
	struct subject *subject = subject_new("uid=alice,dc=example");
	size_t first = 0, len;
	uint8_t *data;

	assert_int_equal(provenance_add(found, "cn=staff", ORIGIN_MEMBER_UID,
			     FINDING_DIRECT),
	    0);
	assert_int_equal(provenance_add(found, "cn=all", ORIGIN_MEMBER, 0), 0);
	assert_int_equal(subject_add_group(subject, "cn=staff"), 0);
	assert_int_equal(subject_add_group(subject, "cn=all"), 0);
	assert_int_equal(
	    lookup_findings_encode(found, &first, number, &data, &len), 0);
	assert_int_equal(link_send(lookup, LOOKUP_FINDINGS, 0, data, len), 0);
	free(data);
	assert_int_equal(lookup_subject_encode(subject, 2, &data, &len), 0);
	assert_int_equal(link_send(lookup, LOOKUP_SUBJECT, id, data, len), 0);
	free(data);
	provenance_free(found);
	subject_unref(subject);
}

static void
on_lookup(void *arg, struct link_message *message)
{
	struct wire_reader reader;
	uint32_t number = 0;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	if (message->type == LOOKUP_EXPLAIN)
		number = wire_get_u32(&reader);
	wire_get_string(&reader, asked_text, sizeof(asked_text));
	assert_true(wire_is_done(&reader));
	if (lookup_answer == LOOKUP_FAILED)
		say_failed(lookup, LOOKUP_FAILED, message->id, "it is\ndown");
	else if (lookup_answer == LOOKUP_SUBJECT)
		say_alice(message->id, number);
	else if (lookup_answer != 0)
		assert_int_equal(
		    link_send(lookup, lookup_answer, message->id, NULL, 0), 0);
}

static const struct link_handler lookup_handlers[] = {
    {LOOKUP_EXPLAIN, 8, 1032, on_lookup},
    {LOOKUP_ENTRY, 4, LOOKUP_DN_MAX + 4, on_lookup},
    {.handle = NULL},
};

/* ---- directory-watch */

static void
on_set(void *arg, struct link_message *message)
{
	uint8_t data[8];
	struct wire_writer writer;
	struct wire_reader reader;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	last_ticket = wire_get_u32(&reader);
	wire_get_string(&reader, asked_text, sizeof(asked_text));
	assert_true(wire_is_done(&reader));
	if (set_failure != NULL) {
		say_failed(watch, WATCH_SET_FAILED, message->id, set_failure);
		return;
	}
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, SET_LEN);
	assert_int_equal(
	    link_send(watch, WATCH_SET_READY, message->id, data, writer.len),
	    0);
}

static void
on_piece(void *arg, struct link_message *message)
{
	static uint8_t octets[WATCH_PIECE_MAX];
	struct wire_reader reader;
	uint64_t at;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	assert_int_equal(wire_get_u32(&reader), last_ticket);
	at = wire_get_u64(&reader);
	if (pieces++ == pieces_max)
		return;
	assert_int_equal(link_send(watch, WATCH_OCTETS, message->id, octets,
			     SET_LEN - at < WATCH_PIECE_MAX ? SET_LEN - at
							    : WATCH_PIECE_MAX),
	    0);
}

static void
on_drop(void *arg, struct link_message *message)
{
	struct wire_reader reader;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	dropped = wire_get_u32(&reader);
}

static void
on_want(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static const struct link_handler watch_handlers[] = {
    {WATCH_WANT, 0, 0, on_want},
    {WATCH_SET, 8, WATCH_BASE_MAX + 8, on_set},
    {WATCH_PIECE, 12, 12, on_piece},
    {WATCH_SET_DROP, 4, 4, on_drop},
    {.handle = NULL},
};

static void
on_closed(void *arg)
{
	struct link **link = arg;

	link_free(*link);
	*link = NULL;
}

static struct link *
make_link(int *fd, const struct link_handler *handlers, struct link **arg)
{
	struct link *link;
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	*fd = fds[0];
	link = link_new(base, fds[1], handlers, on_closed, arg);
	assert_non_null(link);
	return link;
}

/* ---- gatewardenctl */

static void
on_line(void *arg, struct link_message *message)
{
	(void)arg;
	assert_true(line_count < LINES_MAX);
	lines[line_count] = options_decode(message->data, message->len);
	assert_non_null(lines[line_count++]);
}

static void
on_octets(void *arg, struct link_message *message)
{
	(void)arg;
	octet_count += message->len;
}

static void
on_done(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
	is_done = true;
}

static void
on_failed(void *arg, struct link_message *message)
{
	(void)arg;
	is_failed = true;
	assert_true(ctl_failed_decode(message->data, message->len, &failed));
}

static const struct link_handler client_handlers[] = {
    {CTL_LINE, 1, CTL_LINE_MAX, on_line},
    {CTL_OCTETS, 1, CTL_OCTETS_MAX, on_octets},
    {CTL_DONE, 0, 0, on_done},
    {CTL_FAILED, 5, CTL_FAILED_MAX, on_failed},
    {.handle = NULL},
};

static void
forget_answer(void)
{
	while (line_count > 0)
		options_free(lines[--line_count]);
	octet_count = 0;
	is_done = is_failed = false;
}

static void
run_for(uint64_t us)
{
	uint64_t until_us = clock_monotonic_us() + us;

	while (!is_done && !is_failed && clock_monotonic_us() < until_us) {
		struct timeval tick = {0, 10000};

		(void)event_base_loopexit(base, &tick);
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
}

static void
ask_only(const char *command, const char *name, const char *text)
{
	struct options *question = options_new();
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	uint8_t *data;
	size_t len;

	forget_answer();
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	link_free(client);
	client = link_new(base, fd, client_handlers, on_closed, &client);
	assert_non_null(client);
	options_add(question, "command", command);
	if (name != NULL)
		options_add(question, name, text);
	options_encode(question, &data, &len);
	assert_int_equal(link_send(client, CTL_ASK, 0, data, len), 0);
	free(data);
	options_free(question);
}

static void
ask(const char *command, const char *name, const char *text)
{
	ask_only(command, name, text);
	run_for(PATIENCE_US);
	assert_true(is_done || is_failed);
	if (is_failed)
		assert_false(is_done);
}

static void
must_say(size_t n, const char *name, const char *text)
{
	assert_true(is_done);
	assert_true(n < line_count);
	assert_string_equal(options_get(lines[n], name, "(none)"), text);
}

static void
must_fail(enum ctl_failure failure, const char *because)
{
	assert_true(is_failed);
	assert_int_equal(failed.failure, failure);
	if (strstr(failed.sentence, because) == NULL)
		fail_msg("%s", failed.sentence);
}

/* How many lines are of a kind, and say that. */
static unsigned
count(const char *kind, const char *name, const char *text)
{
	unsigned found = 0;

	for (size_t i = 0; i < line_count; i++)
		found += strcmp(options_get(lines[i], "kind", ""), kind) == 0 &&
			 strcmp(options_get(lines[i], name, ""), text) == 0;
	return found;
}

/* ---- the gateway */

static void
on_rules(void *arg, struct ruleset *rules)
{
	(void)arg;
	(void)rules;
}

static void
on_subjects(void *arg)
{
	(void)arg;
}

static void
on_settled(void *arg)
{
	(void)arg;
}

static const struct policy_source_events policy_events = {
    .changed = on_rules,
    .subjects_changed = on_subjects,
    .settled = on_settled,
};

static void
make_world(void)
{
	static const struct subject_cache_settings cache = {.ttl_s = 60,
	    .negative_ttl_s = 5,
	    .stale_max_s = 3600,
	    .entries_max = 16};
	static const struct resolver_settings resolver = {
	    .servers = "127.0.0.1:9",
	    .timeout_ms = 100,
	    .outstanding_max = 4,
	    .ttl_max_s = 1,
	    .hosts_file = true};
	int fd;

	shared.subjects = subject_cache_new(&cache);
	world = (struct control_world){.base = base,
	    .shared = &shared,
	    .settings = &settings,
	    .lookups = lookup_now_new(base, 2000),
	    .resolver = resolver_new(base, &resolver),
	    .policy = policy_source_new(
		base, &shared, NULL, true, &policy_events, NULL)};
	assert_non_null(world.lookups);
	assert_non_null(world.resolver);
	lookup = make_link(&fd, lookup_handlers, &lookup);
	lookup_now_link(world.lookups, 0, fd);
	watch = make_link(&fd, watch_handlers, &watch);
	policy_source_link(world.policy, fd);
}

static void
make_settings(void)
{
	static char uri[] = "ldap://127.0.0.1", realm[] = "EXAMPLE.COM",
		    own_realm[] = "pam",
		    line[] = "EXAMPLE.ORG ldap://127.0.0.1 dc=org";
	static char *uris[] = {uri}, *realms[] = {realm}, *own[] = {line};
	static struct listener_settings listener = {.name = "office"};

	assert_true(address_parse("127.0.0.1", &listener.bind.address));
	listener.bind.port = 1080;
	memset(&settings, 0, sizeof(settings));
	settings.directory_uri.count = 1;
	settings.directory_uri.texts = uris;
	settings.directory_timeout = 5;
	settings.realms.count = 1;
	settings.realms.texts = realms;
	settings.directory_realms.count = 1;
	settings.directory_realms.texts = own;
	settings.password_realm = own_realm;
	settings.account_filter = own_realm; /* anything */
	settings.listener_count = 1;
	settings.listeners = &listener;
}

static int
set_up(void **state)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	memcpy(directory, "/tmp/gatewarden-test-XXXXXX", sizeof(directory));
	assert_non_null(mkdtemp(directory));
	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	base = event_base_new();
	memset(&shared, 0, sizeof(shared));
	lookup_answer = LOOKUP_SUBJECT;
	set_failure = NULL;
	pieces = dropped = 0;
	pieces_max = UINT32_MAX;
	make_settings();
	make_world();
	server = control_server_new(&world, NULL, control_commands);
	control_server_listen(server, fd,
	    &(const struct control_groups){
		.read = CONTROL_NO_GROUP, .operate = CONTROL_NO_GROUP});
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	control_server_free(server);
	link_free(client);
	client = NULL;
	forget_answer();
	lookup_now_free(world.lookups);
	resolver_free(world.resolver);
	policy_source_free(world.policy);
	link_free(lookup);
	link_free(watch);
	subject_cache_free(shared.subjects);
	event_base_free(base);
	assert_int_equal(unlink(address.sun_path), 0);
	return rmdir(directory);
}

/* ---- subject */

static void
a_user_is_told_with_where_its_groups_come_from(void **state)
{
	(void)state;
	ask("subject", "who", ALICE);
	assert_string_equal(asked_text, ALICE);
	assert_int_equal(line_count, 3);
	must_say(0, "kind", "subject");
	must_say(0, "dn", "uid=alice,dc=example");
	must_say(0, "disabled", CTL_NO);
	must_say(0, "groups", "2");
	must_say(0, "cached", CTL_NO);
	must_say(0, "silence", "");
	must_say(1, "kind", "group");
	must_say(1, "dn", "cn=staff");
	must_say(1, "origin", "memberUid");
	must_say(1, "through", "(none)");
	must_say(2, "dn", "cn=all");
	must_say(2, "origin", "member");
	must_say(2, "through", "cn=staff");
	must_say(2, "through_number", "0");
	assert_non_null(
	    strstr(last_record.detail, "subject who=\"" ALICE "\""));
}

static void
nobody_is_told(void **state)
{
	(void)state;
	lookup_answer = LOOKUP_NOBODY;
	ask("subject", "who", ALICE);
	assert_int_equal(line_count, 1);
	must_say(0, "dn", "(none)");
	must_say(0, "groups", "0");
}

static void
a_silent_directory_is_told_and_what_it_said_before(void **state)
{
	struct subject *before = subject_new("uid=alice");

	(void)state;
	lookup_answer = LOOKUP_FAILED;
	ask("subject", "who", ALICE);
	must_fail(CTL_UNAVAILABLE, "does not say: it is\\x0adown");
	assert_int_equal(subject_add_group(before, "cn=old"), 0);
	subject_cache_put(shared.subjects, ALICE, before,
	    subject_cache_epoch(shared.subjects));
	ask("subject", "who", ALICE);
	assert_int_equal(line_count, 2);
	must_say(0, "cached", CTL_YES);
	must_say(0, "silence", "it is\\x0adown");
	must_say(1, "dn", "cn=old");
	must_say(1, "origin", "(none)");
	subject_unref(before);
}

static void
what_cannot_be_asked_is_told(void **state)
{
	static char long_name[1100];

	(void)state;
	ask("subject", NULL, NULL);
	must_fail(CTL_BAD_QUESTION, "has no who");
	memset(long_name, 'a', sizeof(long_name) - 1);
	ask("subject", "who", long_name);
	must_fail(CTL_BAD_QUESTION, "too long");
	settings.directory_uri.count = 0;
	ask("subject", "who", ALICE);
	must_fail(CTL_UNAVAILABLE, "directory.uri");
	ask("entry", "dn", "cn=x");
	must_fail(CTL_UNAVAILABLE, "directory.uri");
}

static void
who_hangs_up_is_forgotten(void **state)
{
	(void)state;
	lookup_answer = 0;
	ask_only("subject", "who", ALICE);
	run_for(100000);
	assert_string_equal(asked_text, ALICE);
	link_free(client);
	client = NULL;
	run_for(100000);
	on_closed(&lookup); /* whose questions nobody waits for */
	run_for(100000);
	assert_int_equal(line_count, 0);
}

/* ---- entry */

static void
an_entry_is_there_missing_or_unknown(void **state)
{
	(void)state;
	lookup_answer = LOOKUP_THERE;
	ask("entry", "dn", "cn=staff");
	assert_string_equal(asked_text, "cn=staff");
	must_say(0, "is", "there");
	lookup_answer = LOOKUP_MISSING;
	ask("entry", "dn", "cn=staff");
	must_say(0, "is", "missing");
	lookup_answer = LOOKUP_FAILED;
	ask("entry", "dn", "cn=staff");
	must_say(0, "is", "unknown");
	must_say(0, "silence", "it is\\x0adown");
	ask("entry", NULL, NULL);
	must_fail(CTL_BAD_QUESTION, "has no dn");
}

/* ---- resolve */

static void
a_name_is_resolved_as_for_sessions(void **state)
{
	(void)state;
	ask("resolve", "name", "LOCALHOST.");
	must_say(0, "reason", "ok");
	assert_int_equal(count("address", "address", "127.0.0.1"), 1);
	ask("resolve", "name", "www.example.com");
	must_say(0, "reason", "resolver_failed");
	assert_int_equal(line_count, 1);
	ask("resolve", "name", "no name");
	must_fail(CTL_BAD_QUESTION, "no name of a host");
	ask("resolve", "name", "127.0.0.1");
	must_fail(CTL_BAD_QUESTION, "no name of a host");
}

/* ---- facts */

static void
the_gateway_tells_what_judging_needs_of_it(void **state)
{
	static const uint16_t ports[] = {1080};
	struct address own[1];

	(void)state;
	assert_true(address_parse("192.0.2.1", &own[0]));
	world.own = (struct own_addresses){
	    .count = 1, .addresses = own, .port_count = 1, .ports = ports};
	ask("facts", NULL, NULL);
	must_say(0, "kind", "facts");
	must_say(0, "checks_accounts", CTL_YES);
	must_say(0, "has_directory", CTL_YES);
	must_say(0, "allow_empty", CTL_NO);
	assert_int_equal(count("address", "address", "192.0.2.1"), 1);
	assert_int_equal(count("port", "port", "1080"), 1);
	assert_int_equal(count("listener", "name", "office"), 1);
	assert_int_equal(count("listener", "address", "127.0.0.1"), 1);
	assert_int_equal(count("realm", "name", "EXAMPLE.COM"), 1);
	assert_int_equal(count("realm", "name", "EXAMPLE.ORG"), 1);
	assert_int_equal(count("realm", "name", "pam"), 1);
}

/* ---- set */

static void
a_set_comes_whole(void **state)
{
	(void)state;
	ask("set", "base", "ou=rules");
	assert_true(is_done);
	assert_string_equal(asked_text, "ou=rules");
	must_say(0, "kind", "set");
	assert_int_equal(octet_count, SET_LEN);
	run_for(1); /* its end */
	assert_int_equal(dropped, 0);
	ask("set", NULL, NULL);
	assert_string_equal(asked_text, "");
	assert_int_equal(octet_count, SET_LEN);
	assert_int_equal(pieces, 6);
}

static void
why_there_is_no_set_is_told(void **state)
{
	(void)state;
	set_failure = "there is\nno such entry";
	ask("set", "base", "ou=rules");
	must_fail(CTL_UNAVAILABLE, "there is\\x0ano such entry");
	on_closed(&watch);
	ask("set", "base", "ou=rules");
	must_fail(CTL_UNAVAILABLE, "directory-watch");
}

static void
a_set_that_nobody_waits_for_is_dropped(void **state)
{
	(void)state;
	pieces_max = 1;
	ask_only("set", NULL, NULL);
	while (pieces < 2)
		run_for(10000);
	link_free(client);
	client = NULL;
	for (int i = 0; i < 1000 && dropped == 0; i++)
		run_for(10000);
	assert_int_equal(dropped, last_ticket);
}

static void
a_watch_that_dies_meanwhile_is_told(void **state)
{
	(void)state;
	pieces_max = 1;
	ask_only("set", NULL, NULL);
	while (pieces < 2)
		run_for(10000);
	on_closed(&watch);
	run_for(PATIENCE_US);
	must_fail(CTL_UNAVAILABLE, "directory-watch is gone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_user_is_told_with_where_its_groups_come_from),
	    TEST(nobody_is_told),
	    TEST(a_silent_directory_is_told_and_what_it_said_before),
	    TEST(what_cannot_be_asked_is_told),
	    TEST(who_hangs_up_is_forgotten),
	    TEST(an_entry_is_there_missing_or_unknown),
	    TEST(a_name_is_resolved_as_for_sessions),
	    TEST(the_gateway_tells_what_judging_needs_of_it),
	    TEST(a_set_comes_whole),
	    TEST(why_there_is_no_set_is_told),
	    TEST(a_set_that_nobody_waits_for_is_dropped),
	    TEST(a_watch_that_dies_meanwhile_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
