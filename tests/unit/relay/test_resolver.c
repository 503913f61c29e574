/* SPDX-License-Identifier: ISC */
/*
 * The resolver against a hostile name server on loopback, UDP and TCP, that
 * lives in the same event loop.  A name's first label says how the server
 * treats it.
 */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "relay/resolver.h"
#include "relay/resolver_ares.h"
#include "tests/support/fake_clock.h"

#define TYPE_A	   1
#define TYPE_CNAME 5
#define TYPE_AAAA  28

#define RCODE_FORMERR  1
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED  5

int __wrap_stat(const char *path, struct stat *buf);
int __real_stat(const char *path, struct stat *buf);
struct resolver_ares *__wrap_resolver_ares_new(
    struct event_base *base, const struct resolver_settings *settings);
struct resolver_ares *__real_resolver_ares_new(
    struct event_base *base, const struct resolver_settings *settings);

static unsigned channels_made;
static long resolv_conf_changed;

int
__wrap_stat(const char *path, struct stat *buf)
{
	int result = __real_stat(path, buf);

	buf->st_mtim.tv_nsec += resolv_conf_changed;
	return result;
}

struct resolver_ares *
__wrap_resolver_ares_new(
    struct event_base *base, const struct resolver_settings *settings)
{
	channels_made++;
	return __real_resolver_ares_new(base, settings);
}

/* ---- the server ---- */

struct message {
	uint8_t bytes[65535];
	size_t len;
	size_t name_end; /* of the question */
	uint16_t answers;
};

struct query {
	uint8_t bytes[512];
	size_t len;
	char name[256];
	uint16_t type;
	bool is_tcp;
};

struct server {
	struct event_base *base;
	int udp, tcp, conn;
	struct event *on_udp, *on_tcp, *on_conn, *on_later;
	struct sockaddr_storage peer; /* of the last query over UDP */
	socklen_t peer_len;
	struct query held; /* answered by and by */
	uint16_t port;
	unsigned queries, tcp_queries;
};

static void
put(struct message *message, const void *data, size_t len)
{
	assert_true(message->len + len <= sizeof(message->bytes));
	memcpy(message->bytes + message->len, data, len);
	message->len += len;
}

static void
put16(struct message *message, unsigned value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(message, bytes, 2);
}

static void
put_name(struct message *message, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");
		uint8_t count = (uint8_t)len;

		put(message, &count, 1);
		put(message, name, len);
		name += len + (name[len] == '.');
	}
	put(message, "", 1);
}

/* The header and the question of the query, without answers yet. */
static void
begin_reply(struct message *message, const struct query *query, unsigned rcode)
{
	message->len = 0;
	message->answers = 0;
	put(message, query->bytes, 2);
	put16(message, 0x8180 | rcode);
	put16(message, 1);
	put(message, "\0\0\0\0\0\0", 6);
	put_name(message, query->name);
	put16(message, query->type);
	put16(message, 1);
}

static void
put_record(struct message *message, const char *owner, unsigned type,
    unsigned ttl, const void *data, size_t len)
{
	put_name(message, owner);
	put16(message, type);
	put16(message, 1);
	put16(message, ttl >> 16);
	put16(message, ttl & 0xffff);
	put16(message, (unsigned)len);
	put(message, data, len);
	message->answers++;
	message->bytes[6] = (uint8_t)(message->answers >> 8);
	message->bytes[7] = (uint8_t)message->answers;
}

static void
put_cname(struct message *message, const char *owner, const char *target)
{
	struct message data = {.len = 0};

	put_name(&data, target);
	put_record(message, owner, TYPE_CNAME, 60, data.bytes, data.len);
}

/* The n-th address of the family that was asked for. */
static void
put_address(struct message *message, const struct query *query,
    const char *owner, unsigned n, unsigned ttl)
{
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (query->type == TYPE_A)
		memcpy(bytes, (uint8_t[4]){192, 0, 2, 0}, 4);
	if (query->type == TYPE_A)
		bytes[3] = (uint8_t)n;
	else
		bytes[15] = (uint8_t)n;
	put_record(message, owner, query->type, ttl, bytes,
	    query->type == TYPE_A ? 4 : 16);
}

