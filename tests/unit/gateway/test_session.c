/* SPDX-License-Identifier: ISC */
/*
 * The story of a session, step by step: a real worker's parts, a real target
 * on loopback and real rules; only the proof, the look-up of groups, the
 * resolver and the audit sender are the test's own.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/negotiation.h"
#include "auth/password_protocol.h"
#include "auth/passwords.h"
#include "auth/throttle.h"
#include "base/audit_record.h"
#include "base/clock.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5.h"
#include "base/socks5_udp.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "gateway/budgets.h"
#include "gateway/census.h"
#include "gateway/rule_totals.h"
#include "gateway/rule_uses.h"
#include "gateway/connected.h"
#include "gateway/linger.h"
#include "gateway/reviews.h"
#include "gateway/session_private.h"
#include "gateway/settings.h"
#include "gateway/ticketless.h"
#include "gateway/worker.h"
#include "policy/entry.h"
#include "policy/lookups.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"
#include "relay/datagrams.h"
#include "relay/resolver.h"
#include "tests/support/toy_seal.h"

#define RECORDS_MAX 16

/* ---- the test's own parts */

static struct {
	/* What the proof will be. */
	enum reason proof_reason;
	enum protection protection;
	bool has_sequence;
	uint64_t expires_us; /* 0: never */
	uint8_t wish;	     /* the level that the client asks for */
	struct hint_facts *facts;
	negotiation_done_fn *prove;
	void *prove_arg;
	/* What the password checker will say. */
	enum reason password_reason;
	bool hold_password;
	char user[PASSWORD_USER_SIZE];
	password_check_done_fn *check;
	void *check_arg;
	/* What the resolver will say. */
	size_t address_count;
	struct address addresses[2];
	resolution_done_fn *resolve;
	void *resolve_arg;
	unsigned resolutions;
	bool hold_resolution;
	uint64_t name_expiry_us;
	/* What the directory will say. */
	bool hold_lookup;
	unsigned lookups;  /* that were started */
	const char *group; /* NULL: it does not say */
	lookup_done_fn *lookup;
	void *lookup_arg;
	/* How far our wall clock is ahead. */
	uint64_t ahead_us;
	/* What was recorded. */
	bool audit_fails;
	void (*kept)(void *arg, bool is_kept);
	void *kept_arg;
	size_t record_count;
	struct audit_record records[RECORDS_MAX];
} fake;

static struct event_base *base;
static int handle; /* its address stands for any handle */

static void
soon(event_callback_fn callback)
{
	struct timeval now = {0, 0};

	assert_int_equal(
	    event_base_once(base, -1, EV_TIMEOUT, callback, NULL, &now), 0);
}

static void
finish_proof(evutil_socket_t fd, short what, void *arg)
{
	struct proof proof = {
	    .identity = {.name = "alice@EXAMPLE.COM",
		.method = METHOD_GSSAPI,
		.mechanism = "krb5",
		.expires_us = fake.expires_us},
	    .protection = fake.protection,
	    .has_sequence = fake.has_sequence,
	};

	(void)fd;
	(void)what;
	(void)arg;
	if (fake.prove == NULL)
		return;
	if (fake.proof_reason == REASON_OK) {
		proof.seal = toy_seal_new(fake.protection);
		fake.facts->stage = HINT_STAGE_LEVEL;
		fake.facts->wish = fake.wish;
		fake.facts->granted = protection_to_level(fake.protection);
	}
	fake.prove(fake.prove_arg, fake.proof_reason, "as the test says",
	    fake.proof_reason == REASON_OK ? &proof : NULL);
}

struct negotiation *__wrap_negotiation_start(struct bufferevent *bev,
    struct authenticators *authenticators,
    const struct negotiation_policy *policy, struct hint_facts *facts,
    negotiation_done_fn *done, void *arg);
struct negotiation *
__wrap_negotiation_start(struct bufferevent *bev,
    struct authenticators *authenticators,
    const struct negotiation_policy *policy, struct hint_facts *facts,
    negotiation_done_fn *done, void *arg)
{
	(void)authenticators;
	(void)policy;
	facts->stage = HINT_STAGE_CHOSEN;
	fake.facts = facts;
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	fake.prove = done;
	fake.prove_arg = arg;
	soon(finish_proof);
	return (struct negotiation *)&handle;
}

void __wrap_negotiation_cancel(struct negotiation *negotiation);
void
__wrap_negotiation_cancel(struct negotiation *negotiation)
{
	if (negotiation != NULL)
		fake.prove = NULL;
}

static void
finish_check(evutil_socket_t fd, short what, void *arg)
{
	password_check_done_fn *done = fake.check;

	(void)fd;
	(void)what;
	(void)arg;
	fake.check = NULL;
	if (done != NULL)
		done(fake.check_arg, fake.password_reason, "as PAM says");
}

struct password_check *__wrap_password_check_start(struct passwords *passwords,
    const struct password_question *question, password_check_done_fn *done,
    void *arg);
struct password_check *
__wrap_password_check_start(struct passwords *passwords,
    const struct password_question *question, password_check_done_fn *done,
    void *arg)
{
	(void)passwords;
	assert_int_equal(question->password_len, 6);
	assert_memory_equal(question->password, "secret", 6);
	memcpy(fake.user, question->user, sizeof(fake.user));
	fake.check = done;
	fake.check_arg = arg;
	if (!fake.hold_password)
		soon(finish_check);
	return (struct password_check *)&handle;
}

void __wrap_password_check_cancel(struct password_check *check);
void
__wrap_password_check_cancel(struct password_check *check)
{
	if (check != NULL)
		fake.check = NULL;
}

static void
finish_resolution(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (fake.resolve != NULL)
		fake.resolve(fake.resolve_arg,
		    fake.address_count > 0 ? REASON_OK : REASON_NAME_UNKNOWN,
		    fake.addresses, fake.address_count);
}

struct resolution *__wrap_resolution_start(struct resolver *resolver,
    const char *name, resolution_done_fn *done, void *arg);
struct resolution *
__wrap_resolution_start(struct resolver *resolver, const char *name,
    resolution_done_fn *done, void *arg)
{
	(void)resolver;
	assert_string_equal(name, "www.example.com");
	fake.resolutions++;
	fake.resolve = done;
	fake.resolve_arg = arg;
	if (!fake.hold_resolution)
		soon(finish_resolution);
	return (struct resolution *)&handle;
}

void __wrap_resolution_cancel(struct resolution *resolution);
void
__wrap_resolution_cancel(struct resolution *resolution)
{
	if (resolution != NULL)
		fake.resolve = NULL;
}

uint64_t __wrap_resolver_expiry_us(struct resolver *resolver, const char *name);
uint64_t
__wrap_resolver_expiry_us(struct resolver *resolver, const char *name)
{
	(void)resolver;
	(void)name;
	return fake.name_expiry_us;
}

static void
finish_lookup(evutil_socket_t fd, short what, void *arg)
{
	struct subject *subject = NULL;

	(void)fd;
	(void)what;
	(void)arg;
	if (fake.lookup == NULL)
		return;
	if (fake.group != NULL) {
		subject = subject_new("uid=alice,dc=example,dc=com");
		assert_int_equal(subject_add_group(subject, fake.group), 0);
		subject_finish(subject);
	}
	fake.lookup(fake.lookup_arg,
	    subject != NULL ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE,
	    subject);
}

struct lookup *__wrap_lookup_start(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg);
struct lookup *
__wrap_lookup_start(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg)
{
	(void)lookups;
	assert_string_equal(name, "alice@EXAMPLE.COM");
	fake.lookups++;
	fake.lookup = done;
	fake.lookup_arg = arg;
	if (!fake.hold_lookup)
		soon(finish_lookup);
	return (struct lookup *)&handle;
}

struct lookup *__wrap_lookup_start_of_standing(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg);
struct lookup *
__wrap_lookup_start_of_standing(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg)
{
	return __wrap_lookup_start(lookups, name, done, arg);
}

void __wrap_lookup_cancel(struct lookup *lookup);
void
__wrap_lookup_cancel(struct lookup *lookup)
{
	if (lookup != NULL)
		fake.lookup = NULL;
}

uint64_t __real_clock_wall_us(void);
uint64_t __wrap_clock_wall_us(void);
uint64_t
__wrap_clock_wall_us(void)
{
	return __real_clock_wall_us() + fake.ahead_us;
}

void __wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record);
void
__wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record)
{
	(void)sender;
	assert_true(fake.record_count < RECORDS_MAX);
	fake.records[fake.record_count++] = *record;
}

bool __wrap_audit_sender_is_failing(const struct audit_sender *sender);
bool
__wrap_audit_sender_is_failing(const struct audit_sender *sender)
{
	(void)sender;
	return fake.audit_fails;
}

/* One waits at a time. */
struct audit_await *__wrap_audit_sender_await(struct audit_sender *sender,
    void (*kept)(void *arg, bool is_kept), void *arg);
struct audit_await *
__wrap_audit_sender_await(struct audit_sender *sender,
    void (*kept)(void *arg, bool is_kept), void *arg)
{
	(void)sender;
	assert_null(fake.kept);
	fake.kept = kept;
	fake.kept_arg = arg;
	return (struct audit_await *)&fake.kept;
}

void __wrap_audit_await_cancel(struct audit_await *await);
void
__wrap_audit_await_cancel(struct audit_await *await)
{
	if (await != NULL)
		fake.kept = NULL;
}

/* ---- the world: a worker, a client, a target */

static struct shared shared;
static struct worker worker;
static int client;	/* the client's end, non-blocking */
static int client_side; /* and the session's */
static int listening;	/* the target */
static int target;	/* its accepted connection, or -1 */
static uint16_t target_port;
static struct seal *client_seal;

static const char settings_text[] = "policy { file = \"/dev/null\" }\n"
				    "listener lan {\n"
				    "	address = \"127.0.0.1:1080\"\n"
				    "	protection_minimum = \"none\"\n"
				    "}\n"
				    "listener desk {\n"
				    "	address = \"127.0.0.1:1081\"\n"
				    "	methods = {gssapi, password}\n"
				    "}\n"
				    "listener yard {\n"
				    "	address = \"192.0.2.9:1082\"\n"
				    "	methods = {gssapi, password}\n"
				    "}\n";
static const char *door; /* the listener that clients come in by */

static struct settings *
load_settings(const char *more)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *settings;

	assert_int_equal(write(fd, settings_text, strlen(settings_text)),
	    (int)strlen(settings_text));
	assert_int_equal(write(fd, more, strlen(more)), (int)strlen(more));
	settings = settings_load_fd(fd, "settings", stderr);
	assert_non_null(settings);
	(void)close(fd);
	return settings;
}

static void
add(struct entry *entry, const char *attribute, const char *value)
{
	assert_int_equal(entry_add(entry, attribute, value, strlen(value)), 0);
}

