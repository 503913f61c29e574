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

/* The count of what is inherited, or -1: refused. */
static int
inherit(const char *pid, const char *fds)
{
	char why[WHY_SIZE] = "";
	struct listeners *listeners;
	int count = -1;

	assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", fds, 1), 0);
	listeners = listeners_inherit(why, sizeof(why));
	if (listeners != NULL)
		count = (int)listeners_count(listeners);
	else
		assert_string_not_equal(why, "");
	listeners_close(listeners);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	return count;
}

static void
what_the_service_manager_says_is_not_trusted(void **state)
{
	static const char *const bad[] = {"", " ", "-1", "+1", "01", "1 ", "1x",
	    "0x1", "257", "4294967296", "18446744073709551617", "one"};
	char own[24], other[24];

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	(void)snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(inherit(own, bad[i]), -1);
	assert_int_equal(inherit("x", "1"), -1);
	assert_int_equal(inherit("0", "1"), -1);
	assert_int_equal(inherit(own, "0"), 0);
	assert_int_equal(inherit(other, "1"), 0);
}

/* Descriptor 3 becomes what it is given. */
static int
inherit_this(int fd)
{
	char own[24];

	assert_int_equal(dup2(fd, 3), 3);
	if (fd != 3)
		(void)close(fd);
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	return inherit(own, "1");
}

static void
only_listening_sockets_are_inherited(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(inherit_this(fd), -1);
	assert_int_equal(inherit_this(socket(AF_INET, SOCK_DGRAM, 0)), -1);
	assert_int_equal(inherit_this(dup(STDERR_FILENO)), -1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(inherit_this(fd), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_families_listen_each_for_itself),
	    cmocka_unit_test(a_socket_that_is_open_is_shared_whatever_its_name),
	    cmocka_unit_test(one_that_cannot_open_closes_all_and_is_named),
	    cmocka_unit_test(what_the_service_manager_says_is_not_trusted),
	    cmocka_unit_test(only_listening_sockets_are_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