static void
send_reply(struct server *server, const struct query *query,
    const struct message *message)
{
	if (query->is_tcp) {
		uint8_t len[2] = {
		    (uint8_t)(message->len >> 8), (uint8_t)message->len};

		(void)!write(server->conn, len, 2);
		(void)!write(server->conn, message->bytes, message->len);
		return;
	}
	(void)!sendto(server->udp, message->bytes, message->len, 0,
	    (struct sockaddr *)&server->peer, server->peer_len);
}

static void
reply_rcode(struct server *server, const struct query *query, unsigned rcode)
{
	struct message message;

	begin_reply(&message, query, rcode);
	send_reply(server, query, &message);
}

static void
reply_addresses(struct server *server, const struct query *query,
    unsigned count, unsigned ttl)
{
	struct message message;

	begin_reply(&message, query, 0);
	for (unsigned i = 1; i <= count; i++)
		put_address(&message, query, query->name, i, ttl);
	if (message.len > 512 && !query->is_tcp) {
		begin_reply(&message, query, 0);
		message.bytes[2] |= 0x02; /* TC */
	}
	send_reply(server, query, &message);
}

static void
do_good(struct server *server, const struct query *query)
{
	reply_addresses(server, query, 2, 60);
}

static void
do_truncated(struct server *server, const struct query *query)
{
	struct message message;

	if (query->is_tcp) {
		do_good(server, query);
		return;
	}
	begin_reply(&message, query, 0);
	message.bytes[2] |= 0x02;
	send_reply(server, query, &message);
}

static void
do_thousand(struct server *server, const struct query *query)
{
	reply_addresses(server, query, 1000, 60);
}

static void
do_ipv4_only(struct server *server, const struct query *query)
{
	reply_addresses(server, query, query->type == TYPE_A ? 1 : 0, 60);
}

static void
do_ipv6_only(struct server *server, const struct query *query)
{
	reply_addresses(server, query, query->type == TYPE_AAAA ? 1 : 0, 60);
}

static void
do_long_ttl(struct server *server, const struct query *query)
{
	reply_addresses(server, query, 1, 1000000);
}

static void
do_short_ttl(struct server *server, const struct query *query)
{
	reply_addresses(server, query, 1, 0);
}

static void
do_nxdomain(struct server *server, const struct query *query)
{
	reply_rcode(server, query, RCODE_NXDOMAIN);
}

static void
do_nodata(struct server *server, const struct query *query)
{
	reply_rcode(server, query, 0);
}

static void
do_servfail(struct server *server, const struct query *query)
{
	reply_rcode(server, query, RCODE_SERVFAIL);
}

static void
do_refused(struct server *server, const struct query *query)
{
	reply_rcode(server, query, RCODE_REFUSED);
}

static void
do_formerr(struct server *server, const struct query *query)
{
	reply_rcode(server, query, RCODE_FORMERR);
}

static void
do_silent(struct server *server, const struct query *query)
{
	(void)server;
	(void)query;
}

static void
do_silent_ipv6(struct server *server, const struct query *query)
{
	if (query->type == TYPE_A)
		do_good(server, query);
}

static void
do_silent_ipv4(struct server *server, const struct query *query)
{
	if (query->type == TYPE_AAAA)
		do_good(server, query);
}

static void
do_servfail_ipv6(struct server *server, const struct query *query)
{
	if (query->type == TYPE_A)
		do_good(server, query);
	else
		do_servfail(server, query);
}

/* cnameN.test: a chain of N, then addresses. */
static void
do_cname(struct server *server, const struct query *query)
{
	unsigned count = (unsigned)strtoul(query->name + 5, NULL, 10);
	struct message message;
	char owner[256], target[256];

	begin_reply(&message, query, 0);
	(void)snprintf(owner, sizeof(owner), "%s", query->name);
	for (unsigned i = 1; i <= count; i++) {
		(void)snprintf(target, sizeof(target), "hop%u.test", i);
		put_cname(&message, owner, target);
		(void)snprintf(owner, sizeof(owner), "%s", target);
	}
	put_address(&message, query, owner, 1, 60);
	send_reply(server, query, &message);
}

