/* SPDX-License-Identifier: ISC */
/* The dialler on loopback; failures of the kernel come through a seam. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "relay/channel.h"
#include "relay/dialler.h"

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_socket(int domain, int type, int protocol);
int __real_socket(int domain, int type, int protocol);

static const struct dial_settings usual = {
    .attempt_delay_ms = 60,
    .attempt_timeout_ms = 300,
    .timeout_ms = 1000,
    .attempts_max = 4,
};

/* Whoever waits for one of these does not end a test: however busy the
 * machine is, what does not wait takes less than PROMPT_MS. */
static const struct dial_settings patient = {
    .attempt_delay_ms = 60000,
    .attempt_timeout_ms = 60000,
    .timeout_ms = 120000,
    .attempts_max = 4,
};
#define PROMPT_MS 30000

/* errno by the last octet of the address dialled; 0 lets it through. */
static int connect_errno[256];
static int socket_errno;
static unsigned dialled;

struct outcome {
	unsigned calls;
	struct dial_result result;
	struct event_base *base;
	uint64_t took_ms;
};

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct socket_address address;

	dialled++;
	assert_true(socket_address_from(to, len, &address));
	if (address.address.family == ADDRESS_IPV4 &&
	    connect_errno[address.address.bytes[3]] != 0) {
		errno = connect_errno[address.address.bytes[3]];
		return -1;
	}
	return __real_connect(fd, to, len);
}

int
__wrap_socket(int domain, int type, int protocol)
{
	if (socket_errno != 0) {
		errno = socket_errno;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

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

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static int
listen_at(const char *text, uint16_t *port, int backlog)
{
	struct socket_address at = {address(text), *port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&at, &storage);
	int fd = __real_socket(storage.ss_family, SOCK_STREAM, 0);
	int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	len = sizeof(storage);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &len), 0);
	assert_true(socket_address_from((struct sockaddr *)&storage, len, &at));
	*port = at.port;
	return fd;
}

/* A listener whose backlog is full: further SYNs vanish. */
struct blackhole {
	int listener, fillers[4];
};

static struct blackhole
blackhole_at(const char *text, uint16_t port)
{
	struct blackhole hole = {.listener = listen_at(text, &port, 0)};
	struct socket_address to = {address(text), port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&to, &storage);

	for (size_t i = 0; i < ARRAY_COUNT(hole.fillers); i++) {
		hole.fillers[i] = __real_socket(
		    storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)__real_connect(
		    hole.fillers[i], (struct sockaddr *)&storage, len);
	}
	return hole;
}

static void
blackhole_close(struct blackhole *hole)
{
	for (size_t i = 0; i < ARRAY_COUNT(hole->fillers); i++)
		(void)close(hole->fillers[i]);
	(void)close(hole->listener);
}

static void
on_done(void *arg, const struct dial_result *result)
{
	struct outcome *outcome = arg;

	outcome->calls++;
	outcome->result = *result;
	(void)event_base_loopbreak(outcome->base);
}

/* Where to dial from; begin_test says anywhere. */
static struct address source;

static struct outcome
dial(const struct dial_settings *settings, const struct address *addresses,
    size_t count, uint16_t port)
{
	struct outcome outcome = {.base = event_base_new()};
	uint64_t began = clock_monotonic_us();
	struct dial_target targets[16];
	struct dial *handle;

	dialled = 0;
	for (size_t i = 0; i < count; i++)
		targets[i] = (struct dial_target){addresses[i], source};
	handle = dial_start(
	    outcome.base, settings, targets, count, port, on_done, &outcome);
	assert_non_null(handle);
	assert_int_equal(outcome.calls, 0);
	(void)event_base_dispatch(outcome.base);
	assert_int_equal(outcome.calls, 1);
	outcome.took_ms = (clock_monotonic_us() - began) / 1000;
	event_base_free(outcome.base);
	return outcome;
}

static int
begin_test(void **state)
{
	static unsigned before;

	source = (struct address){.family = ADDRESS_NONE};
	memset(connect_errno, 0, sizeof(connect_errno));
	socket_errno = 0;
	before = open_descriptors();
	*state = &before;
	return 0;
}

static int
end_test(void **state)
{
	return open_descriptors() == *(unsigned *)*state ? 0 : -1;
}

