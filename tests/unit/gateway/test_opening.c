/* SPDX-License-Identifier: ISC */
/* Listeners that wait for a word about the rules. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/must.h"
#include "gateway/opening.h"
#include "gateway/worker.h"

#define LONG_MS 600000

static struct event_base *base;
static struct opening *opening;
static char handed[64];

static void
hand(void *arg, const struct mail *listener)
{
	(void)arg;
	(void)strlcat(handed, listener->name, sizeof(handed));
	assert_int_equal(close(listener->fd), 0);
	free(listener->name);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	handed[0] = '\0';
	return base == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	opening_free(opening);
	event_base_free(base);
	return 0;
}

static int
put(const char *name)
{
	struct mail listener = {.kind = MAIL_LISTENER};

	listener.name = must_strdup(name);
	listener.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(listener.fd >= 0);
	opening_put(opening, &listener);
	return listener.fd;
}

static void
they_wait_and_are_handed_in_order(void **state)
{
	(void)state;
	opening = opening_new(base, LONG_MS, hand, NULL);
	(void)put("a");
	(void)put("b");
	assert_string_equal(handed, "");
	opening_open(opening);
	assert_string_equal(handed, "ab");
	opening_open(opening);
	(void)put("c");
	assert_string_equal(handed, "abc");
}

static void
those_of_other_settings_are_closed(void **state)
{
	int old;

	(void)state;
	opening = opening_new(base, LONG_MS, hand, NULL);
	old = put("a");
	opening_forget(opening);
	assert_int_equal(fcntl(old, F_GETFD), -1);
	(void)put("b");
	opening_open(opening);
	assert_string_equal(handed, "b");
}

static void
nobody_waits_for_ever(void **state)
{
	(void)state;
	opening = opening_new(base, 20, hand, NULL);
	(void)put("a");
	assert_int_equal(event_base_dispatch(base), 1); /* nothing is left */
	assert_string_equal(handed, "a");
}

static void
what_waits_is_closed_at_the_end(void **state)
{
	int fd;

	(void)state;
	opening = opening_new(base, LONG_MS, hand, NULL);
	fd = put("a");
	opening_free(opening);
	opening = NULL;
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_string_equal(handed, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(they_wait_and_are_handed_in_order),
	    TEST(those_of_other_settings_are_closed),
	    TEST(nobody_waits_for_ever),
	    TEST(what_waits_is_closed_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