/* Targets of 63-octet labels: more than libevent's own resolver takes. */
static void
do_long_cname(struct server *server, const struct query *query)
{
	char label[64], target[256];
	struct message message;

	memset(label, 'x', 63);
	label[63] = '\0';
	(void)snprintf(
	    target, sizeof(target), "%s.%s.%s.test", label, label, label);
	begin_reply(&message, query, 0);
	put_cname(&message, query->name, target);
	put_address(&message, query, target, 1, 60);
	send_reply(server, query, &message);
}

static void
do_loop(struct server *server, const struct query *query)
{
	struct message message;

	begin_reply(&message, query, 0);
	put_cname(&message, query->name, "round.test");
	put_cname(&message, "round.test", query->name);
	send_reply(server, query, &message);
}

/* A compression pointer that points at itself. */
static void
do_pointer_loop(struct server *server, const struct query *query)
{
	struct message message;
	uint8_t pointer[2];

	begin_reply(&message, query, 0);
	pointer[0] = (uint8_t)(0xc0 | (message.len >> 8));
	pointer[1] = (uint8_t)message.len;
	put(&message, pointer, 2);
	put(&message, "\0\1\0\1\0\0\0\1\0\4\177\0\0\1", 14);
	message.bytes[7] = 1;
	send_reply(server, query, &message);
}

/* An answer that says more records than there are. */
static void
do_cut(struct server *server, const struct query *query)
{
	struct message message;

	begin_reply(&message, query, 0);
	put_address(&message, query, query->name, 1, 60);
	message.bytes[7] = 9;
	message.len -= 2;
	send_reply(server, query, &message);
}

static void
spoof(struct server *server, const struct query *query, int id_change,
    const char *asked)
{
	struct query forged = *query;
	struct message message;

	forged.bytes[0] = (uint8_t)(forged.bytes[0] + id_change);
	(void)snprintf(forged.name, sizeof(forged.name), "%s", asked);
	begin_reply(&message, &forged, 0);
	put_address(&message, query, asked, 66, 60);
	send_reply(server, &forged, &message);
}

static void
do_wrong_id(struct server *server, const struct query *query)
{
	for (int change = 1; change < 40; change++)
		spoof(server, query, change, query->name);
	do_good(server, query);
}

static void
do_wrong_question(struct server *server, const struct query *query)
{
	spoof(server, query, 0, "other.test");
	do_good(server, query);
}

static void
do_empty(struct server *server, const struct query *query)
{
	struct message nothing = {.len = 0};

	for (int i = 0; i < 5; i++)
		send_reply(server, query, &nothing);
	do_good(server, query);
}

static void
do_short(struct server *server, const struct query *query)
{
	struct message message;

	begin_reply(&message, query, 0);
	for (size_t len = 1; len < 12; len++) {
		message.len = len;
		send_reply(server, query, &message);
	}
	do_good(server, query);
}

/* Answers IPv4 when the resolver has long given up. */
static void
do_late(struct server *server, const struct query *query)
{
	const struct timeval later = {.tv_usec = 450000};

	if (query->type == TYPE_A && server->held.len == 0) {
		server->held = *query;
		(void)event_add(server->on_later, &later);
	}
}

static const struct {
	const char *prefix;
	void (*reply)(struct server *server, const struct query *query);
} treatments[] = {
    {"good", do_good},
    {"truncated", do_truncated},
    {"thousand", do_thousand},
    {"ipv4only", do_ipv4_only},
    {"ipv6only", do_ipv6_only},
    {"longttl", do_long_ttl},
    {"shortttl", do_short_ttl},
    {"nxdomain", do_nxdomain},
    {"nodata", do_nodata},
    {"servfail.", do_servfail},
    {"servfailipv6", do_servfail_ipv6},
    {"refused", do_refused},
    {"formerr", do_formerr},
    {"silent.", do_silent},
    {"silentipv6", do_silent_ipv6},
    {"silentipv4", do_silent_ipv4},
    {"cname", do_cname},
    {"longcname", do_long_cname},
    {"loop", do_loop},
    {"pointerloop", do_pointer_loop},
    {"cut", do_cut},
    {"wrongid", do_wrong_id},
    {"wrongquestion", do_wrong_question},
    {"empty", do_empty},
    {"short.", do_short},
    {"late", do_late},
};