static void
check_connected(const struct outcome *outcome, struct address to, uint16_t port)
{
	const struct dial_result *result = &outcome->result;
	struct sockaddr_storage storage;
	socklen_t len = sizeof(storage);
	struct socket_address local;
	int value = 0;

	assert_int_equal(result->reason, REASON_OK);
	assert_true(address_is_equal(&result->reached.address, &to));
	assert_int_equal(result->reached.port, port);
	assert_int_equal(
	    getsockname(result->fd, (struct sockaddr *)&storage, &len), 0);
	assert_true(
	    socket_address_from((struct sockaddr *)&storage, len, &local));
	assert_true(address_is_equal(&local.address, &result->local.address));
	assert_int_equal(local.port, result->local.port);
	len = sizeof(value);
	assert_int_equal(
	    getsockopt(result->fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	assert_int_equal(value, 1);
	assert_int_equal(
	    getsockopt(result->fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &len), 0);
	assert_int_equal(value, 60);
	(void)close(result->fd);
}

static void
connects_over_ipv4_and_ipv6(void **state)
{
	static const char *const texts[] = {"127.0.0.1", "::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct address to = address(texts[i]);
		uint16_t port = 0;
		int listener = listen_at(texts[i], &port, 8);
		struct outcome outcome = dial(&usual, &to, 1, port);

		check_connected(&outcome, to, port);
		(void)close(listener);
	}
}

static void
refused_moves_on_at_once(void **state)
{
	struct address to[] = {address("127.0.0.2"), address("127.0.0.1")};
	uint16_t port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct outcome outcome;

	(void)state;
	outcome = dial(&patient, to, 2, port);
	check_connected(&outcome, to[1], port);
	assert_true(outcome.took_ms < PROMPT_MS);
	(void)close(listener);
}

static void
silent_address_is_overtaken(void **state)
{
	struct address to[] = {address("127.0.0.2"), address("127.0.0.1")};
	uint16_t port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct blackhole hole = blackhole_at("127.0.0.2", port);
	struct dial_settings settings = patient;
	struct outcome outcome;

	(void)state;
	settings.attempt_delay_ms = 60;
	outcome = dial(&settings, to, 2, port);
	check_connected(&outcome, to[1], port);
	assert_true(outcome.took_ms >= 50 && outcome.took_ms < PROMPT_MS);
	blackhole_close(&hole);
	(void)close(listener);
}

static void
silent_addresses_time_out(void **state)
{
	struct address to[] = {address("127.0.0.2"), address("127.0.0.3")};
	uint16_t port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct blackhole first = blackhole_at("127.0.0.2", port);
	struct blackhole second = blackhole_at("127.0.0.3", port);
	struct dial_settings settings = usual;
	struct outcome outcome;

	(void)state;
	outcome = dial(&settings, to, 2, port);
	assert_int_equal(outcome.result.reason, REASON_CONNECT_TIMEOUT);
	assert_int_equal(outcome.result.fd, -1);
	assert_true(outcome.took_ms >= 340);

	settings = patient;
	settings.timeout_ms = 150; /* the end of all comes first */
	outcome = dial(&settings, to, 2, port);
	assert_int_equal(outcome.result.reason, REASON_CONNECT_TIMEOUT);
	assert_true(outcome.took_ms >= 140 && outcome.took_ms < PROMPT_MS);
	blackhole_close(&first);
	blackhole_close(&second);
	(void)close(listener);
}

static void
all_refused_is_told_at_once(void **state)
{
	struct address to[] = {address("127.0.0.2"), address("127.0.0.1")};
	uint16_t port = 0;
	struct outcome outcome;

	(void)state;
	(void)close(listen_at("127.0.0.1", &port, 1));
	outcome = dial(&patient, to, 2, port);
	assert_int_equal(outcome.result.reason, REASON_CONNECT_REFUSED);
	assert_int_equal(outcome.result.fd, -1);
	assert_true(address_is_equal(&outcome.result.reached.address, &to[0]));
	assert_true(outcome.took_ms < PROMPT_MS);
}

static void
every_errno_has_its_reason(void **state)
{
	static const struct {
		int error;
		enum reason reason;
	} rows[] = {
	    {ECONNREFUSED, REASON_CONNECT_REFUSED},
	    {ECONNRESET, REASON_CONNECT_REFUSED},
	    {ENETUNREACH, REASON_NETWORK_UNREACHABLE},
	    {ENETDOWN, REASON_NETWORK_UNREACHABLE},
	    {EAFNOSUPPORT, REASON_NETWORK_UNREACHABLE},
	    {EHOSTUNREACH, REASON_HOST_UNREACHABLE},
	    {EHOSTDOWN, REASON_HOST_UNREACHABLE},
	    {EACCES, REASON_HOST_UNREACHABLE},
	    {EPERM, REASON_HOST_UNREACHABLE},
	    {ETIMEDOUT, REASON_CONNECT_TIMEOUT},
	    {EADDRNOTAVAIL, REASON_NO_PORTS},
	    {EAGAIN, REASON_NO_PORTS},
	    {EMFILE, REASON_NO_DESCRIPTORS},
	    {ENFILE, REASON_NO_DESCRIPTORS},
	    {ENOBUFS, REASON_NO_BUFFERS},
	    {ENOMEM, REASON_NO_BUFFERS},
	    {EPROTO, REASON_CONNECT_FAILED},
	    {EINVAL, REASON_CONNECT_FAILED},
	};
	struct address to = address("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct outcome outcome;

		connect_errno[1] = rows[i].error;
		outcome = dial(&usual, &to, 1, 443);
		assert_int_equal(outcome.result.reason, rows[i].reason);
		assert_int_equal(outcome.result.fd, -1);
		assert_int_equal(dial_reason(rows[i].error), rows[i].reason);
	}
}

static void
failing_socket_is_told(void **state)
{
	struct address to = address("192.0.2.1");
	struct outcome outcome;

	(void)state;
	socket_errno = EMFILE;
	outcome = dial(&usual, &to, 1, 443);
	assert_int_equal(outcome.result.reason, REASON_NO_DESCRIPTORS);
	assert_int_equal(dialled, 0);
}

static void
most_telling_failure_wins(void **state)
{
	static const struct {
		int first, second;
		enum reason reason;
		unsigned from; /* which of the two gave it */
	} rows[] = {
	    {ENETUNREACH, ECONNREFUSED, REASON_CONNECT_REFUSED, 1},
	    {ECONNREFUSED, ENETUNREACH, REASON_CONNECT_REFUSED, 0},
	    {ETIMEDOUT, ENETUNREACH, REASON_NETWORK_UNREACHABLE, 1},
	    {ETIMEDOUT, EHOSTUNREACH, REASON_HOST_UNREACHABLE, 1},
	    {ENETUNREACH, EHOSTUNREACH, REASON_HOST_UNREACHABLE, 1},
	    {ENETUNREACH, EMFILE, REASON_NO_DESCRIPTORS, 1},
	    {EPROTO, ETIMEDOUT, REASON_CONNECT_TIMEOUT, 1},
	    {ECONNREFUSED, ECONNREFUSED, REASON_CONNECT_REFUSED, 0},
	};
	struct address to[] = {address("192.0.2.1"), address("192.0.2.2")};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct outcome outcome;

		connect_errno[1] = rows[i].first;
		connect_errno[2] = rows[i].second;
		outcome = dial(&usual, to, 2, 443);
		assert_int_equal(outcome.result.reason, rows[i].reason);
		assert_true(address_is_equal(
		    &outcome.result.reached.address, &to[rows[i].from]));
		assert_int_equal(outcome.result.reached.port, 443);
		assert_int_equal(dialled, 2);
	}
}

static void
no_more_addresses_are_tried_than_allowed(void **state)
{
	struct address to[6];
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(to); i++)
		to[i] = address("192.0.2.1");
	connect_errno[1] = EHOSTUNREACH;
	outcome = dial(&usual, to, ARRAY_COUNT(to), 443);
	assert_int_equal(outcome.result.reason, REASON_HOST_UNREACHABLE);
	assert_int_equal(dialled, 4);
}

