/* SPDX-License-Identifier: ISC */
/* Waiting for one caller, and noticing that the one who waits has gone: on
 * loopback, with the kernel's failures through a seam. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "relay/hangup.h"
#include "relay/reception.h"

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

#define CALLERS_MAX 8

static struct {
	struct event_base *base;
	struct reception *reception;
	uint8_t welcome; /* the last octet of who is */
	unsigned judged, calls;
	struct socket_address callers[CALLERS_MAX];
	struct reception_result result;
	int accept_errno; /* of the next so many calls */
	unsigned accept_failures, accepts;
	unsigned descriptors;
} world;

int
__wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	world.accepts++;
	if (world.accept_failures > 0) {
		world.accept_failures--;
		errno = world.accept_errno;
		return -1;
	}
	return __real_accept4(fd, from, len, flags);
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

static int
set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.descriptors = open_descriptors();
	world.base = event_base_new();
	world.welcome = 2;
	return world.base != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	reception_cancel(world.reception);
	if (world.calls > 0 && world.result.fd >= 0)
		(void)close(world.result.fd);
	event_base_free(world.base);
	return open_descriptors() == world.descriptors ? 0 : -1;
}

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static bool
on_judge(void *arg, const struct socket_address *caller)
{
	assert_ptr_equal(arg, &world);
	assert_true(world.judged < CALLERS_MAX);
	world.callers[world.judged++] = *caller;
	return caller->address.bytes[3] == world.welcome;
}

static void
on_done(void *arg, const struct reception_result *result)
{
	assert_ptr_equal(arg, &world);
	world.calls++;
	world.result = *result;
	world.reception = NULL;
}

static enum reason
start(const char *at, uint16_t min, uint16_t max, unsigned timeout_ms)
{
	struct reception_settings settings = {
	    .address = address(at),
	    .port_min = min,
	    .port_max = max,
	    .timeout_ms = timeout_ms,
	};
	enum reason why = REASON_OK;

	world.reception = reception_start(
	    world.base, &settings, on_judge, on_done, &world, &why);
	assert_int_equal(world.calls, 0);
	assert_true((world.reception != NULL) == (why == REASON_OK));
	return why;
}

static void
settle(unsigned ms)
{
	uint64_t until = clock_monotonic_us() + ms * 1000;

	do {
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		(void)poll(NULL, 0, 1);
	} while (clock_monotonic_us() < until);
}

/* A connection to where the reception waits, or -1. */
static int
call_from(const char *source, struct socket_address to)
{
	struct socket_address from = {address(source), 0};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&from, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&storage, len), 0);
	len = socket_address_to(&to, &storage);
	if (connect(fd, (struct sockaddr *)&storage, len) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	(void)close(fd);
	return -1;
}

/* What the caller sees of its connection within a second. */
static ssize_t
hear(int fd)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	uint8_t octet;

	assert_int_equal(poll(&waiting, 1, 1000), 1);
	return recv(fd, &octet, 1, 0);
}