static void
parse_query(struct query *query)
{
	size_t at = 12, out = 0;

	while (at < query->len && query->bytes[at] != 0) {
		size_t len = query->bytes[at++];

		assert_true(at + len + 5 <= query->len);
		memcpy(query->name + out, query->bytes + at, len);
		out += len;
		query->name[out++] = '.';
		at += len;
	}
	query->name[out == 0 ? 0 : out - 1] = '\0';
	query->type =
	    (uint16_t)(query->bytes[at + 1] << 8 | query->bytes[at + 2]);
}

static void
serve(struct server *server, struct query *query)
{
	server->queries++;
	parse_query(query);
	for (size_t i = 0; i < ARRAY_COUNT(treatments); i++) {
		const char *prefix = treatments[i].prefix;

		if (strncmp(query->name, prefix, strlen(prefix)) == 0) {
			treatments[i].reply(server, query);
			return;
		}
	}
	fail_msg("nobody said how to treat %s", query->name);
}

static void
on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	struct query query = {.len = 0};
	ssize_t len;

	(void)what;
	server->peer_len = sizeof(server->peer);
	len = recvfrom(fd, query.bytes, sizeof(query.bytes), 0,
	    (struct sockaddr *)&server->peer, &server->peer_len);
	if (len < 12)
		return;
	query.len = (size_t)len;
	serve(server, &query);
}

static void
on_conn(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	struct query query = {.is_tcp = true};
	uint8_t prefix[2];

	(void)what;
	if (recv(fd, prefix, 2, MSG_WAITALL) != 2) {
		(void)event_del(server->on_conn);
		return;
	}
	query.len = (size_t)(prefix[0] << 8 | prefix[1]);
	assert_true(query.len <= sizeof(query.bytes));
	assert_int_equal(
	    recv(fd, query.bytes, query.len, MSG_WAITALL), query.len);
	server->tcp_queries++;
	serve(server, &query);
}

static void
hang_up(struct server *server)
{
	if (server->on_conn == NULL)
		return;
	event_free(server->on_conn);
	(void)close(server->conn);
	server->on_conn = NULL;
}

static void
on_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)what;
	hang_up(server);
	server->conn = accept(fd, NULL, NULL);
	assert_true(server->conn >= 0);
	server->on_conn = event_new(
	    server->base, server->conn, EV_READ | EV_PERSIST, on_conn, server);
	(void)event_add(server->on_conn, NULL);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	do_good(server, &server->held);
}

static int
bind_loopback(int type, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, type, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(port);
	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
server_start(struct server *server, struct event_base *base)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	*server = (struct server){.base = base, .udp = -1};
	while (server->udp < 0) {
		server->tcp = bind_loopback(SOCK_STREAM, 0);
		len = sizeof(at);
		assert_int_equal(
		    getsockname(server->tcp, (struct sockaddr *)&at, &len), 0);
		server->port = ntohs(at.sin_port);
		server->udp = bind_loopback(SOCK_DGRAM, server->port);
		if (server->udp < 0)
			(void)close(server->tcp);
	}
	assert_int_equal(listen(server->tcp, 8), 0);
	server->on_udp =
	    event_new(base, server->udp, EV_READ | EV_PERSIST, on_udp, server);
	server->on_tcp =
	    event_new(base, server->tcp, EV_READ | EV_PERSIST, on_tcp, server);
	server->on_later = event_new(base, -1, 0, on_later, server);
	(void)event_add(server->on_udp, NULL);
	(void)event_add(server->on_tcp, NULL);
}

static void
server_stop(struct server *server)
{
	hang_up(server);
	event_free(server->on_udp);
	event_free(server->on_tcp);
	event_free(server->on_later);
	(void)close(server->udp);
	(void)close(server->tcp);
}