/* A rule of that name, from pairs of attribute and value. */
static void
add_rule(
    struct ruleset_builder *builder, const char *name, const char *const *pairs)
{
	char dn[64], why[512] = "";
	struct entry *entry;

	(void)snprintf(dn, sizeof(dn), "cn=%s,dc=example,dc=com", name);
	entry = entry_new(dn);
	add(entry, "objectClass", "gwRule");
	add(entry, "cn", name);
	add(entry, "gwAction", "permit");
	for (; *pairs != NULL; pairs += 2)
		add(entry, pairs[0], pairs[1]);
	if (ruleset_builder_add(builder, entry, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	entry_free(entry);
}

static void
use_rules(struct ruleset_builder *builder)
{
	char why[512];

	ruleset_unref(worker.rules);
	worker.rules = ruleset_build(builder, 7, why, sizeof(why));
	assert_non_null(worker.rules);
}

/* Those who stand are judged again. */
static void
review_all(bool users_too)
{
	reviews_begin(worker.reviews, users_too);
	for (int i = 0; i < 3; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
rules_changed(void)
{
	subject_cache_expire(shared.subjects);
	review_all(false);
}

/* Users or groups have: alice is in that group now. */
static void
moved_to(const char *group)
{
	fake.group = group;
	subject_cache_expire(shared.subjects);
	review_all(true);
}

static void
use_rule(const char *const *pairs)
{
	struct ruleset_builder *builder = ruleset_builder_new();

	add_rule(builder, "web", pairs);
	use_rules(builder);
}

static int
listen_on_loopback(void)
{
	struct socket_address address;
	struct sockaddr_storage storage;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(socket_address_parse("127.0.0.1:0", &address) ||
		    address_parse("127.0.0.1", &address.address));
	address.port = 0;
	len = socket_address_to(&address, &storage);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	len = sizeof(storage);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &len), 0);
	assert_true(
	    socket_address_from((struct sockaddr *)&storage, len, &address));
	target_port = address.port;
	return fd;
}

/* The client's end of a TCP connection whose other end is a session's. */
static void
open_session(void)
{
	int accepting = listen_on_loopback();
	uint16_t port = target_port;
	struct socket_address address = {.port = port};
	struct sockaddr_storage storage;
	socklen_t len;
	int fd;

	assert_true(address_parse("127.0.0.1", &address.address));
	len = socket_address_to(&address, &storage);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&storage, len), 0);
	assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	fd = accept4(accepting, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	(void)close(accepting);
	listening = listen_on_loopback();
	client_side = fd;
	session_open(&worker, door, fd, &address);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&worker, 0, sizeof(worker));
	memset(&shared, 0, sizeof(shared));
	fake.protection = PROTECTION_CONFIDENTIALITY;
	fake.has_sequence = true;
	fake.wish = 2;
	base = event_base_new();
	shared.rule_uses = rule_uses_new();
	shared.rule_totals = rule_totals_new();
	shared.subjects = subject_cache_new(
	    &(struct subject_cache_settings){.entries_max = 1});
	shared.connected = connected_new();
	shared.throttle = throttle_new();
	shared.ticketless = ticketless_new();
	door = "lan";
	worker.shared = &shared;
	worker.base = base;
	shared.budgets = budgets_new(UINT64_MAX);
	worker.lingers = lingers_new(base);
	worker.settings = load_settings("");
	worker.reviews = reviews_new(&worker);
	worker.census = census_new(&worker);
	TAILQ_INIT(&worker.sessions);
	atomic_store(&shared.directory_up, true);
	atomic_store(&shared.confirmed_us, clock_wall_us());
	target = -1;
	client = -1;
	listening = -1;
	client_seal = NULL;
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwDestination", "www.example.com", NULL});
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	session_close_all(&worker, REASON_SHUTDOWN);
	assert_int_equal(budgets_sessions(shared.budgets), 0);
	assert_int_equal(budgets_unproved(shared.budgets), 0);
	budgets_free(shared.budgets);
	connected_free(shared.connected);
	throttle_free(shared.throttle);
	ticketless_free(shared.ticketless);
	rule_uses_free(shared.rule_uses);
	rule_totals_free(shared.rule_totals);
	subject_cache_free(shared.subjects);
	reviews_free(worker.reviews);
	census_free(worker.census);
	lingers_free(worker.lingers);
	ruleset_unref(worker.rules);
	settings_unref(worker.settings);
	event_base_free(base);
	seal_free(client_seal);
	(void)close(client);
	(void)close(listening);
	if (target >= 0)
		(void)close(target);
	return 0;
}

/*
 * Runs the loop until nothing has happened for a moment.  A moment in which
 * this process was not let run says nothing: on a busy machine the kernel's
 * own part of a connection is late too.
 */
static void
settle(void)
{
	for (int quiet = 0, all = 0; quiet < 20 && all < 1000; all++) {
		uint64_t begun_us = clock_monotonic_us();

		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		(void)poll(NULL, 0, 1);
		if (clock_monotonic_us() - begun_us < 3000)
			quiet++;
	}
}

/* Until the session has ended by itself, in a few seconds. */
static void
settle_to_the_end(void)
{
	uint64_t begun_us = clock_monotonic_us();

	while (!TAILQ_EMPTY(&worker.sessions) &&
	       clock_monotonic_us() - begun_us < 20000000)
		settle();
}

static void
say(const void *data, size_t len)
{
	assert_int_equal(send(client, data, len, MSG_NOSIGNAL), (int)len);
	settle();
}

/* What the client can read now; -1 with nothing there, 0 at the end. */
static ssize_t
hear(uint8_t *data, size_t size)
{
	settle();
	return recv(client, data, size, 0);
}

static size_t
seal_message(uint8_t *out, const void *plain, size_t len)
{
	size_t token_len;

	if (client_seal == NULL)
		client_seal = toy_seal_new(fake.protection);
	memcpy(out + RFC1961_HEADER + client_seal->header, plain, len);
	assert_int_equal(
	    seal_wrap(client_seal, out + RFC1961_HEADER, len, &token_len),
	    REASON_OK);
	rfc1961_header(out, RFC1961_DATA, (uint16_t)token_len);
	return RFC1961_HEADER + token_len;
}

static size_t
open_reply(uint8_t *out, size_t size)
{
	uint8_t data[1024], *plain;
	size_t plain_len;
	ssize_t len = hear(data, sizeof(data));
	static struct seal *gateway_seal;

	assert_true(len > RFC1961_HEADER);
	/* The toy counts each direction by itself. */
	gateway_seal = toy_seal_new(fake.protection);
	assert_int_equal(seal_unwrap(gateway_seal, data + RFC1961_HEADER,
			     (size_t)len - RFC1961_HEADER, &plain, &plain_len),
	    REASON_OK);
	assert_true(plain_len <= size);
	memcpy(out, plain, plain_len);
	seal_free(gateway_seal);
	return plain_len;
}

/* "CONNECT 127.0.0.1:port" with room to change it. */
static size_t
connect_request(uint8_t out[300], uint16_t port)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, 300);
	wire_put_bytes(&writer, "\5\1\0\1\177\0\0\1", 8);
	wire_put_u16(&writer, port);
	return writer.len;
}

static size_t
connect_name_request(uint8_t out[300], const char *name, size_t name_len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, 300);
	wire_put_bytes(&writer, "\5\1\0\3", 4);
	wire_put_u8(&writer, (uint8_t)name_len);
	wire_put_bytes(&writer, name, name_len);
	wire_put_u16(&writer, target_port);
	return writer.len;
}

static void
greet(void)
{
	uint8_t answer[2];

	say("\5\1\1", 3);
	assert_int_equal(hear(answer, sizeof(answer)), 2);
	assert_memory_equal(answer, "\5\1", 2);
}

static void
accept_target(void)
{
	settle();
	target = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	assert_true(target >= 0);
}

static void
nobody_was_dialled(void)
{
	settle();
	assert_int_equal(accept4(listening, NULL, NULL, SOCK_NONBLOCK), -1);
}

/* The record of that event, which must be there once. */
static const struct audit_record *
record_of(enum audit_event event)
{
	const struct audit_record *found = NULL;

	for (size_t i = 0; i < fake.record_count; i++) {
		if (fake.records[i].event == event) {
			assert_null(found);
			found = &fake.records[i];
		}
	}
	assert_non_null(found);
	return found;
}

static void
was_closed(enum reason reason)
{
	settle();
	assert_true(TAILQ_EMPTY(&worker.sessions));
	assert_string_equal(
	    reason_name(record_of(AUDIT_CLOSE)->reason), reason_name(reason));
}

/* Sends a sealed request and expects the reply and the reason. */
static void
is_refused(const uint8_t *request, size_t len, uint8_t rep, enum reason reason)
{
	uint8_t message[600], answer[64];

	say(message, seal_message(message, request, len));
	assert_true(open_reply(answer, sizeof(answer)) >= 10);
	assert_int_equal(answer[0], 5);
	assert_int_equal(answer[1], rep);
	was_closed(reason);
	assert_int_equal(record_of(AUDIT_DECISION)->reason, reason);
	nobody_was_dialled();
}

/* ---- the tests */

static void
a_sealed_session_reaches_its_target_and_is_recorded(void **state)
{
	uint8_t request[300], message[600], answer[64];
	const struct audit_record *record;

	(void)state;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	assert_memory_equal(answer, "\5\0\0\1\177\0\0\1", 8);
	say(message, seal_message(message, "ping", 4));
	assert_int_equal(recv(target, answer, sizeof(answer), 0), 4);
	assert_memory_equal(answer, "ping", 4);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	settle();
	assert_int_equal(recv(target, answer, sizeof(answer), 0), 0);
	assert_int_equal(close(target), 0);
	target = -1;
	was_closed(REASON_OK);
	record = record_of(AUDIT_AUTH);
	assert_false(record->failed);
	assert_string_equal(record->identity, "alice@EXAMPLE.COM");
	record = record_of(AUDIT_DECISION);
	assert_false(record->failed);
	assert_string_equal(record->rule, "web");
	assert_int_equal(record->generation, 7);
	record = record_of(AUDIT_OPEN);
	assert_int_equal(record->dialled.port, target_port);
	assert_true(record->egress.port != 0);
	record = record_of(AUDIT_CLOSE);
	assert_int_equal(record->bytes_to_target, 4);
	assert_true(record->duration_us > 0);
	assert_int_equal(fake.record_count, 4);
}

static void
a_client_that_sends_everything_at_once_is_served(void **state)
{
	uint8_t all[900] = "\5\1\1", request[300], answer[64];
	size_t len = 3, request_len, heard = 0;
	ssize_t more;

	(void)state;
	open_session();
	request_len = connect_request(request, target_port);
	memcpy(request + request_len, "first", 5);
	len += seal_message(all + len, request, request_len + 5);
	len += seal_message(all + len, "second", 6);
	say(all, len);
	accept_target();
	/* In one piece or in two, as the machine is busy. */
	for (int i = 0; i < 100 && heard < 11; i++) {
		settle();
		more = recv(target, answer + heard, sizeof(answer) - heard, 0);
		heard += more > 0 ? (size_t)more : 0;
	}
	assert_int_equal(heard, 11);
	assert_memory_equal(answer, "firstsecond", 11);
}

