/* SPDX-License-Identifier: ISC */
/* Real processes are started, linked, hang, die, and come back. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/must.h"
#include "base/options.h"
#include "base/control.h"
#include "gateway/backoff.h"
#include "gateway/supervisor.h"
#include "gateway/wiring.h"
#include "tests/support/fake_clock.h"
#include "tests/support/observer.h"

#define WORKERS	 2
#define RESTARTS 100
#define LIMIT_S	 10

struct world {
	struct observer observer;
	struct event_base *base;
	struct supervisor *supervisor;
	struct child *gateway, *helper;
	unsigned started, died, ready;
	char how[100];
	bool by_itself;
	unsigned delay_ms;
};

static void
on_ready(void *arg, struct child *child, bool is_first)
{
	struct world *world = arg;

	assert_true(is_first);
	assert_int_equal(child_generation(child), 7);
	world->ready++;
}

static void
on_failed(void *arg, struct child *child, const char *why)
{
	(void)arg;
	fail_msg("%s: %s", child_name(child), why);
}

static const struct child_functions child_functions = {
    .ready = on_ready,
    .failed = on_failed,
};

static void
on_started(void *arg, struct child *child)
{
	struct world *world = arg;
	struct options *options = options_new();
	uint8_t *data;
	size_t len;

	world->started++;
	wiring_connect(world->supervisor, child, WORKERS);
	options_add_u64(options, "index", child_index(child));
	options_encode(options, &data, &len);
	/* One that could not be executed may have gone; ready needs it. */
	(void)child_send(child, CONTROL_CONFIGURE, 0, data, len, -1);
	child_commit(child, 7);
	free(data);
	options_free(options);
}

static bool
on_died(void *arg, struct child *child, const char *how, bool by_itself,
    unsigned delay_ms)
{
	struct world *world = arg;

	assert_int_equal(child_pid(child), 0);
	world->died++;
	(void)snprintf(world->how, sizeof(world->how), "%s", how);
	world->by_itself = by_itself;
	world->delay_ms = delay_ms;
	return true;
}

static const struct supervisor_functions supervisor_functions = {
    .started = on_started,
    .died = on_died,
};

static struct child *
add(struct world *world, enum role role, unsigned hang_ms)
{
	char path[128];
	struct child_spec spec = {
	    .role = role,
	    .path = path,
	    .user = {geteuid(), getegid()},
	    .krb5_config = "",
	    .hang_ms = hang_ms,
	    .ping_ms = CHILD_PING_MS,
	};
	struct child *child;

	(void)snprintf(path, sizeof(path), "%s/gatewarden-%s",
	    world->observer.directory, role_name(role));
	child = child_new(world->base, &spec, &child_functions, world);
	supervisor_add(world->supervisor, child);
	return child;
}

static int
set_up(void **state)
{
	struct world *world = must_alloc(1, sizeof(*world));

	observer_init(&world->observer);
	world->base = event_base_new();
	world->supervisor =
	    supervisor_new(world->base, &supervisor_functions, world);
	*state = world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	supervisor_free(world->supervisor);
	event_base_free(world->base);
	observer_fini(&world->observer);
	free(world);
	return 0;
}

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for %d s", LIMIT_S);
}

static void
serve_until(struct world *world, const unsigned *count, unsigned wanted)
{
	const struct timeval limit = {.tv_sec = LIMIT_S};
	struct event *guard = evtimer_new(world->base, on_limit, NULL);

	assert_int_equal(evtimer_add(guard, &limit), 0);
	while (*count < wanted)
		assert_int_not_equal(
		    event_base_loop(world->base, EVLOOP_ONCE), -1);
	event_free(guard);
}

static void
start_two(struct world *world, unsigned hang_ms)
{
	world->gateway = add(world, ROLE_GATEWAY, CHILD_HANG_MS);
	world->helper = add(world, ROLE_AUTHENTICATOR, hang_ms);
	assert_int_equal(supervisor_start(world->supervisor), 0);
}

static unsigned
count_entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

static void
programs_start_clean_and_linked(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;

	start_two(world, CHILD_HANG_MS);
	serve_until(world, &world->ready, 2);
	assert_int_equal(world->started, 2);
	(void)observer_wait(observer, "gateway 0", "up LANG=C HOME=unset");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 0 "
	    "slot 1");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 0 "
	    "slot 2");
	assert_int_equal(observer_wait(observer, "authenticator 0",
			     "heard gateway by gateway 0 slot 2"),
	    child_pid(world->helper));
	/* Not to the main thread. */
	assert_false(observer_has(
	    observer, "authenticator 0", "heard gateway by gateway 0 slot 0"));
}