/* ---- one world a test ---- */

struct world {
	struct event_base *base;
	struct server server;
	struct resolver *resolver;
	unsigned descriptors;
};

struct outcome {
	struct event_base *base;
	unsigned calls;
	enum reason reason;
	size_t count;
	struct address addresses[RESOLVER_ADDRESSES_MAX];
};

static const struct resolver_settings usual = {
    .timeout_ms = 400,
    .outstanding_max = 16,
    .ttl_min_s = 5,
    .ttl_max_s = 300,
    .negative_ttl_s = 7,
};

static unsigned
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static void
begin_with(struct world *world, struct resolver_settings settings)
{
	char servers[32];

	(void)snprintf(servers, sizeof(servers), "127.0.0.1:%u",
	    (unsigned)world->server.port);
	settings.servers = servers;
	resolver_free(world->resolver);
	world->resolver = resolver_new(world->base, &settings);
	assert_non_null(world->resolver);
}

static int
begin_test(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	*state = world;
	world->descriptors = open_descriptors();
	world->base = event_base_new();
	server_start(&world->server, world->base);
	begin_with(world, usual);
	return 0;
}

static int
end_test(void **state)
{
	struct world *world = *state;
	unsigned before = world->descriptors;

	resolver_free(world->resolver);
	server_stop(&world->server);
	event_base_free(world->base);
	free(world);
	return open_descriptors() == before ? 0 : -1;
}

static uint64_t
real_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
on_done(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct outcome *outcome = arg;

	outcome->calls++;
	outcome->reason = reason;
	outcome->count = count;
	assert_true(count <= RESOLVER_ADDRESSES_MAX);
	memcpy(outcome->addresses, addresses, count * sizeof(*addresses));
	(void)event_base_loopbreak(outcome->base);
}

static void
run_for(struct world *world, long ms)
{
	const struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	(void)event_base_loopexit(world->base, &tv);
	(void)event_base_dispatch(world->base);
}

static struct outcome
resolve(struct world *world, const char *name)
{
	struct outcome outcome = {.base = world->base};

	assert_non_null(
	    resolution_start(world->resolver, name, on_done, &outcome));
	assert_int_equal(outcome.calls, 0);
	(void)event_base_dispatch(world->base);
	assert_int_equal(outcome.calls, 1);
	return outcome;
}

static void
check_address(const struct address *address, const char *text)
{
	char out[ADDRESS_TEXT_SIZE];

	assert_string_equal(address_print(address, out), text);
}

static void
check_good(const struct outcome *outcome)
{
	assert_int_equal(outcome->reason, REASON_OK);
	assert_int_equal(outcome->count, 4);
	check_address(&outcome->addresses[0], "2001:db8::1");
	check_address(&outcome->addresses[1], "192.0.2.1");
	check_address(&outcome->addresses[2], "2001:db8::2");
	check_address(&outcome->addresses[3], "192.0.2.2");
}

/* ---- tests ---- */

static void
families_take_turns_ipv6_first(void **state)
{
	struct outcome outcome = resolve(*state, "good.test");

	check_good(&outcome);
}

static void
one_family_is_enough(void **state)
{
	struct outcome outcome = resolve(*state, "ipv4only.test");

	assert_int_equal(outcome.reason, REASON_OK);
	assert_int_equal(outcome.count, 1);
	check_address(&outcome.addresses[0], "192.0.2.1");
	outcome = resolve(*state, "ipv6only.test");
	assert_int_equal(outcome.reason, REASON_OK);
	assert_int_equal(outcome.count, 1);
	check_address(&outcome.addresses[0], "2001:db8::1");
}

static void
truncated_answer_is_fetched_over_tcp(void **state)
{
	struct world *world = *state;
	struct outcome outcome = resolve(world, "truncated.test");

	check_good(&outcome);
	assert_int_equal(world->server.tcp_queries, 2);
}