static void
a_client_that_sends_an_octet_at_a_time_is_served(void **state)
{
	uint8_t all[900] = "\5\1\1", request[300];
	size_t len = 3;

	(void)state;
	open_session();
	/* The request in two messages, an empty one between. */
	(void)connect_request(request, target_port);
	len += seal_message(all + len, request, 5);
	len += seal_message(all + len, "", 0);
	len += seal_message(all + len, request + 5, 5);
	for (size_t i = 0; i < len; i++)
		say(all + i, 1);
	accept_target();
}

static void
a_session_cut_at_any_octet_ends_as_truncated(void **state)
{
	uint8_t all[900] = "\5\1\1", request[300];
	size_t len = 3;

	(void)state;
	open_session();
	len += seal_message(
	    all + len, request, connect_request(request, target_port));
	tear_down(NULL);
	for (size_t cut = 0; cut < len; cut++) {
		(void)set_up(NULL);
		open_session();
		if (cut > 0)
			say(all, cut);
		assert_int_equal(shutdown(client, SHUT_WR), 0);
		/* Between two messages it may go. */
		was_closed(cut == 0 || cut == 3 ? REASON_CLIENT_CLOSED
						: REASON_TRUNCATED);
		nobody_was_dialled();
		(void)tear_down(NULL);
	}
	(void)set_up(NULL);
}

static void
another_protocol_ends_at_once_without_an_answer(void **state)
{
	static const char *const first[] = {
	    "\4\1\0\120\177\0\0\1", "GET / HTTP/1.1\r\n", "\26\3\1\2\0"};
	uint8_t answer[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(first); i++) {
		open_session();
		say(first[i], 5);
		assert_true(hear(answer, sizeof(answer)) <= 0);
		was_closed(REASON_BAD_VERSION);
		(void)tear_down(NULL);
		(void)set_up(NULL);
	}
}

static void
no_acceptable_method_is_said(void **state)
{
	uint8_t answer[8];

	(void)state;
	open_session();
	say("\5\2\0\2", 4);
	assert_int_equal(hear(answer, sizeof(answer)), 2);
	assert_memory_equal(answer, "\5\377", 2);
	was_closed(REASON_NO_METHOD);
}

static void
a_failed_proof_is_recorded_with_its_detail(void **state)
{
	(void)state;
	fake.proof_reason = REASON_GSS_KEY_UNKNOWN;
	open_session();
	say("\5\1\1", 3);
	was_closed(REASON_GSS_KEY_UNKNOWN);
	assert_true(record_of(AUDIT_AUTH)->failed);
	assert_string_equal(record_of(AUDIT_AUTH)->detail, "as the test says");
}

/* ---- hints */

static void
a_client_that_leaves_after_the_grant_gets_a_hint(void **state)
{
	(void)state;
	fake.protection = PROTECTION_INTEGRITY;
	fake.wish = 0;
	open_session();
	greet();
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	was_closed(REASON_CLIENT_CLOSED);
	assert_int_equal(record_of(AUDIT_AUTH)->hint, HINT_NONE);
	assert_int_equal(record_of(AUDIT_CLOSE)->hint, HINT_LEVEL_REFUSED);
}

static void
curl_that_goes_on_in_clear_gets_a_hint(void **state)
{
	uint8_t request[300], answer[64];

	(void)state;
	fake.protection = PROTECTION_CONFIDENTIALITY;
	open_session();
	say("\5\2\0\1", 4);
	assert_int_equal(hear(answer, sizeof(answer)), 2);
	say(request, connect_request(request, target_port));
	was_closed(REASON_GSS_CLEAR);
	assert_int_equal(record_of(AUDIT_CLOSE)->hint, HINT_CURL_8_20);
}

static void
a_proof_that_fails_has_its_hint_in_both_records(void **state)
{
	(void)state;
	fake.proof_reason = REASON_CLIENT_CLOSED;
	open_session();
	say("\5\3\0\1\2", 5);
	was_closed(REASON_CLIENT_CLOSED);
	assert_int_equal(record_of(AUDIT_AUTH)->hint, HINT_CURL_7_69);
	assert_int_equal(record_of(AUDIT_CLOSE)->hint, HINT_CURL_7_69);
}

static void
a_session_that_goes_well_has_no_hint(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	session_close_all(&worker, REASON_CLIENT_CLOSED);
	assert_int_equal(record_of(AUDIT_AUTH)->hint, HINT_NONE);
	assert_int_equal(record_of(AUDIT_CLOSE)->hint, HINT_NONE);
}

static void
a_clear_request_after_a_granted_seal_ends_the_session(void **state)
{
	uint8_t request[300], answer[64];

	(void)state;
	fake.protection = PROTECTION_INTEGRITY;
	open_session();
	greet();
	say(request, connect_request(request, target_port));
	was_closed(REASON_GSS_CLEAR);
	assert_true(hear(answer, sizeof(answer)) <= 0);
	nobody_was_dialled();
}

static void
a_replayed_request_ends_the_session(void **state)
{
	uint8_t request[300], message[600];
	size_t len;

	(void)state;
	open_session();
	greet();
	(void)connect_request(request, target_port);
	len = seal_message(message, request, 5);
	say(message, len);
	say(message, len);
	was_closed(REASON_GSS_REPLAY);
	nobody_was_dialled();
}

static void
a_bad_frame_ends_the_session(void **state)
{
	static const char *const frames[] = {
	    "\1\1\0\4", "\1\2\0\4", "\1\3\0\0", "\2\3\0\4", "\1\377"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(frames); i++) {
		open_session();
		greet();
		say(frames[i], i == 4 ? 2 : 4);
		was_closed(REASON_GSS_BAD_FRAME);
		(void)tear_down(NULL);
		(void)set_up(NULL);
	}
}

static void
granted_none_serves_a_clear_client(void **state)
{
	uint8_t request[300], answer[64];

	(void)state;
	fake.protection = PROTECTION_NONE;
	fake.has_sequence = false;
	open_session();
	greet();
	say(request, connect_request(request, target_port));
	accept_target();
	assert_int_equal(hear(answer, sizeof(answer)), 10);
	assert_int_equal(answer[1], 0);
	assert_int_equal(
	    record_of(AUDIT_DECISION)->protection, PROTECTION_NONE);
}

static void
granted_none_opens_a_client_that_encapsulates_all_the_same(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	fake.protection = PROTECTION_NONE;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_int_equal(
	    record_of(AUDIT_DECISION)->protection, PROTECTION_INTEGRITY);
}

static void
a_context_without_sequence_is_refused_for_connect(void **state)
{
	uint8_t request[300];

	(void)state;
	fake.has_sequence = false;
	open_session();
	greet();
	is_refused(request, connect_request(request, target_port), 2,
	    REASON_GSS_FLAGS);
}

static void
requests_that_are_not_served_get_their_reply(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		uint8_t rep;
		enum reason reason;
	} rows[] = {
	    {"\5\2\0\1\177\0\0\1\0\1", 10, 2, REASON_DENIED_NO_RULE},
	    {"\5\3\0\1\0\0\0\0\0\0", 10, 2, REASON_DENIED_NO_RULE},
	    {"\5\3\0\1\12\0\0\1\0\0", 10, 2, REASON_UDP_SOURCE},
	    {"\5\11\0\1\177\0\0\1\0\1", 10, 7, REASON_COMMAND_UNSUPPORTED},
	    {"\5\1\0\2\177\0\0\1\0\1", 10, 8, REASON_ADDRESS_TYPE_UNSUPPORTED},
	    {"\5\1\0\1\177\0\0\1\0\0", 10, 2, REASON_PORT_ZERO},
	    {"\5\1\1\1\177\0\0\1\0\1", 10, 1, REASON_BAD_REQUEST},
	    {"\4\1\0\1\177\0\0\1\0\1", 10, 1, REASON_BAD_REQUEST},
	    {"\5\1\0\3\0\0\1", 7, 1, REASON_BAD_NAME},
	    {"\5\1\0\3\13localhost\0x\0\1", 18, 1, REASON_BAD_NAME},
	    {"\5\1\0\3\0030x1\0\1", 10, 1, REASON_BAD_NAME},
	    {"\5\1\0\1\12\0\0\1\0\1", 10, 2, REASON_DENIED_NO_RULE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		open_session();
		greet();
		is_refused((const uint8_t *)rows[i].octets, rows[i].len,
		    rows[i].rep, rows[i].reason);
		(void)tear_down(NULL);
		(void)set_up(NULL);
	}
}

static void
a_refused_connection_is_replied_and_recorded(void **state)
{
	uint8_t request[300], message[600], answer[64];

	(void)state;
	open_session();
	greet();
	(void)close(listening);
	listening = -1;
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	assert_true(open_reply(answer, sizeof(answer)) >= 10);
	assert_int_equal(answer[1], 5);
	was_closed(REASON_CONNECT_REFUSED);
	assert_true(record_of(AUDIT_OPEN)->failed);
}

static void
only_permitted_addresses_of_a_name_are_dialled(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	/* 127.0.0.2 is special and no rule names it: the name's permission
	 * does not open it. */
	assert_true(address_parse("127.0.0.2", &fake.addresses[0]));
	assert_true(address_parse("127.0.0.1", &fake.addresses[1]));
	fake.address_count = 2;
	open_session();
	greet();
	say(message,
	    seal_message(message, request,
		connect_name_request(request, "WWW.example.com.", 16)));
	accept_target();
	assert_int_equal(fake.resolutions, 1);
	assert_memory_equal(&record_of(AUDIT_OPEN)->dialled.address,
	    &fake.addresses[1], sizeof(struct address));
	assert_int_equal(record_of(AUDIT_DECISION)->asked_len, 16);
	assert_string_equal(
	    record_of(AUDIT_DECISION)->destination.name, "www.example.com");
	/* What was judged is on record, what is permitted or not. */
	assert_int_equal(record_of(AUDIT_DECISION)->address_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(
		    address_is_equal(&record_of(AUDIT_DECISION)->addresses[i],
			&fake.addresses[i]));
	assert_int_equal(record_of(AUDIT_OPEN)->address_count, 0);
}

static void
the_rule_of_the_address_that_was_reached_is_on_record(void **state)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	uint8_t request[300], message[600];

	(void)state;
	add_rule(builder, "silent",
	    (const char *const[]){"gwDestination", "127.0.0.2/32", NULL});
	add_rule(builder, "web",
	    (const char *const[]){"gwDestination", "127.0.0.1/32", NULL});
	use_rules(builder);
	assert_true(address_parse("127.0.0.2", &fake.addresses[0]));
	assert_true(address_parse("127.0.0.1", &fake.addresses[1]));
	fake.address_count = 2;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_name_request(request, "www.example.com", 15)));
	accept_target();
	assert_string_equal(record_of(AUDIT_DECISION)->rule, "silent");
	assert_string_equal(record_of(AUDIT_OPEN)->rule, "web");
}