static void
a_program_holds_only_what_it_needs(void **state)
{
	struct world *world = *state;
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */

	world->gateway = add(world, ROLE_GATEWAY, CHILD_HANG_MS);
	assert_int_equal(supervisor_start(world->supervisor), 0);
	serve_until(world, &world->ready, 1);
	/* 0 to 3, its event loop's, its observer's */
	(void)observer_wait(&world->observer, "gateway 0", "descriptors 8");
	(void)close(leak);
}

static void
the_dead_come_back_and_leave_nothing_behind(void **state)
{
	struct world *world = *state;
	unsigned descriptors = 0;

	start_two(world, CHILD_HANG_MS);
	serve_until(world, &world->ready, 2);
	for (unsigned i = 0; i < RESTARTS; i++) {
		struct child *victim =
		    i % 2 == 0 ? world->helper : world->gateway;

		fake_clock_advance(BACKOFF_WINDOW_US);
		observer_mark(&world->observer);
		assert_int_equal(kill(child_pid(victim), SIGKILL), 0);
		serve_until(world, &world->ready, 3 + i);
		(void)observer_wait(&world->observer, "gateway 0",
		    "heard authenticator by authenticator 0 slot 2");
		assert_int_equal(world->delay_ms, 0);
		if (i == 0)
			descriptors = count_entries("/proc/self/fd");
	}
	assert_int_equal(world->died, RESTARTS);
	assert_int_equal(world->started, 2 + RESTARTS);
	assert_string_equal(world->how, "was ended by signal 9 (Killed)");
	assert_false(world->by_itself);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	/* Both live, and nobody waits to be buried. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	assert_int_equal(kill(child_pid(world->gateway), 0), 0);
	assert_int_equal(kill(child_pid(world->helper), 0), 0);
}

static void
only_the_links_of_the_dead_are_lost(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	struct child *other;

	other = add(world, ROLE_DIRECTORY_WATCH, CHILD_HANG_MS);
	start_two(world, CHILD_HANG_MS);
	serve_until(world, &world->ready, 3);
	(void)observer_wait(observer, "gateway 0",
	    "heard directory-watch by directory-watch 0 slot 0");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 0 "
	    "slot 2");
	assert_int_equal(kill(child_pid(world->helper), SIGKILL), 0);
	serve_until(world, &world->ready, 4);
	(void)observer_wait(
	    observer, "gateway 0", "lost authenticator 0 slot 1");
	(void)observer_wait(
	    observer, "gateway 0", "lost authenticator 0 slot 2");
	assert_false(observer_has(
	    observer, "gateway 0", "lost directory-watch 0 slot 0"));
	assert_false(observer_has(observer, "directory-watch 0", "lost"));
	assert_int_equal(kill(child_pid(other), 0), 0);
}

static void
a_program_that_hangs_is_killed(void **state)
{
	struct world *world = *state;

	start_two(world, 300);
	assert_int_equal(kill(child_pid(world->helper), SIGSTOP), 0);
	serve_until(world, &world->died, 1);
	assert_string_equal(world->how, "was ended by signal 9 (Killed)");
	serve_until(world, &world->ready, 2);
}

static void
a_program_that_is_not_there_says_so(void **state)
{
	struct world *world = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/gatewarden-gateway",
	    world->observer.directory);
	assert_int_equal(unlink(path), 0);
	world->gateway = add(world, ROLE_GATEWAY, CHILD_HANG_MS);
	assert_int_equal(supervisor_start(world->supervisor), 0);
	serve_until(world, &world->died, 1);
	assert_string_equal(world->how, "ended with status 127");
	assert_true(world->by_itself);
}

static void
a_program_that_keeps_dying_has_to_wait(void **state)
{
	struct world *world = *state;

	start_two(world, CHILD_HANG_MS);
	for (unsigned i = 0; i < BACKOFF_DEATHS; i++) {
		serve_until(world, &world->ready, 2 + i);
		assert_int_equal(kill(child_pid(world->helper), SIGKILL), 0);
		serve_until(world, &world->died, 1 + i);
	}
	assert_int_equal(world->delay_ms, BACKOFF_FIRST_MS);
	assert_int_equal(world->started, 1 + BACKOFF_DEATHS);
	supervisor_retire(world->supervisor);
	assert_int_equal(child_pid(world->helper), 0);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(programs_start_clean_and_linked),
	    TEST(a_program_holds_only_what_it_needs),
	    TEST(the_dead_come_back_and_leave_nothing_behind),
	    TEST(only_the_links_of_the_dead_are_lost),
	    TEST(a_program_that_hangs_is_killed),
	    TEST(a_program_that_is_not_there_says_so),
	    TEST(a_program_that_keeps_dying_has_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