static void
a_thousand_addresses_become_sixteen(void **state)
{
	struct outcome outcome = resolve(*state, "thousand.test");

	assert_int_equal(outcome.reason, REASON_OK);
	assert_int_equal(outcome.count, RESOLVER_ADDRESSES_MAX);
	check_address(&outcome.addresses[0], "2001:db8::1");
	check_address(&outcome.addresses[15], "192.0.2.8");
}

static void
every_answer_has_its_reason(void **state)
{
	static const struct {
		const char *name;
		enum reason reason;
	} rows[] = {
	    {"nxdomain.test", REASON_NAME_UNKNOWN},
	    {"nodata.test", REASON_NAME_UNKNOWN},
	    {"servfail.test", REASON_RESOLVER_FAILED},
	    {"refused.test", REASON_RESOLVER_FAILED},
	    {"formerr.test", REASON_RESOLVER_FAILED},
	    {"silent.test", REASON_RESOLVER_FAILED},
	    {"cname8.test", REASON_OK},
	    {"cname9.test", REASON_RESOLVER_FAILED},
	    {"longcname.test", REASON_OK},
	    {"loop.test", REASON_NAME_UNKNOWN},
	    {"pointerloop.test", REASON_RESOLVER_FAILED},
	    {"cut.test", REASON_RESOLVER_FAILED},
	    {"servfailipv6.test", REASON_OK},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct outcome outcome = resolve(*state, rows[i].name);

		if (outcome.reason != rows[i].reason)
			fail_msg("%s: %s", rows[i].name,
			    reason_name(outcome.reason));
		assert_int_equal(
		    outcome.count > 0, outcome.reason == REASON_OK);
	}
}

static void
forged_and_broken_replies_are_passed_over(void **state)
{
	static const char *const names[] = {
	    "wrongid.test", "wrongquestion.test", "empty.test", "short.test"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct outcome outcome = resolve(*state, names[i]);

		check_good(&outcome);
	}
}

static void
silent_aaaa_delays_only_a_moment(void **state)
{
	uint64_t began = real_ms();
	struct outcome outcome = resolve(*state, "silentipv6.test");

	assert_int_equal(outcome.reason, REASON_OK);
	assert_int_equal(outcome.count, 2);
	check_address(&outcome.addresses[0], "192.0.2.1");
	assert_true(real_ms() - began >= 45);
	assert_true(real_ms() - began < 300);
}

static void
silent_a_is_waited_for_to_the_end(void **state)
{
	uint64_t began = real_ms();
	struct outcome outcome = resolve(*state, "silentipv4.test");

	assert_int_equal(outcome.reason, REASON_OK);
	assert_int_equal(outcome.count, 2);
	check_address(&outcome.addresses[0], "2001:db8::1");
	assert_true(real_ms() - began >= 300);
}

static void
late_reply_is_nobodys(void **state)
{
	struct world *world = *state;
	uint64_t began = real_ms();
	struct outcome outcome = resolve(world, "late.test");

	assert_int_equal(outcome.reason, REASON_RESOLVER_FAILED);
	assert_true(real_ms() - began >= 340);
	assert_true(real_ms() - began < 600);
	run_for(world, 300);
	assert_int_equal(outcome.calls, 1);
}

static void
answers_are_kept_for_their_time(void **state)
{
	static const struct {
		const char *name;
		unsigned kept_s;
	} rows[] = {
	    {"good.test", 60}, {"shortttl.test", 5}, {"longttl.test", 300},
	    {"nxdomain.test", 7},
	    {"servfailipv6.test", 5}, /* half of it is missing */
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint64_t kept_us = (uint64_t)rows[i].kept_s * 1000000;
		unsigned asked;

		(void)resolve(world, rows[i].name);
		asked = world->server.queries;
		fake_clock_advance(kept_us - 1);
		(void)resolve(world, rows[i].name);
		assert_int_equal(world->server.queries, asked);
		assert_int_equal(
		    resolver_expiry_us(world->resolver, rows[i].name),
		    clock_monotonic_us() + 1);
		fake_clock_advance(1);
		(void)resolve(world, rows[i].name);
		assert_true(world->server.queries > asked);
	}
	assert_int_equal(
	    resolver_expiry_us(world->resolver, "unasked.test"), 0);
}