static void
a_name_without_a_permitted_address_is_denied(void **state)
{
	uint8_t request[300];

	(void)state;
	assert_true(address_parse("169.254.169.254", &fake.addresses[0]));
	fake.address_count = 1;
	open_session();
	greet();
	is_refused(request,
	    connect_name_request(request, "www.example.com", 15), 2,
	    REASON_DENIED_SPECIAL);
}

static void
a_name_that_no_rule_permits_is_not_resolved(void **state)
{
	uint8_t request[300];

	(void)state;
	open_session();
	greet();
	use_rule((const char *const[]){
	    "gwDestination", "www.example.com", "gwPort", "1", NULL});
	is_refused(request,
	    connect_name_request(request, "www.example.com", 15), 2,
	    REASON_DENIED_NO_RULE);
	assert_int_equal(fake.resolutions, 0);
}

static void
an_unknown_name_is_host_unreachable(void **state)
{
	uint8_t request[300];

	(void)state;
	open_session();
	greet();
	is_refused(request,
	    connect_name_request(request, "www.example.com", 15), 4,
	    REASON_NAME_UNKNOWN);
}

static void
a_request_waits_for_the_groups(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	fake.group = "cn=staff,dc=example,dc=com";
	fake.hold_lookup = true;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	nobody_was_dialled();
	finish_lookup(-1, 0, NULL);
	accept_target();
}

static void
rules_that_come_to_need_groups_while_a_name_resolves_get_them(void **state)
{
	uint8_t request[300], message[600];
	size_t len;

	(void)state;
	assert_true(address_parse("127.0.0.1", &fake.addresses[0]));
	fake.address_count = 1;
	fake.group = "cn=staff,dc=example,dc=com";
	fake.hold_resolution = true;
	open_session();
	greet();
	len = seal_message(message, request,
	    connect_name_request(request, "www.example.com", 15));
	say(message, len);
	assert_int_equal(fake.resolutions, 1);
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	fake.hold_resolution = false;
	finish_resolution(-1, 0, NULL);
	accept_target();
}

static void
without_the_groups_a_rule_that_asks_for_them_denies(void **state)
{
	uint8_t request[300];

	(void)state;
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	open_session();
	greet();
	is_refused(request, connect_request(request, target_port), 2,
	    REASON_DIRECTORY_UNAVAILABLE);
}

static void
rules_that_are_too_old_deny(void **state)
{
	uint8_t request[300];

	(void)state;
	atomic_store(&shared.directory_up, false);
	atomic_store(&shared.confirmed_us,
	    clock_wall_us() - (28800 + 1) * UINT64_C(1000000));
	open_session();
	greet();
	is_refused(request, connect_request(request, target_port), 2,
	    REASON_POLICY_UNAVAILABLE);
}

static void
rules_of_a_silent_directory_are_marked_stale(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	atomic_store(&shared.directory_up, false);
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_true(record_of(AUDIT_DECISION)->stale);
}

static void
a_slow_client_is_cut_at_the_deadline(void **state)
{
	(void)state;
	settings_unref(worker.settings);
	worker.settings = load_settings("session { handshake_timeout = 1 }\n");
	open_session();
	for (int i = 0; i < 3; i++) {
		if (!TAILQ_EMPTY(&worker.sessions))
			(void)send(
			    client, i == 0 ? "\5" : "\1", 1, MSG_NOSIGNAL);
		for (int wait = 0; wait < 25; wait++)
			settle();
	}
	was_closed(REASON_HANDSHAKE_TIMEOUT);
}

static void
a_ticket_that_has_ended_reaches_no_target(void **state)
{
	uint8_t request[300];

	(void)state;
	fake.expires_us = clock_monotonic_us() - 1;
	open_session();
	greet();
	is_refused(request, connect_request(request, target_port), 1,
	    REASON_CONTEXT_EXPIRED);
}

static void
a_ticket_that_ends_before_the_verdict_reaches_no_target(void **state)
{
	uint8_t request[300], message[600], answer[64];

	(void)state;
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	fake.group = "cn=staff,dc=example,dc=com";
	fake.hold_lookup = true;
	fake.expires_us = clock_monotonic_us() + 300000;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	settle_to_the_end();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	assert_int_equal(answer[1], 1);
	was_closed(REASON_CONTEXT_EXPIRED);
	nobody_was_dialled();
}

static void
a_session_ends_with_its_ticket_also_while_relaying(void **state)
{
	uint8_t request[300], message[600], answer[64];

	(void)state;
	fake.expires_us = clock_monotonic_us() + 500000;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	assert_int_equal(answer[1], 0);
	settle_to_the_end();
	was_closed(REASON_CONTEXT_EXPIRED);
}

static void
a_client_that_never_takes_its_reply_is_cut(void **state)
{
	uint8_t request[300], message[600], filler[65536] = "";

	(void)state;
	settings_unref(worker.settings);
	worker.settings = load_settings("session { handshake_timeout = 1 }\n");
	open_session();
	greet();
	/* There is no room left for the reply. */
	while (send(client_side, filler, sizeof(filler), MSG_NOSIGNAL) > 0)
		;
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	settle_to_the_end();
	was_closed(REASON_HANDSHAKE_TIMEOUT);
}

/* "BIND 127.0.0.1:0" */
static const char bind_request[] = "\5\2\0\1\177\0\0\1\0";
#define BIND_REQUEST_LEN 10

static void
permit_callers(const char *more)
{
	char text[128];

	settings_unref(worker.settings);
	(void)snprintf(text, sizeof(text), "bind { %s }\n", more);
	worker.settings = load_settings(text);
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "bind", "gwCommand", "connect", NULL});
}

/* The next sealed reply: its code and its address. */
static uint8_t
hear_reply(struct seal *seal, struct socket_address *bound)
{
	uint8_t data[256], *plain;
	size_t plain_len;
	uint16_t len;

	settle();
	assert_int_equal(recv(client, data, RFC1961_HEADER, 0), RFC1961_HEADER);
	len = (uint16_t)(data[2] << 8 | data[3]);
	assert_int_equal(recv(client, data, len, 0), len);
	assert_int_equal(
	    seal_unwrap(seal, data, len, &plain, &plain_len), REASON_OK);
	assert_int_equal(plain_len, 10);
	bound->address = address_from_ipv4(plain + 4);
	bound->port = (uint16_t)(plain[8] << 8 | plain[9]);
	return plain[1];
}

static int
call_gateway(const struct socket_address *at)
{
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(at, &storage);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&storage, len) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	(void)close(fd);
	return -1;
}

static void
ask_to_be_called(void)
{
	uint8_t message[600];

	open_session();
	greet();
	say(message, seal_message(message, bind_request, BIND_REQUEST_LEN));
}

static void
a_caller_is_told_of_in_a_second_reply_and_relayed(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at, caller;
	uint8_t answer[8];

	(void)state;
	permit_callers("require_connect = false");
	ask_to_be_called();
	assert_int_equal(hear_reply(seal, &at), 0);
	target = call_gateway(&at);
	assert_true(target >= 0);
	assert_int_equal(hear_reply(seal, &caller), 0);
	assert_memory_equal(
	    &record_of(AUDIT_BIND_PEER)->dialled, &caller, sizeof(caller));
	assert_memory_equal(&record_of(AUDIT_OPEN)->egress, &at, sizeof(at));
	assert_string_equal(record_of(AUDIT_OPEN)->rule, "web");
	assert_int_equal(send(target, "ping", 4, 0), 4);
	settle();
	assert_true(recv(client, answer, sizeof(answer), 0) > 4);
	assert_int_equal(call_gateway(&at), -1);
	seal_free(seal);
}

static void
without_an_open_connect_a_caller_is_not_waited_for(void **state)
{
	(void)state;
	permit_callers("");
	open_session();
	greet();
	is_refused((const uint8_t *)bind_request, BIND_REQUEST_LEN, 2,
	    REASON_BIND_NO_CONNECT);
}

static void
rules_that_change_while_a_caller_is_waited_for_decide(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;
	uint8_t octet;

	(void)state;
	permit_callers("require_connect = false");
	ask_to_be_called();
	assert_int_equal(hear_reply(seal, &at), 0);
	use_rule((const char *const[]){
	    "gwDestination", "127.0.0.2/32", "gwCommand", "bind", NULL});
	target = call_gateway(&at);
	settle();
	assert_int_equal(recv(target, &octet, 1, MSG_DONTWAIT), 0);
	assert_int_equal(
	    record_of(AUDIT_BIND_PEER)->reason, REASON_DENIED_NO_RULE);
	assert_true(hear(&octet, 1) < 0);
	seal_free(seal);
}

static void
nobody_calling_is_told_in_the_second_reply(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;

	(void)state;
	permit_callers("require_connect = false timeout = 1");
	ask_to_be_called();
	assert_int_equal(hear_reply(seal, &at), 0);
	settle_to_the_end();
	assert_int_equal(hear_reply(seal, &at), 6);
	was_closed(REASON_BIND_TIMEOUT);
	assert_true(record_of(AUDIT_OPEN)->failed);
	seal_free(seal);
}

static void
a_ticket_that_ends_while_a_caller_is_waited_for_ends_the_wait(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;

	(void)state;
	permit_callers("require_connect = false");
	fake.expires_us = clock_monotonic_us() + 300000;
	ask_to_be_called();
	assert_int_equal(hear_reply(seal, &at), 0);
	settle_to_the_end();
	assert_int_equal(hear_reply(seal, &at), 1);
	was_closed(REASON_CONTEXT_EXPIRED);
	assert_int_equal(call_gateway(&at), -1);
	seal_free(seal);
}

static void
use_settings(const char *more)
{
	settings_unref(worker.settings);
	worker.settings = load_settings(more);
}

/* ---- passwords */

#define ALICE "\1\5alice\6secret"

/* What the client is told, all at once. */
static void
hears(const char *octets, size_t len)
{
	uint8_t heard[64];

	assert_int_equal(hear(heard, sizeof(heard)), (int)len);
	assert_memory_equal(heard, octets, len);
}

/* What a client with a password has to say, all at once. */
static void
say_all(void)
{
	uint8_t all[400];
	size_t len = 3 + sizeof(ALICE) - 1;

	memcpy(all, "\5\1\2" ALICE, len);
	len += connect_request(all + len, target_port);
	memcpy(all + len, "ping", 4);
	say(all, len + 4);
}

