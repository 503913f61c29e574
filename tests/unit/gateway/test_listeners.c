/* SPDX-License-Identifier: ISC */
/* Listeners open together or not at all, and stay open over a reload. */
#include "tests/support/unit.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/listeners.h"
#include "gateway/settings.h"

#define WHY_SIZE 256

/* Settings with nothing but listeners, one for each address. */
struct world {
	struct settings settings;
	struct listener_settings listeners[3];
};

static void
add(struct world *world, const char *name, const char *address)
{
	struct listener_settings *listener =
	    &world->listeners[world->settings.listener_count++];

	(void)snprintf(listener->name, sizeof(listener->name), "%s", name);
	assert_true(socket_address_parse(address, &listener->bind));
	listener->backlog = 10;
	listener->address = strdup(address);
	world->settings.listeners = world->listeners;
}

static void
forget(struct world *world)
{
	for (size_t i = 0; i < world->settings.listener_count; i++)
		free(world->listeners[i].address);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage at;
	struct socket_address address;
	socklen_t len = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	assert_true(
	    socket_address_from((const struct sockaddr *)&at, len, &address));
	return address.port;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
both_families_listen_each_for_itself(void **state)
{
	struct world world = {0};
	char why[WHY_SIZE];
	struct listeners *listeners;

	(void)state;
	add(&world, "four", "127.0.0.1:0");
	add(&world, "six", "[::1]:0");
	listeners = listeners_open(&world.settings, NULL, why, sizeof(why));
	assert_non_null(listeners);
	assert_int_equal(listeners_count(listeners), 2);
	assert_string_equal(listeners_name(listeners, 1), "six");
	for (size_t i = 0; i < 2; i++) {
		int fd = listeners_fd(listeners, i);

		assert_int_not_equal(port_of(fd), 0);
		assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	}
	assert_int_equal(
	    option(listeners_fd(listeners, 1), IPPROTO_IPV6, IPV6_V6ONLY), 1);
	listeners_close(listeners);
	forget(&world);
}

static void
a_socket_that_is_open_is_shared_whatever_its_name(void **state)
{
	struct world before = {0}, after = {0};
	char why[WHY_SIZE];
	struct listeners *old, *new;
	uint16_t port;

	(void)state;
	add(&before, "old", "127.0.0.1:0");
	old = listeners_open(&before.settings, NULL, why, sizeof(why));
	assert_non_null(old);
	port = port_of(listeners_fd(old, 0));
	add(&after, "new", "127.0.0.1:0");
	new = listeners_open(&after.settings, old, why, sizeof(why));
	assert_non_null(new);
	listeners_close(old);
	assert_string_equal(listeners_name(new, 0), "new");
	assert_int_equal(port_of(listeners_fd(new, 0)), port);
	listeners_close(new);
	forget(&before);
	forget(&after);
}

static void
one_that_cannot_open_closes_all_and_is_named(void **state)
{
	struct world world = {0};
	char why[WHY_SIZE];

	(void)state;
	add(&world, "good", "127.0.0.1:0");
	add(&world, "nowhere", "192.0.2.1:1080"); /* not our address */
	assert_null(listeners_open(&world.settings, NULL, why, sizeof(why)));
	assert_string_equal(why,
	    "listener nowhere cannot listen on 192.0.2.1:1080: Cannot assign "
	    "requested address");
	listeners_close(NULL);
	forget(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_families_listen_each_for_itself),
	    cmocka_unit_test(a_socket_that_is_open_is_shared_whatever_its_name),
	    cmocka_unit_test(one_that_cannot_open_closes_all_and_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