static void
the_welcome_caller_is_handed_over_and_nobody_listens_any_more(void **state)
{
	struct socket_address at;
	int caller;

	(void)state;
	assert_int_equal(start("127.0.0.1", 0, 0, 1000), REASON_OK);
	at = reception_address(world.reception);
	assert_true(at.port != 0);
	caller = call_from("127.0.0.2", at);
	settle(20);
	assert_int_equal(world.calls, 1);
	assert_int_equal(world.result.reason, REASON_OK);
	assert_memory_equal(&world.result.local, &at, sizeof(at));
	assert_memory_equal(
	    &world.result.caller, &world.callers[0], sizeof(world.callers[0]));
	assert_true((fcntl(world.result.fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(send(world.result.fd, "x", 1, 0), 1);
	assert_int_equal(hear(caller), 1);
	assert_int_equal(call_from("127.0.0.2", at), -1);
	(void)close(caller);
}

static void
over_ipv6_too(void **state)
{
	struct socket_address at;
	int caller;

	(void)state;
	world.welcome = 0; /* of ::1, the fourth octet */
	assert_int_equal(start("::1", 0, 0, 1000), REASON_OK);
	at = reception_address(world.reception);
	assert_int_equal(at.address.family, ADDRESS_IPV6);
	caller = call_from("::1", at);
	settle(20);
	assert_int_equal(world.result.reason, REASON_OK);
	assert_int_equal(world.result.caller.address.family, ADDRESS_IPV6);
	(void)close(caller);
}

static void
strangers_are_closed_and_the_wait_goes_on(void **state)
{
	struct socket_address at;
	int callers[3];

	(void)state;
	assert_int_equal(start("127.0.0.1", 0, 0, 1000), REASON_OK);
	at = reception_address(world.reception);
	for (int i = 0; i < 3; i++) {
		callers[i] = call_from(i < 2 ? "127.0.0.9" : "127.0.0.2", at);
		settle(10);
		if (i < 2)
			assert_int_equal(hear(callers[i]), 0);
		assert_int_equal(world.judged, i + 1);
		assert_int_equal(world.calls, i == 2);
	}
	for (int i = 0; i < 3; i++)
		(void)close(callers[i]);
}

static void
nobody_in_time_is_a_timeout(void **state)
{
	uint64_t began = clock_monotonic_us();
	struct socket_address at;
	int stranger;

	(void)state;
	assert_int_equal(start("127.0.0.1", 0, 0, 150), REASON_OK);
	at = reception_address(world.reception);
	stranger = call_from("127.0.0.9", at);
	while (world.calls == 0)
		settle(1);
	assert_true(clock_monotonic_us() - began >= 140000);
	assert_int_equal(world.result.reason, REASON_BIND_TIMEOUT);
	assert_int_equal(world.result.fd, -1);
	assert_memory_equal(&world.result.local, &at, sizeof(at));
	assert_int_equal(call_from("127.0.0.2", at), -1);
	(void)close(stranger);
}

static void
a_cancel_frees_the_port_at_once(void **state)
{
	struct socket_address at;

	(void)state;
	assert_int_equal(start("127.0.0.1", 0, 0, 1000), REASON_OK);
	at = reception_address(world.reception);
	reception_cancel(world.reception);
	assert_int_equal(call_from("127.0.0.2", at), -1);
	assert_int_equal(start("127.0.0.1", at.port, at.port, 1000), REASON_OK);
	reception_cancel(world.reception);
	world.reception = NULL;
	reception_cancel(NULL);
	settle(20);
	assert_int_equal(world.calls, 0);
}

/* A caller's connection that goes on does not keep its port from the next. */
static void
a_port_is_free_again_while_its_last_caller_is_served(void **state)
{
	struct socket_address at;
	int caller, before;

	(void)state;
	assert_int_equal(start("127.0.0.1", 0, 0, 1000), REASON_OK);
	at = reception_address(world.reception);
	caller = call_from("127.0.0.2", at);
	settle(20);
	assert_int_equal(world.calls, 1);
	before = world.result.fd;
	world.calls = 0;
	assert_int_equal(start("127.0.0.1", at.port, at.port, 1000), REASON_OK);
	(void)close(caller);
	(void)close(before);
}

static void
every_port_of_a_range_is_used_before_it_is_exhausted(void **state)
{
	struct reception *kept[4];
	struct socket_address at;
	unsigned seen = 0;

	(void)state;
	/* A range that is free: where the kernel would put one of ours. */
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
		assert_int_equal(
		    start("127.0.0.3", 23456, 23459, 1000), REASON_OK);
		kept[i] = world.reception;
		at = reception_address(kept[i]);
		assert_in_range(at.port, 23456, 23459);
		seen |= 1U << (at.port - 23456);
	}
	assert_int_equal(seen, 15);
	assert_int_equal(
	    start("127.0.0.3", 23456, 23459, 1000), REASON_NO_PORTS);
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		reception_cancel(kept[i]);
}

static void
an_address_that_is_not_ours_is_said(void **state)
{
	(void)state;
	assert_int_equal(start("192.0.2.1", 0, 0, 1000), REASON_NO_PORTS);
	assert_int_equal(start("127.0.0.1", 0, 65535, 1000), REASON_OK);
}

static void
a_shortage_of_descriptors_makes_it_pause_and_not_spin(void **state)
{
	static const int shortages[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
	int callers[ARRAY_COUNT(shortages)];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(shortages); i++) {
		world.calls = world.accepts = 0;
		world.accept_errno = shortages[i];
		world.accept_failures = 1;
		assert_int_equal(start("127.0.0.1", 0, 0, 5000), REASON_OK);
		callers[i] =
		    call_from("127.0.0.2", reception_address(world.reception));
		settle(40);
		assert_int_equal(world.accepts, 1);
		while (world.calls == 0)
			settle(1);
		assert_int_equal(world.accepts, 2);
		assert_int_equal(world.result.reason, REASON_OK);
		(void)close(callers[i]);
		(void)close(world.result.fd);
		world.result.fd = -1;
	}
}

static void
a_caller_that_has_gone_again_does_no_harm(void **state)
{
	int caller;

	(void)state;
	world.accept_errno = ECONNABORTED;
	world.accept_failures = 1;
	assert_int_equal(start("127.0.0.1", 0, 0, 5000), REASON_OK);
	caller = call_from("127.0.0.2", reception_address(world.reception));
	settle(20);
	assert_int_equal(world.calls, 1);
	(void)close(caller);
}

/* ---- the one who waits */

static struct {
	unsigned calls;
	bool was_reset;
} gone;

static void
on_gone(void *arg, bool was_reset)
{
	assert_ptr_equal(arg, &gone);
	gone.calls++;
	gone.was_reset = was_reset;
}

/* A connection: ours and the peer's end. */
static void
make_connection(int *ours, int *peers)
{
	struct socket_address at = {address("127.0.0.1"), 0};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&at, &storage);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	memset(&gone, 0, sizeof(gone));
	assert_int_equal(bind(listening, (struct sockaddr *)&storage, len), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(
	    getsockname(listening, (struct sockaddr *)&storage, &len), 0);
	*peers = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*peers, (struct sockaddr *)&storage, len), 0);
	*ours = __real_accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	assert_true(*ours >= 0);
	(void)close(listening);
}