static void
a_password_reaches_its_target_and_is_recorded(void **state)
{
	uint8_t answer[64];
	const struct audit_record *record;

	(void)state;
	door = "desk";
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwMethod", "password", "gwPrincipal", "*@pam", NULL});
	open_session();
	say_all();
	accept_target();
	assert_string_equal(fake.user, "alice");
	assert_int_equal(hear(answer, sizeof(answer)), 2 + 2 + 10);
	assert_memory_equal(answer, "\5\2\1\0\5\0\0\1", 8);
	assert_int_equal(recv(target, answer, sizeof(answer), 0), 4);
	assert_memory_equal(answer, "ping", 4);
	record = record_of(AUDIT_AUTH);
	assert_false(record->failed);
	assert_false(record->is_claimed);
	assert_string_equal(record->identity, "alice@pam");
	assert_int_equal(record->method, METHOD_PASSWORD);
	assert_string_equal(record->mechanism, "pam");
	assert_int_equal(record->protection, PROTECTION_NONE);
	assert_string_equal(record_of(AUDIT_DECISION)->rule, "web");
}

/* The rule would permit it otherwise. */
static void
a_password_does_not_satisfy(const char *attribute, const char *value)
{
	door = "desk";
	use_rule((const char *const[]){
	    "gwDestination", "127.0.0.1/32", attribute, value, NULL});
	open_session();
	say_all();
	hears("\5\2\1\0\5\2\0\1\0\0\0\0\0\0", 14);
	was_closed(REASON_DENIED_NO_RULE);
	nobody_was_dialled();
}

static void
a_clear_password_does_not_satisfy_a_rule_that_wants_protection(void **state)
{
	(void)state;
	a_password_does_not_satisfy("gwProtection", "integrity");
}

static void
a_password_does_not_satisfy_a_rule_for_tickets(void **state)
{
	(void)state;
	a_password_does_not_satisfy("gwMethod", "gssapi");
}

static void
a_password_does_not_make_a_kerberos_principal(void **state)
{
	(void)state;
	a_password_does_not_satisfy("gwPrincipal", "*@EXAMPLE.COM");
}

#define SAY_ALICE() say("\5\1\2" ALICE, 3 + sizeof(ALICE) - 1)

static void
a_wrong_password_is_recorded_with_who_was_claimed(void **state)
{
	const struct audit_record *record;

	(void)state;
	door = "desk";
	use_settings("password { failure_delay = 0 }\n");
	fake.password_reason = REASON_PASSWORD_WRONG;
	open_session();
	/* What was sent ahead of the reply goes nowhere. */
	say_all();
	hears("\5\2\1\1", 4);
	was_closed(REASON_PASSWORD_WRONG);
	record = record_of(AUDIT_AUTH);
	assert_true(record->failed);
	assert_true(record->is_claimed);
	assert_string_equal(record->identity, "alice@pam");
	assert_string_equal(record->detail, "as PAM says");
	assert_false(record->has_method);
	assert_true(record_of(AUDIT_CLOSE)->is_claimed);
	nobody_was_dialled();
}

static void
who_was_claimed_can_be_left_out(void **state)
{
	(void)state;
	door = "desk";
	use_settings("password { failure_delay = 0 }\n"
		     "audit { failed_names = false }\n");
	fake.password_reason = REASON_USER_UNKNOWN;
	open_session();
	SAY_ALICE();
	hears("\5\2\1\1", 4);
	was_closed(REASON_USER_UNKNOWN);
	assert_string_equal(record_of(AUDIT_AUTH)->identity, "");
	assert_string_equal(record_of(AUDIT_CLOSE)->identity, "");
}

static void
a_password_that_is_never_judged_fails_at_the_deadline(void **state)
{
	const struct audit_record *record;

	(void)state;
	door = "desk";
	use_settings("session { handshake_timeout = 1 }\n"
		     "password { failure_delay = 0 }\n");
	fake.hold_password = true;
	open_session();
	SAY_ALICE();
	hears("\5\2", 2);
	for (int i = 0; i < 1000 && fake.record_count == 0; i++)
		settle();
	hears("\1\1", 2);
	was_closed(REASON_HANDSHAKE_TIMEOUT);
	record = record_of(AUDIT_AUTH);
	assert_true(record->failed && record->is_claimed);
	assert_string_equal(record->identity, "alice@pam");
}

/* Everywhere it is cut in the unit tests of auth. */
static void
a_password_that_is_cut_is_truncated(void **state)
{
	static const char all[] = "\5\1\2" ALICE;

	for (size_t len = 3; len < sizeof(all) - 1; len += 4) {
		(void)tear_down(state);
		(void)set_up(state);
		door = "desk";
		open_session();
		say(all, len);
		assert_int_equal(shutdown(client, SHUT_WR), 0);
		settle();
		was_closed(len == 3 ? REASON_CLIENT_CLOSED : REASON_TRUNCATED);
		hears("\5\2", 2);
	}
}

static void
passwords_in_clear_are_not_chosen_over_a_network(void **state)
{
	(void)state;
	door = "yard";
	open_session();
	SAY_ALICE();
	hears("\5\377", 2);
	was_closed(REASON_PASSWORD_NOT_ALLOWED);
}

static void
what_nobody_offered_is_not_the_passwords_fault(void **state)
{
	(void)state;
	door = "yard";
	open_session();
	say("\5\1\0", 3);
	hears("\5\377", 2);
	was_closed(REASON_NO_METHOD);
}

static void
passwords_are_chosen_where_the_settings_say_so(void **state)
{
	(void)state;
	door = "yard";
	use_settings("password { allow_cleartext = {\"127.0.0.0/8\"} }\n");
	open_session();
	SAY_ALICE();
	hears("\5\2\1\0", 4);
	assert_string_equal(record_of(AUDIT_AUTH)->identity, "alice@pam");
}

static void
failing_tickets_count_against_the_sources_passwords(void **state)
{
	(void)state;
	door = "desk";
	use_settings("password { failure_delay = 0\nsource_burst = 2 }\n");
	for (int i = 0; i < 2; i++) {
		fake.proof_reason = REASON_GSS_DEFECTIVE_TOKEN;
		open_session();
		greet();
		was_closed(REASON_GSS_DEFECTIVE_TOKEN);
		fake.record_count = 0;
		(void)close(client);
		(void)close(listening);
	}
	open_session();
	SAY_ALICE();
	hears("\5\2\1\1", 4);
	was_closed(REASON_RATE_LIMITED);
	assert_string_equal(fake.user, "");
}

/* A session is turned away while another one holds what there is. */
static void
is_turned_away(const char *limits, enum reason reason)
{
	struct budget_share other = {.is_counted = false};
	struct address loopback;
	uint8_t octet;

	use_settings(limits);
	assert_true(address_parse("127.0.0.1", &loopback));
	assert_int_equal(
	    budgets_enter(shared.budgets, worker.settings, &other), REASON_OK);
	assert_int_equal(
	    budgets_locate(shared.budgets, worker.settings, &loopback, &other),
	    REASON_OK);
	open_session();
	was_closed(reason);
	assert_int_equal(atomic_load(&shared.counters.ends[reason]), 1);
	assert_int_equal(hear(&octet, 1), 0); /* without a reply */
	budgets_leave(shared.budgets, &other);
}

static void
too_many_sessions_are_turned_away(void **state)
{
	(void)state;
	is_turned_away("gateway { sessions_max = 1 }\n", REASON_OVERLOADED);
}

static void
too_many_without_a_proof_are_turned_away(void **state)
{
	(void)state;
	is_turned_away(
	    "limits { unproved_max = 1 }\n", REASON_TOO_MANY_UNPROVED);
}

static void
too_many_from_one_source_are_turned_away(void **state)
{
	(void)state;
	is_turned_away(
	    "limits { source_max = 1 }\n", REASON_TOO_MANY_FROM_SOURCE);
}

static void
too_many_of_one_identity_are_refused_with_a_reply(void **state)
{
	struct budget_share other = {.is_counted = false};
	uint8_t request[300];

	(void)state;
	use_settings("limits { identity_max = 1 }\n");
	assert_int_equal(budgets_prove(shared.budgets, worker.settings,
			     "alice@EXAMPLE.COM", &other),
	    REASON_OK);
	open_session();
	greet();
	is_refused(request, connect_request(request, target_port), 1,
	    REASON_TOO_MANY_OF_IDENTITY);
	budgets_leave(shared.budgets, &other);
}

/* The listener of a load balancer on loopback. */
static void
use_balancer(void)
{
	static const char text[] = "policy { file = \"/dev/null\" }\n"
				   "listener lan {\n"
				   "	address = \"127.0.0.1:1080\"\n"
				   "	methods = {gssapi, password}\n"
				   "	proxy_from = {\"127.0.0.0/8\"}\n"
				   "}\n";
	int fd = memfd_create("settings", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	settings_unref(worker.settings);
	worker.settings = settings_load_fd(fd, "settings", stderr);
	assert_non_null(worker.settings);
	(void)close(fd);
	open_session();
}

#define PROXY_LINE "PROXY TCP4 192.0.2.7 198.51.100.1 4711 1080\r\n"

static void
is_at(const struct socket_address *address, const char *expected)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	assert_string_equal(socket_address_print(address, text), expected);
}

static void
a_balancer_says_who_its_client_is(void **state)
{
	uint8_t request[300], message[600];
	const struct audit_record *record;

	(void)state;
	use_rule((const char *const[]){
	    "gwDestination", "127.0.0.1/32", "gwClient", "192.0.2.0/24", NULL});
	use_balancer();
	say(PROXY_LINE, strlen(PROXY_LINE));
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	record = record_of(AUDIT_OPEN);
	is_at(&record->client, "192.0.2.7:4711");
	assert_int_equal(record->via.address.family, ADDRESS_IPV4);
	assert_int_not_equal(record->via.port, 0);
}

static void
a_balancer_must_say_it(void **state)
{
	uint8_t octet;

	(void)state;
	use_balancer();
	say("\5\1\1", 3);
	(void)hear(&octet, 1);
	was_closed(REASON_BAD_PROXY_HEADER);
}

static void
nobody_else_may_say_it(void **state)
{
	(void)state;
	open_session();
	say(PROXY_LINE, strlen(PROXY_LINE));
	was_closed(REASON_BAD_VERSION);
	assert_int_equal(
	    atomic_load(&shared.counters.ends[REASON_BAD_VERSION]), 1);
}

/* It may be anywhere, and what it says may be read on its way. */
static void
a_client_that_a_balancer_does_not_name_is_not_on_this_host(void **state)
{
	static const char line[] = "PROXY UNKNOWN\r\n";

	(void)state;
	use_balancer();
	say(line, strlen(line));
	SAY_ALICE();
	hears("\5\377", 2);
	was_closed(REASON_PASSWORD_NOT_ALLOWED);
}