static void
failures_are_not_kept(void **state)
{
	struct world *world = *state;
	unsigned asked;

	(void)resolve(world, "servfail.test");
	asked = world->server.queries;
	(void)resolve(world, "servfail.test");
	assert_true(world->server.queries > asked);
}

static void
memory_of_names_is_bounded(void **state)
{
	struct world *world = *state;
	unsigned asked;
	char name[32];

	for (unsigned i = 0; i < 2100; i++) {
		(void)snprintf(name, sizeof(name), "good%u.test", i);
		(void)resolve(world, name);
		if (i % 100 == 0)
			(void)resolve(world, "good0.test");
	}
	asked = world->server.queries;
	(void)resolve(world, "good2099.test");
	(void)resolve(world, "good0.test"); /* used often */
	assert_int_equal(world->server.queries, asked);
	(void)resolve(world, "good1.test"); /* pushed out */
	assert_int_equal(world->server.queries, asked + 2);
}

static void
same_name_is_asked_once(void **state)
{
	struct world *world = *state;
	struct outcome outcomes[5];

	for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
		outcomes[i] = (struct outcome){.base = world->base};
		assert_non_null(resolution_start(
		    world->resolver, "good.test", on_done, &outcomes[i]));
	}
	run_for(world, 100);
	run_for(world, 10);
	for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
		if (outcomes[i].calls == 0)
			(void)event_base_dispatch(world->base);
		assert_int_equal(outcomes[i].calls, 1);
		check_good(&outcomes[i]);
	}
	assert_int_equal(world->server.queries, 2);
}

static void
too_many_names_at_a_time_are_refused(void **state)
{
	struct world *world = *state;
	struct outcome outcomes[17];
	char name[32];

	for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
		outcomes[i] = (struct outcome){.base = world->base};
		(void)snprintf(name, sizeof(name), "silent.%zu.test", i);
		assert_non_null(resolution_start(
		    world->resolver, name, on_done, &outcomes[i]));
	}
	(void)event_base_dispatch(world->base);
	assert_int_equal(outcomes[16].calls, 1);
	assert_int_equal(outcomes[16].reason, REASON_RESOLVER_BUSY);
	for (size_t i = 0; i < 16; i++)
		while (outcomes[i].calls == 0)
			(void)event_base_dispatch(world->base);
	run_for(world, 400); /* c-ares gives up too */
	check_good((struct outcome[]){resolve(world, "good.test")});
}

static void
nothing_comes_after_a_cancel(void **state)
{
	static const char *const names[] = {
	    "good.test", "silent.test", "good.test"};
	struct world *world = *state;

	resolution_cancel(NULL);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct outcome outcome = {.base = world->base};
		struct resolution *resolution = resolution_start(
		    world->resolver, names[i], on_done, &outcome);

		resolution_cancel(resolution);
		run_for(world, 30);
		assert_int_equal(outcome.calls, 0);
	}
}

static void
freeing_takes_what_is_in_flight_along(void **state)
{
	struct world *world = *state;
	struct outcome outcome = {.base = world->base};

	assert_non_null(resolution_start(
	    world->resolver, "silent.test", on_done, &outcome));
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
	resolver_free(world->resolver);
	world->resolver = NULL;
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
	assert_int_equal(outcome.calls, 0);
}

static void
server_that_is_down_fails_the_name(void **state)
{
	struct world *world = *state;
	struct outcome outcome;

	(void)event_del(world->server.on_udp);
	(void)close(world->server.udp);
	world->server.udp = -1;
	outcome = resolve(world, "good.test");
	assert_int_equal(outcome.reason, REASON_RESOLVER_FAILED);
}

static void
server_that_comes_back_is_used_again(void **state)
{
	struct world *world = *state;

	assert_int_equal(
	    resolve(world, "silent.test").reason, REASON_RESOLVER_FAILED);
	check_good((struct outcome[]){resolve(world, "good.test")});
}