static void
reset_connection(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
	    0);
	(void)close(fd);
}

static void
a_close_is_noticed_behind_octets_that_stay_unread(void **state)
{
	struct hangup *hangup;
	uint8_t octets[4096] = "";
	int ours, peers;

	(void)state;
	make_connection(&ours, &peers);
	hangup = hangup_watch(world.base, ours, on_gone, &gone);
	assert_non_null(hangup);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    send(peers, octets, sizeof(octets), 0), sizeof(octets));
		settle(5);
		assert_int_equal(gone.calls, 0);
	}
	(void)close(peers);
	settle(20);
	assert_int_equal(gone.calls, 1);
	assert_false(gone.was_reset);
	settle(20);
	assert_int_equal(gone.calls, 1);
	hangup_cancel(hangup);
	for (size_t left = 4 * sizeof(octets); left > 0;) {
		ssize_t got = recv(ours, octets, sizeof(octets), 0);

		assert_true(got > 0);
		left -= (size_t)got;
	}
	(void)close(ours);
}

static void
a_reset_is_noticed_with_and_without_octets_before_it(void **state)
{
	struct hangup *hangup;
	int ours, peers;

	(void)state;
	for (int octets = 0; octets < 2; octets++) {
		make_connection(&ours, &peers);
		hangup = hangup_watch(world.base, ours, on_gone, &gone);
		assert_non_null(hangup);
		if (octets)
			assert_int_equal(send(peers, "x", 1, 0), 1);
		settle(10);
		reset_connection(peers);
		settle(20);
		assert_int_equal(gone.calls, 1);
		assert_true(gone.was_reset);
		hangup_cancel(hangup);
		(void)close(ours);
	}
}

static void
what_happened_before_the_watch_is_noticed(void **state)
{
	struct hangup *hangup;
	int ours, peers;

	(void)state;
	for (int reset = 0; reset < 2; reset++) {
		make_connection(&ours, &peers);
		if (reset)
			reset_connection(peers);
		else
			(void)close(peers);
		hangup = hangup_watch(world.base, ours, on_gone, &gone);
		assert_non_null(hangup);
		assert_int_equal(gone.calls, 0);
		settle(20);
		assert_int_equal(gone.calls, 1);
		assert_int_equal(gone.was_reset, reset);
		hangup_cancel(hangup);
		(void)close(ours);
	}
}

static void
after_a_cancel_nothing_is_noticed(void **state)
{
	struct hangup *hangup;
	int ours, peers;

	(void)state;
	make_connection(&ours, &peers);
	hangup = hangup_watch(world.base, ours, on_gone, &gone);
	assert_non_null(hangup);
	hangup_cancel(hangup);
	hangup_cancel(NULL);
	(void)close(peers);
	settle(20);
	assert_int_equal(gone.calls, 0);
	assert_null(hangup_watch(world.base, -1, on_gone, &gone));
	(void)close(ours);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_welcome_caller_is_handed_over_and_nobody_listens_any_more),
	    TEST(over_ipv6_too),
	    TEST(strangers_are_closed_and_the_wait_goes_on),
	    TEST(nobody_in_time_is_a_timeout),
	    TEST(a_cancel_frees_the_port_at_once),
	    TEST(a_port_is_free_again_while_its_last_caller_is_served),
	    TEST(every_port_of_a_range_is_used_before_it_is_exhausted),
	    TEST(an_address_that_is_not_ours_is_said),
	    TEST(a_shortage_of_descriptors_makes_it_pause_and_not_spin),
	    TEST(a_caller_that_has_gone_again_does_no_harm),
	    TEST(a_close_is_noticed_behind_octets_that_stay_unread),
	    TEST(a_reset_is_noticed_with_and_without_octets_before_it),
	    TEST(what_happened_before_the_watch_is_noticed),
	    TEST(after_a_cancel_nothing_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