static void
the_budget_of_the_client_counts_and_not_the_balancers(void **state)
{
	struct budget_share other = {.is_counted = false};
	struct address source;

	(void)state;
	use_balancer();
	worker.settings->source_max = 1;
	assert_true(address_parse("127.0.0.1", &source));
	assert_int_equal(
	    budgets_locate(shared.budgets, worker.settings, &source, &other),
	    REASON_OK);
	say(PROXY_LINE, strlen(PROXY_LINE));
	greet();
	budgets_leave(shared.budgets, &other);
	(void)tear_down(NULL);
	(void)set_up(NULL);
	use_balancer();
	worker.settings->source_max = 1;
	assert_true(address_parse("192.0.2.7", &source));
	assert_int_equal(
	    budgets_locate(shared.budgets, worker.settings, &source, &other),
	    REASON_OK);
	say(PROXY_LINE, strlen(PROXY_LINE));
	was_closed(REASON_TOO_MANY_FROM_SOURCE);
	budgets_leave(shared.budgets, &other);
}

static void
was_a_health_check(void)
{
	settle();
	assert_true(TAILQ_EMPTY(&worker.sessions));
	assert_int_equal(fake.record_count, 0);
	assert_int_equal(
	    counters_get(&shared.counters, COUNTER_HEALTH_CHECKS), 1);
}

static void
a_balancer_that_only_looks_is_counted_and_not_recorded(void **state)
{
	(void)state;
	use_balancer();
	(void)close(client);
	was_a_health_check();
	client = -1;
}

static void
a_local_connection_that_only_greets_is_a_health_check(void **state)
{
	static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0";

	(void)state;
	use_balancer();
	say(local, sizeof(local)); /* its NUL is the length's second octet */
	(void)close(client);
	was_a_health_check();
	client = -1;
}

static void
a_client_behind_a_balancer_is_recorded_whatever_it_does(void **state)
{
	(void)state;
	use_balancer();
	say(PROXY_LINE, strlen(PROXY_LINE));
	(void)close(client);
	client = -1;
	was_closed(REASON_CLIENT_CLOSED);
	is_at(&record_of(AUDIT_CLOSE)->client, "192.0.2.7:4711");
}

static void
a_stop_ends_a_session_at_every_step(void **state)
{
	uint8_t all[900] = "\5\1\1", request[300];
	size_t len;

	(void)state;
	/* One more turn of the loop each time: every step is met. */
	for (int turns = 0; turns < 12; turns++) {
		(void)tear_down(NULL);
		(void)set_up(NULL);
		fake.address_count = 1;
		assert_true(address_parse("127.0.0.1", &fake.addresses[0]));
		open_session();
		len = 3 +
		      seal_message(all + 3, request,
			  connect_name_request(request, "www.example.com", 15));
		assert_int_equal(
		    send(client, all, len, MSG_NOSIGNAL), (int)len);
		for (int i = 0; i < turns; i++)
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		session_close_all(&worker, REASON_SHUTDOWN);
		was_closed(REASON_SHUTDOWN);
	}
}

/* ---- datagrams: a socket of the client's and one of a target's */

static struct socket_address relay_at, udp_target_at;
static int udp_client, udp_target;

static void
open_udp(void)
{
	struct address loopback;

	assert_true(address_parse("127.0.0.1", &loopback));
	udp_client = datagrams_socket(&loopback, 0, 0, &relay_at);
	udp_target = datagrams_socket(&loopback, 0, 0, &udp_target_at);
	assert_true(udp_client >= 0 && udp_target >= 0);
}

static void
close_udp(void)
{
	(void)close(udp_client);
	(void)close(udp_target);
}

static void
associate(void)
{
	uint8_t message[600], answer[64];
	struct socks5_reply reply;
	size_t len, consumed;
	enum reason why;

	open_udp();
	open_session();
	greet();
	say(message, seal_message(message, "\5\3\0\1\0\0\0\0\0\0", 10));
	len = open_reply(answer, sizeof(answer));
	assert_int_equal(
	    socks5_reply_parse(answer, len, &consumed, &reply, &why),
	    PARSE_DONE);
	assert_int_equal(reply.reply, 0);
	relay_at.address = reply.bound.address;
	relay_at.port = reply.bound.port;
	assert_true(
	    address_is_equal(&relay_at.address, &udp_target_at.address));
}

static void
send_datagram(const char *name, const char *payload)
{
	struct socks5_udp header = {
	    .peer = endpoint_from_address(
		&udp_target_at.address, udp_target_at.port)};
	uint8_t plain[600], message[700];
	struct sockaddr_storage storage;
	socklen_t size = socket_address_to(&relay_at, &storage);
	size_t len;

	if (name != NULL)
		assert_true(endpoint_from_name(
		    name, strlen(name), udp_target_at.port, &header.peer));
	len = socks5_udp_print(plain, &header);
	memcpy(plain + len, payload, strlen(payload));
	len = seal_message(message, plain, len + strlen(payload));
	assert_int_equal(sendto(udp_client, message, len, 0,
			     (struct sockaddr *)&storage, size),
	    (ssize_t)len);
	settle();
}

/* NULL: nothing.  Something may take its time. */
static void
target_got(const char *payload)
{
	char data[64];
	ssize_t len = recv(udp_target, data, sizeof(data), MSG_DONTWAIT);

	for (int i = 0; i < 100 && len < 0 && payload != NULL; i++) {
		settle();
		len = recv(udp_target, data, sizeof(data), MSG_DONTWAIT);
	}
	assert_int_equal(len, payload == NULL ? -1 : (ssize_t)strlen(payload));
	if (payload != NULL)
		assert_memory_equal(data, payload, strlen(payload));
}

static const char *const udp_rule[] = {"gwDestination", "127.0.0.1/32",
    "gwDestination", "www.example.com", "gwCommand", "udp", NULL};

static void
decided(size_t wanted)
{
	size_t count = 0;

	for (int i = 0; i < 100 && count < wanted; i++) {
		if (i > 0)
			settle();
		count = 0;
		for (size_t j = 0; j < fake.record_count; j++)
			count += fake.records[j].event == AUDIT_DECISION;
	}
	assert_int_equal(count, wanted);
}

static void
each_datagrams_destination_is_judged_and_recorded(void **state)
{
	const struct audit_record *record;

	(void)state;
	use_rule(udp_rule);
	associate();
	decided(1);
	assert_string_equal(fake.records[1].rule, "web");
	send_datagram(NULL, "one");
	target_got("one");
	send_datagram(NULL, "two");
	target_got("two");
	decided(2);
	record = &fake.records[fake.record_count - 1];
	assert_int_equal(record->destination.port, udp_target_at.port);
	assert_int_equal(record->dialled.port, udp_target_at.port);
	assert_string_equal(record->rule, "web");
	assert_int_equal(record->generation, 7);

	/* Denied from now on, which is on record once. */
	use_rule((const char *const[]){
	    "gwDestination", "192.0.2.1", "gwCommand", "udp", NULL});
	rules_changed();
	for (int i = 0; i < 3; i++)
		send_datagram(NULL, "three");
	target_got(NULL);
	decided(3);
	rules_changed();
	send_datagram(NULL, "three");
	decided(3);
	record = &fake.records[fake.record_count - 1];
	assert_int_equal(record->reason, REASON_DENIED_NO_RULE);
	assert_true(record->failed);

	(void)shutdown(client, SHUT_WR);
	was_closed(REASON_OK);
	record = record_of(AUDIT_UDP_SUMMARY);
	assert_int_equal(record->datagrams_to_target, 2);
	assert_int_equal(record->bytes_to_target, 6);
	assert_in_range(record->dropped, 1, 4);
	assert_non_null(strstr(record->detail, "dropped: denied "));
	assert_int_equal(record_of(AUDIT_CLOSE)->bytes_to_target, 6);
	close_udp();
}

static void
asked_for_names(unsigned wanted)
{
	for (int i = 0; i < 100 && fake.resolutions < wanted; i++)
		settle();
	assert_int_equal(fake.resolutions, wanted);
}

static void
a_datagrams_name_is_resolved_once_for_its_time(void **state)
{
	(void)state;
	use_rule(udp_rule);
	associate();
	fake.address_count = 1;
	assert_true(address_parse("127.0.0.1", &fake.addresses[0]));
	fake.name_expiry_us = UINT64_MAX;
	fake.hold_resolution = true;
	send_datagram("www.example.com", "one");
	send_datagram("www.example.com", "two");
	target_got(NULL);
	asked_for_names(1);
	soon(finish_resolution);
	settle();
	target_got("one");
	target_got("two");
	/* New rules judge it by where it leads. */
	rules_changed();
	send_datagram("www.example.com", "three");
	target_got("three");
	asked_for_names(1);
	decided(2);
	/* There it may not be; but at another of its addresses. */
	use_rule((const char *const[]){
	    "gwDestination", "127.0.0.2/32", "gwCommand", "udp", NULL});
	rules_changed();
	assert_true(address_parse("127.0.0.2", &fake.addresses[0]));
	send_datagram("www.example.com", "four");
	asked_for_names(2);
	soon(finish_resolution);
	decided(3);
	target_got(NULL);
	assert_true(address_is_equal(
	    &fake.records[fake.record_count - 1].dialled.address,
	    &fake.addresses[0]));
	/* At none. */
	use_rule((const char *const[]){
	    "gwDestination", "192.0.2.1", "gwCommand", "udp", NULL});
	rules_changed();
	send_datagram("www.example.com", "five");
	asked_for_names(3);
	soon(finish_resolution);
	decided(4);
	target_got(NULL);
	assert_int_equal(fake.records[fake.record_count - 1].address_count, 1);
	assert_int_equal(
	    fake.records[fake.record_count - 1].reason, REASON_DENIED_NO_RULE);
	close_udp();
}

/* As of a stream and as it is explained. */
static void
of_a_datagrams_name_the_first_denial_is_recorded(void **state)
{
	(void)state;
	use_rule((const char *const[]){
	    "gwDestination", "0.0.0.0/0", "gwCommand", "udp", NULL});
	associate();
	fake.address_count = 2;
	assert_true(address_parse("169.254.1.1", &fake.addresses[0]));
	assert_true(address_parse("2001:db8::1", &fake.addresses[1]));
	send_datagram("www.example.com", "one");
	decided(2);
	assert_int_equal(
	    fake.records[fake.record_count - 1].reason, REASON_DENIED_SPECIAL);
	close_udp();
}

static void
a_name_without_an_address_is_recorded(void **state)
{
	(void)state;
	use_rule(udp_rule);
	associate();
	send_datagram("www.example.com", "one");
	asked_for_names(1);
	decided(2);
	assert_int_equal(
	    fake.records[fake.record_count - 1].reason, REASON_NAME_UNKNOWN);
	/* It is remembered for a while. */
	send_datagram("www.example.com", "one");
	asked_for_names(1);
	/* The end comes while a name is being resolved. */
	use_rule(udp_rule);
	rules_changed();
	fake.hold_resolution = true;
	send_datagram("www.example.com", "one");
	asked_for_names(2);
	session_close_all(&worker, REASON_SHUTDOWN);
	assert_null(fake.resolve);
	assert_non_null(strstr(record_of(AUDIT_UDP_SUMMARY)->detail,
	    "dropped: waiting 1, nowhere 2"));
	close_udp();
}