static void
bad_server_list_is_refused(void **state)
{
	static const char *const lists[] = {"nonsense", "127.0.0.1:port",
	    "1.2.3.4.5:53", "127.0.0.1:53,", "127.0.0.1,,::1", "127.0.0.1 ::1"};
	struct world *world = *state;
	struct resolver_settings settings = usual;

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		settings.servers = lists[i];
		assert_null(resolver_new(world->base, &settings));
	}
	settings.servers = "127.0.0.1,[::1]:5353,::1";
	resolver_free(world->resolver);
	world->resolver = resolver_new(world->base, &settings);
	assert_non_null(world->resolver);
}

static void
changed_resolv_conf_is_read_again(void **state)
{
	struct world *world = *state;
	struct resolver_settings settings = usual;
	struct resolver *resolver;
	unsigned before;

	settings.servers = NULL;
	resolver = resolver_new(world->base, &settings);
	assert_non_null(resolver);
	before = channels_made;
	for (int i = 0; i < 3; i++) {
		resolution_cancel(
		    resolution_start(resolver, "localhost", on_done, NULL));
		assert_int_equal(channels_made, before);
		fake_clock_advance(11000000);
	}
	for (int i = 0; i < 3; i++) {
		resolv_conf_changed++;
		fake_clock_advance(9000000);
		resolution_cancel(
		    resolution_start(resolver, "localhost", on_done, NULL));
		fake_clock_advance(2000000);
		resolution_cancel(
		    resolution_start(resolver, "localhost", on_done, NULL));
	}
	assert_int_equal(channels_made, before + 3);
	resolver_free(resolver);
}

static void
localhost_is_never_asked_of_a_server(void **state)
{
	struct world *world = *state;
	struct outcome outcome = resolve(world, "localhost");

	assert_int_equal(outcome.reason, REASON_RESOLVER_FAILED);
	assert_int_equal(world->server.queries, 0);
}

/* The first name in this machine's file; false if it has none. */
static bool
first_host(char name[64])
{
	FILE *hosts = fopen("/etc/hosts", "r");
	char line[1024], address[64];
	bool found = false;

	while (
	    hosts != NULL && !found && fgets(line, sizeof(line), hosts) != NULL)
		found = sscanf(line, "%63s %63s", address, name) == 2 &&
			address[0] != '#' && name[0] != '#';
	if (hosts != NULL)
		(void)fclose(hosts);
	return found;
}

/* A minimal machine has no such file, which must do no harm. */
static void
hosts_file_is_read_if_wanted(void **state)
{
	struct world *world = *state;
	struct resolver_settings settings = usual;
	struct outcome outcome;
	char name[64];

	settings.hosts_file = true;
	begin_with(world, settings);
	if (first_host(name)) {
		outcome = resolve(world, name);
		assert_int_equal(outcome.reason, REASON_OK);
		assert_true(outcome.count > 0);
	}
	assert_int_equal(world->server.queries, 0);
	outcome = resolve(world, "good.test");
	check_good(&outcome);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
	const struct CMUnitTest tests[] = {
	    TEST(families_take_turns_ipv6_first),
	    TEST(one_family_is_enough),
	    TEST(truncated_answer_is_fetched_over_tcp),
	    TEST(a_thousand_addresses_become_sixteen),
	    TEST(every_answer_has_its_reason),
	    TEST(forged_and_broken_replies_are_passed_over),
	    TEST(silent_aaaa_delays_only_a_moment),
	    TEST(silent_a_is_waited_for_to_the_end),
	    TEST(late_reply_is_nobodys),
	    TEST(answers_are_kept_for_their_time),
	    TEST(failures_are_not_kept),
	    TEST(memory_of_names_is_bounded),
	    TEST(same_name_is_asked_once),
	    TEST(too_many_names_at_a_time_are_refused),
	    TEST(nothing_comes_after_a_cancel),
	    TEST(freeing_takes_what_is_in_flight_along),
	    TEST(server_that_is_down_fails_the_name),
	    TEST(server_that_comes_back_is_used_again),
	    TEST(bad_server_list_is_refused),
	    TEST(changed_resolv_conf_is_read_again),
	    TEST(localhost_is_never_asked_of_a_server),
	    TEST(hosts_file_is_read_if_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