static void
nothing_comes_after_a_cancel(void **state)
{
	struct dial_target to[] = {{.address = address("127.0.0.2")},
	    {.address = address("127.0.0.1")}};
	uint16_t port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);

	(void)state;
	dial_cancel(NULL);
	for (int turns = 0; turns < 4; turns++) {
		struct outcome outcome = {.base = event_base_new()};
		struct dial *handle = dial_start(
		    outcome.base, &usual, to, 2, port, on_done, &outcome);

		for (int i = 0; i < turns && outcome.calls == 0; i++)
			(void)event_base_loop(outcome.base, EVLOOP_NONBLOCK);
		if (outcome.calls == 0) {
			dial_cancel(handle);
			(void)event_base_dispatch(outcome.base);
			assert_int_equal(outcome.calls, 0);
		} else {
			check_connected(&outcome, to[1].address, port);
		}
		event_base_free(outcome.base);
	}
	(void)close(listener);
}

static void
the_source_is_the_one_that_was_said(void **state)
{
	struct address to[] = {address("::1"), address("127.0.0.1")};
	uint16_t port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	char text[ADDRESS_TEXT_SIZE];
	struct outcome outcome;

	(void)state;
	source = address("127.0.0.77");
	outcome = dial(&usual, to, 2, port);
	check_connected(&outcome, to[1], port);
	assert_string_equal(
	    address_print(&outcome.result.local.address, text), "127.0.0.77");
	/* Nobody's address, and none of the family. */
	source = address("192.0.2.1");
	outcome = dial(&usual, to + 1, 1, port);
	assert_int_equal(outcome.result.reason, REASON_NO_EGRESS);
	outcome = dial(&usual, to, 1, port);
	assert_int_equal(outcome.result.reason, REASON_NETWORK_UNREACHABLE);
	(void)close(listener);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
	const struct CMUnitTest tests[] = {
	    TEST(connects_over_ipv4_and_ipv6),
	    TEST(refused_moves_on_at_once),
	    TEST(silent_address_is_overtaken),
	    TEST(silent_addresses_time_out),
	    TEST(all_refused_is_told_at_once),
	    TEST(every_errno_has_its_reason),
	    TEST(failing_socket_is_told),
	    TEST(most_telling_failure_wins),
	    TEST(no_more_addresses_are_tried_than_allowed),
	    TEST(nothing_comes_after_a_cancel),
	    TEST(the_source_is_the_one_that_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