/* Where rules begin to ask for groups, the directory is asked first. */
static void
datagrams_do_not_wait_for_the_directory(void **state)
{
	(void)state;
	use_rule(udp_rule);
	associate();
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "udp", "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	rules_changed();
	fake.group = "cn=staff,dc=example,dc=com";
	send_datagram(NULL, "one");
	send_datagram(NULL, "two");
	target_got("two");
	target_got(NULL);
	close_udp();
}

static void
an_association_needs_room_for_its_descriptors(void **state)
{
	(void)state;
	use_rule(udp_rule);
	budgets_free(shared.budgets);
	shared.budgets = budgets_new(1);
	open_session();
	greet();
	is_refused((const uint8_t *)"\5\3\0\1\0\0\0\0\0\0", 10, 1,
	    REASON_NO_DESCRIPTORS);
}

/* ---- record: the decision first */

static void
set_audit(const char *text)
{
	settings_unref(worker.settings);
	worker.settings = load_settings(text);
}

static void
ask_for_target(void)
{
	uint8_t request[300], message[600];

	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
}

static void
was_kept(bool is_kept)
{
	void (*kept)(void *arg, bool is_kept) = fake.kept;

	assert_non_null(kept);
	fake.kept = NULL;
	kept(fake.kept_arg, is_kept);
	settle();
}

