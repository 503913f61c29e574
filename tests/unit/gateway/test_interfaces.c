/* SPDX-License-Identifier: ISC */
/*
 * The addresses of this host are known, and their changes too.  Runs in a
 * network namespace of its own, whose loopback is down at first.
 */
#include "tests/support/unit.h"

#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/wire.h"
#include "gateway/interfaces.h"

#define LIMIT_S 10

struct world {
	struct event_base *base;
	struct interfaces *interfaces;
	unsigned changes;
};

static int
enter_namespace(void **state)
{
	(void)state;
	return unshare(
	    geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET);
}

static void
set_loopback(bool up)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr_flags = up ? IFF_UP : 0;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	(void)close(fd);
}

static bool
has(const struct world *world, const char *text)
{
	struct wire_reader reader;
	struct address wanted;
	size_t len;
	const uint8_t *data = interfaces_encoded(world->interfaces, &len);
	bool found = false;

	assert_true(address_parse(text, &wanted));
	wire_reader_init(&reader, data, len);
	for (uint32_t n = wire_get_u32(&reader); n > 0; n--) {
		bool is_ipv4 = wire_get_u8(&reader) == 4;
		const uint8_t *bytes =
		    wire_get_bytes(&reader, is_ipv4 ? 4 : 16);
		struct address address;

		assert_non_null(bytes);
		address = is_ipv4 ? address_from_ipv4(bytes)
				  : address_from_ipv6(bytes);
		found |= address_is_equal(&address, &wanted);
	}
	assert_true(wire_is_done(&reader));
	return found;
}

static void
on_change(void *arg)
{
	struct world *world = arg;

	world->changes++;
}

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("no change in %d s", LIMIT_S);
}

static void
serve_until_change(struct world *world)
{
	const struct timeval limit = {.tv_sec = LIMIT_S};
	struct event *guard = evtimer_new(world->base, on_limit, NULL);
	unsigned before = world->changes;

	assert_int_equal(evtimer_add(guard, &limit), 0);
	while (world->changes == before)
		assert_int_not_equal(
		    event_base_loop(world->base, EVLOOP_ONCE), -1);
	event_free(guard);
}

static void
addresses_come_and_go(void **state)
{
	struct world world = {.base = event_base_new()};

	(void)state;
	world.interfaces = interfaces_new(world.base, on_change, &world);
	assert_non_null(world.interfaces);
	assert_false(has(&world, "127.0.0.1"));
	assert_int_equal(world.changes, 0);

	set_loopback(true);
	serve_until_change(&world);
	assert_true(has(&world, "127.0.0.1"));
	assert_true(has(&world, "::1"));

	set_loopback(false);
	serve_until_change(&world);
	assert_false(has(&world, "::1"));

	interfaces_free(world.interfaces);
	event_base_free(world.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_come_and_go),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