static void
assert_nobody_was_reached(void)
{
	assert_int_equal(accept(listening, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_target_is_reached_when_its_decision_is_safe(void **state)
{
	uint8_t answer[64];

	(void)state;
	set_audit("audit { durable = group }\n");
	ask_for_target();
	assert_false(record_of(AUDIT_DECISION)->failed);
	assert_nobody_was_reached();
	was_kept(true);
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	assert_int_equal(answer[1], 0);
}

static void
what_cannot_be_kept_is_refused(void **state)
{
	uint8_t answer[64];

	(void)state;
	set_audit("audit { durable = group }\n");
	ask_for_target();
	was_kept(false);
	assert_true(open_reply(answer, sizeof(answer)) >= 10);
	assert_int_equal(answer[1], 1);
	assert_nobody_was_reached();
	was_closed(REASON_AUDIT_UNAVAILABLE);
}

static void
what_cannot_be_kept_is_served_if_the_settings_say_so(void **state)
{
	uint8_t answer[64];

	(void)state;
	set_audit(
	    "audit { durable = group\non_failure = continue_and_alarm }\n");
	ask_for_target();
	was_kept(false);
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	assert_int_equal(answer[1], 0);
}

static void
nothing_is_asked_of_a_trail_that_fails(void **state)
{
	uint8_t answer[64];

	(void)state;
	fake.audit_fails = true;
	ask_for_target();
	assert_true(open_reply(answer, sizeof(answer)) >= 10);
	assert_int_equal(answer[1], 1);
	assert_nobody_was_reached();
	was_closed(REASON_AUDIT_UNAVAILABLE);
}

static void
a_client_that_leaves_meanwhile_waits_for_nothing(void **state)
{
	(void)state;
	set_audit("audit { durable = group }\n");
	ask_for_target();
	assert_non_null(fake.kept);
	session_close_all(&worker, REASON_SHUTDOWN);
	assert_null(fake.kept);
	was_closed(REASON_SHUTDOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
datagrams_go_on_while_groups_are_asked_for_anew(void **state)
{
	(void)state;
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "udp", "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	fake.group = "cn=staff,dc=example,dc=com";
	associate();
	send_datagram(NULL, "one");
	target_got("one");
	fake.hold_lookup = true;
	rules_changed();
	send_datagram(NULL, "two");
	target_got("two");
	close_udp();
}

static void
what_is_not_permitted_any_more_ends(void **state)
{
	uint8_t request[300], message[600], answer[64];
	const struct audit_record *record;

	(void)state;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
	/* Another rule that permits it changes nothing. */
	use_rule((const char *const[]){"gwDestination", "127.0.0.0/8", NULL});
	rules_changed();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	/* Nor does a directory that does not answer. */
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwGroup", "cn=staff,dc=example,dc=com", NULL});
	fake.hold_lookup = true;
	rules_changed();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	use_rule((const char *const[]){"gwDestination", "127.0.0.2/32", NULL});
	rules_changed();
	was_closed(REASON_REVOKED);
	record = record_of(AUDIT_REVOKED);
	assert_string_equal(record->rule, "");
	assert_true(record->failed);
}

#define STAFF  "cn=staff,dc=example,dc=com"
#define OTHERS "cn=others,dc=example,dc=com"

static const char *const staff_only[] = {
    "gwDestination", "127.0.0.0/8", "gwGroup", STAFF, NULL};
static const char *const engineers_only[] = {"gwDestination", "127.0.0.0/8",
    "gwGroup", "cn=engineers,dc=example,dc=com", NULL};

static void
connect_by(const char *const *pairs)
{
	uint8_t request[300], message[600], answer[64];

	use_rule(pairs);
	fake.group = STAFF;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_request(request, target_port)));
	accept_target();
	assert_int_equal(open_reply(answer, sizeof(answer)), 10);
}

static void
connect_as_staff(void)
{
	connect_by(staff_only);
	fake.lookup = NULL;
}

static void
new_rules_ask_the_directory_about_those_who_would_lose(void **state)
{
	(void)state;
	connect_as_staff();
	fake.hold_lookup = true;
	use_rule(staff_only);
	rules_changed();
	assert_null(fake.lookup);
	/* What changed may be the users, while the rules do, too. */
	reviews_begin(worker.reviews, true);
	rules_changed();
	assert_non_null(fake.lookup);
	soon(finish_lookup);
	settle();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	/* By what is known she may not go on, but she has a new group. */
	use_rule(engineers_only);
	fake.lookup = NULL;
	rules_changed();
	assert_non_null(fake.lookup);
	fake.group = "cn=engineers,dc=example,dc=com";
	soon(finish_lookup);
	settle();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	/* And now she has not. */
	use_rule(staff_only);
	fake.hold_lookup = false;
	rules_changed();
	was_closed(REASON_REVOKED);
}

static void
who_loses_a_group_is_looked_up_without_new_rules(void **state)
{
	(void)state;
	connect_as_staff();
	fake.group = "cn=others,dc=example,dc=com";
	rules_changed();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	review_all(true);
	was_closed(REASON_REVOKED);
}

static void
who_leaves_a_group_before_asking_is_looked_up_again(void **state)
{
	uint8_t request[300];

	(void)state;
	use_rule(staff_only);
	fake.group = STAFF;
	open_session();
	greet();
	moved_to(OTHERS);
	is_refused(request, connect_request(request, target_port), 2,
	    REASON_DENIED_NO_RULE);
	nobody_was_dialled();
}

static void
who_leaves_a_group_while_a_name_resolves_does_not_stay(void **state)
{
	uint8_t request[300], message[600];

	(void)state;
	use_rule((const char *const[]){"gwDestination", "www.example.com",
	    "gwDestination", "127.0.0.1/32", "gwGroup", STAFF, NULL});
	fake.group = STAFF;
	fake.address_count = 1;
	assert_true(address_parse("127.0.0.1", &fake.addresses[0]));
	fake.hold_resolution = true;
	open_session();
	greet();
	say(message, seal_message(message, request,
			 connect_name_request(request, "www.example.com", 15)));
	assert_non_null(fake.resolve);
	moved_to(OTHERS);
	soon(finish_resolution);
	settle_to_the_end();
	was_closed(REASON_REVOKED);
}

/* ---- callers, of whom only staff may wait */

static void
wait_as_staff(struct seal *seal, struct socket_address *at)
{
	permit_callers("require_connect = false");
	use_rule((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "bind", "gwGroup", STAFF, NULL});
	fake.group = STAFF;
	ask_to_be_called();
	assert_int_equal(hear_reply(seal, at), 0);
}

static void
who_may_not_be_called_any_more_does_not_wait(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;

	(void)state;
	wait_as_staff(seal, &at);
	moved_to(STAFF);
	settle();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	moved_to(OTHERS);
	settle();
	assert_int_equal(call_gateway(&at), -1);
	assert_int_equal(hear_reply(seal, &at), 2);
	was_closed(REASON_REVOKED);
	assert_true(record_of(AUDIT_REVOKED)->failed);
	seal_free(seal);
}

static void
who_may_not_have_been_called_is_not_relayed(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;

	(void)state;
	wait_as_staff(seal, &at);
	/* The call comes before the directory's answer. */
	fake.hold_lookup = true;
	moved_to(OTHERS);
	assert_non_null(fake.lookup);
	target = call_gateway(&at);
	assert_true(target >= 0);
	assert_int_equal(hear_reply(seal, &at), 0);
	assert_non_null(fake.lookup);
	soon(finish_lookup);
	settle_to_the_end();
	was_closed(REASON_REVOKED);
	seal_free(seal);
}

static void
who_was_called_and_leaves_the_group_is_cut_off(void **state)
{
	struct seal *seal = toy_seal_new(fake.protection);
	struct socket_address at;

	(void)state;
	wait_as_staff(seal, &at);
	target = call_gateway(&at);
	assert_true(target >= 0);
	assert_int_equal(hear_reply(seal, &at), 0);
	moved_to(STAFF);
	assert_false(TAILQ_EMPTY(&worker.sessions));
	moved_to(OTHERS);
	settle();
	was_closed(REASON_REVOKED);
	seal_free(seal);
}

/* Faster than the directory answers: what it said to a question from before the
 * last of them counts, and then it is asked once more. */
static void
changes_without_end_put_off_no_revocation(void **state)
{
	(void)state;
	connect_by((const char *const[]){
	    "gwDestination", "127.0.0.0/8", "gwGroup", STAFF, NULL});
	fake.hold_lookup = true;
	fake.lookups = 0;
	for (int i = 0; i < 5; i++)
		moved_to(STAFF);
	assert_int_equal(fake.lookups, 1);
	soon(finish_lookup);
	settle();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	assert_int_equal(fake.lookups, 2);
	moved_to(OTHERS);
	moved_to(OTHERS);
	assert_int_equal(fake.lookups, 2);
	soon(finish_lookup);
	settle_to_the_end();
	was_closed(REASON_REVOKED);
}

/* ---- grants that end */

#define NOT_AFTER    "20900101000000Z"
#define NOT_AFTER_US (UINT64_C(3786912000) * 1000000)

static const char *const staff_for_a_time[] = {"gwDestination", "127.0.0.0/8",
    "gwGroup", STAFF, "gwNotAfter", NOT_AFTER, NULL};

/* So long before NOT_AFTER is now. */
static void
it_ends_in(uint64_t after_us)
{
	fake.ahead_us = NOT_AFTER_US - after_us - __real_clock_wall_us();
	atomic_store(&shared.confirmed_us, clock_wall_us());
}

static void
was_revoked_in_time(void)
{
	settle_to_the_end();
	was_closed(REASON_REVOKED);
	assert_true(clock_wall_us() >= NOT_AFTER_US);
	assert_string_equal(record_of(AUDIT_REVOKED)->detail, "denied_no_rule");
}

static void
a_grant_ends_while_the_directory_hangs(void **state)
{
	(void)state;
	it_ends_in(500000);
	connect_by(staff_for_a_time);
	fake.hold_lookup = true;
	was_revoked_in_time();
}

static void
a_grant_ends_though_the_directory_was_silent_before(void **state)
{
	(void)state;
	it_ends_in(500000);
	connect_by(staff_for_a_time);
	moved_to(NULL);
	settle();
	assert_false(TAILQ_EMPTY(&worker.sessions));
	was_revoked_in_time();
}

static void
a_grant_ends_when_the_rules_are_too_old(void **state)
{
	(void)state;
	it_ends_in(500000);
	connect_by(staff_for_a_time);
	atomic_store(&shared.directory_up, false);
	atomic_store(&shared.confirmed_us, 1);
	was_revoked_in_time();
}

static void
a_grant_that_was_renewed_ends_later(void **state)
{
	(void)state;
	it_ends_in(500000);
	connect_by(staff_for_a_time);
	fake.hold_lookup = true;
	use_rule((const char *const[]){"gwDestination", "127.0.0.0/8",
	    "gwGroup", STAFF, "gwNotAfter", "20900101000001Z", NULL});
	was_revoked_in_time();
	assert_true(clock_wall_us() >= NOT_AFTER_US + 1000000);
}

static void
a_retry_is_not_put_off_by_new_rules(void **state)
{
	struct session *session;
	struct timeval when, now;

	(void)state;
	it_ends_in(UINT64_C(3600000000));
	connect_by(staff_for_a_time);
	session = TAILQ_FIRST(&worker.sessions);
	moved_to(NULL);
	settle();
	use_rule(staff_for_a_time);
	rules_changed();
	assert_true(evtimer_pending(session->review, &when) != 0);
	assert_int_equal(gettimeofday(&now, NULL), 0);
	assert_in_range(when.tv_sec, now.tv_sec, now.tv_sec + 10);
}

/* ---- datagrams, of a client who may always send somewhere else */

static void
associate_by(const char *const *pairs)
{
	struct ruleset_builder *builder = ruleset_builder_new();

	add_rule(builder, "always",
	    (const char *const[]){"gwDestination", "192.0.2.1", "gwCommand",
		"udp", "gwOrder", "1", NULL});
	add_rule(builder, "web", pairs);
	use_rules(builder);
	fake.group = STAFF;
	associate();
	send_datagram(NULL, "one");
	target_got("one");
}

static void
datagrams_that_only_a_group_permits_end_with_it(void **state)
{
	(void)state;
	associate_by((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "udp", "gwGroup", STAFF, NULL});
	fake.hold_lookup = true;
	moved_to(OTHERS);
	/* Judged by what is known, until the directory answers. */
	send_datagram(NULL, "two");
	target_got("two");
	soon(finish_lookup);
	settle();
	send_datagram(NULL, "three");
	target_got(NULL);
	assert_false(TAILQ_EMPTY(&worker.sessions));
	close_udp();
}

static void
datagrams_end_with_their_grant_both_ways(void **state)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char octets[256];

	(void)state;
	it_ends_in(800000);
	associate_by((const char *const[]){"gwDestination", "127.0.0.1/32",
	    "gwCommand", "udp", "gwNotAfter", NOT_AFTER, NULL});
	send_datagram(NULL, "two");
	settle();
	assert_int_equal(recvfrom(udp_target, octets, sizeof(octets),
			     MSG_DONTWAIT, (struct sockaddr *)&from, &size),
	    3);
	assert_int_equal(
	    sendto(udp_target, "ha", 2, 0, (struct sockaddr *)&from, size), 2);
	settle();
	assert_true(recv(udp_client, octets, sizeof(octets), MSG_DONTWAIT) > 2);
	while (clock_wall_us() < NOT_AFTER_US + 20000)
		settle();
	assert_int_equal(
	    sendto(udp_target, "ha", 2, 0, (struct sockaddr *)&from, size), 2);
	settle();
	assert_int_equal(
	    recv(udp_client, octets, sizeof(octets), MSG_DONTWAIT), -1);
	send_datagram(NULL, "three");
	target_got(NULL);
	assert_false(TAILQ_EMPTY(&worker.sessions));
	close_udp();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_sealed_session_reaches_its_target_and_is_recorded),
	    TEST(a_target_is_reached_when_its_decision_is_safe),
	    TEST(what_cannot_be_kept_is_refused),
	    TEST(what_cannot_be_kept_is_served_if_the_settings_say_so),
	    TEST(nothing_is_asked_of_a_trail_that_fails),
	    TEST(a_client_that_leaves_meanwhile_waits_for_nothing),
	    TEST(a_client_that_sends_everything_at_once_is_served),
	    TEST(a_client_that_sends_an_octet_at_a_time_is_served),
	    TEST(a_session_cut_at_any_octet_ends_as_truncated),
	    TEST(another_protocol_ends_at_once_without_an_answer),
	    TEST(no_acceptable_method_is_said),
	    TEST(a_failed_proof_is_recorded_with_its_detail),
	    TEST(a_client_that_leaves_after_the_grant_gets_a_hint),
	    TEST(curl_that_goes_on_in_clear_gets_a_hint),
	    TEST(a_proof_that_fails_has_its_hint_in_both_records),
	    TEST(a_session_that_goes_well_has_no_hint),
	    TEST(a_clear_request_after_a_granted_seal_ends_the_session),
	    TEST(a_replayed_request_ends_the_session),
	    TEST(a_bad_frame_ends_the_session),
	    TEST(granted_none_serves_a_clear_client),
	    TEST(granted_none_opens_a_client_that_encapsulates_all_the_same),
	    TEST(a_context_without_sequence_is_refused_for_connect),
	    TEST(requests_that_are_not_served_get_their_reply),
	    TEST(a_refused_connection_is_replied_and_recorded),
	    TEST(only_permitted_addresses_of_a_name_are_dialled),
	    TEST(the_rule_of_the_address_that_was_reached_is_on_record),
	    TEST(a_name_without_a_permitted_address_is_denied),
	    TEST(a_name_that_no_rule_permits_is_not_resolved),
	    TEST(an_unknown_name_is_host_unreachable),
	    TEST(a_request_waits_for_the_groups),
	    TEST(rules_that_come_to_need_groups_while_a_name_resolves_get_them),
	    TEST(without_the_groups_a_rule_that_asks_for_them_denies),
	    TEST(rules_that_are_too_old_deny),
	    TEST(rules_of_a_silent_directory_are_marked_stale),
	    TEST(a_slow_client_is_cut_at_the_deadline),
	    TEST(a_ticket_that_has_ended_reaches_no_target),
	    TEST(a_ticket_that_ends_before_the_verdict_reaches_no_target),
	    TEST(a_session_ends_with_its_ticket_also_while_relaying),
	    TEST(a_client_that_never_takes_its_reply_is_cut),
	    TEST(a_caller_is_told_of_in_a_second_reply_and_relayed),
	    TEST(without_an_open_connect_a_caller_is_not_waited_for),
	    TEST(rules_that_change_while_a_caller_is_waited_for_decide),
	    TEST(nobody_calling_is_told_in_the_second_reply),
	    TEST(a_ticket_that_ends_while_a_caller_is_waited_for_ends_the_wait),
	    TEST(a_password_reaches_its_target_and_is_recorded),
	    TEST(
		a_clear_password_does_not_satisfy_a_rule_that_wants_protection),
	    TEST(a_password_does_not_satisfy_a_rule_for_tickets),
	    TEST(a_password_does_not_make_a_kerberos_principal),
	    TEST(a_wrong_password_is_recorded_with_who_was_claimed),
	    TEST(who_was_claimed_can_be_left_out),
	    TEST(a_password_that_is_never_judged_fails_at_the_deadline),
	    TEST(a_password_that_is_cut_is_truncated),
	    TEST(passwords_in_clear_are_not_chosen_over_a_network),
	    TEST(what_nobody_offered_is_not_the_passwords_fault),
	    TEST(passwords_are_chosen_where_the_settings_say_so),
	    TEST(failing_tickets_count_against_the_sources_passwords),
	    TEST(too_many_sessions_are_turned_away),
	    TEST(too_many_without_a_proof_are_turned_away),
	    TEST(too_many_from_one_source_are_turned_away),
	    TEST(too_many_of_one_identity_are_refused_with_a_reply),
	    TEST(a_balancer_says_who_its_client_is),
	    TEST(a_balancer_must_say_it),
	    TEST(nobody_else_may_say_it),
	    TEST(a_client_that_a_balancer_does_not_name_is_not_on_this_host),
	    TEST(the_budget_of_the_client_counts_and_not_the_balancers),
	    TEST(a_balancer_that_only_looks_is_counted_and_not_recorded),
	    TEST(a_local_connection_that_only_greets_is_a_health_check),
	    TEST(a_client_behind_a_balancer_is_recorded_whatever_it_does),
	    TEST(a_stop_ends_a_session_at_every_step),
	    TEST(each_datagrams_destination_is_judged_and_recorded),
	    TEST(a_datagrams_name_is_resolved_once_for_its_time),
	    TEST(of_a_datagrams_name_the_first_denial_is_recorded),
	    TEST(a_name_without_an_address_is_recorded),
	    TEST(datagrams_do_not_wait_for_the_directory),
	    TEST(an_association_needs_room_for_its_descriptors),
	    TEST(datagrams_go_on_while_groups_are_asked_for_anew),
	    TEST(what_is_not_permitted_any_more_ends),
	    TEST(new_rules_ask_the_directory_about_those_who_would_lose),
	    TEST(who_loses_a_group_is_looked_up_without_new_rules),
	    TEST(who_leaves_a_group_before_asking_is_looked_up_again),
	    TEST(who_leaves_a_group_while_a_name_resolves_does_not_stay),
	    TEST(who_may_not_be_called_any_more_does_not_wait),
	    TEST(who_may_not_have_been_called_is_not_relayed),
	    TEST(who_was_called_and_leaves_the_group_is_cut_off),
	    TEST(changes_without_end_put_off_no_revocation),
	    TEST(a_grant_ends_while_the_directory_hangs),
	    TEST(a_grant_ends_though_the_directory_was_silent_before),
	    TEST(a_grant_ends_when_the_rules_are_too_old),
	    TEST(a_grant_that_was_renewed_ends_later),
	    TEST(a_retry_is_not_put_off_by_new_rules),
	    TEST(datagrams_that_only_a_group_permits_end_with_it),
	    TEST(datagrams_end_with_their_grant_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
