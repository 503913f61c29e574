/* SPDX-License-Identifier: ISC */
/* Which identity is connected to which address. */
#include "tests/support/unit.h"

#include <pthread.h>

#include "gateway/connected.h"

static struct address
address(const char *text)
{
	struct address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static void
who_is_connected_where_is_counted(void **state)
{
	struct connected *connected = connected_new();
	struct address web = address("192.0.2.1"), mail = address("192.0.2.2");
	struct address web6 = address("2001:db8::1");

	(void)state;
	assert_non_null(connected);
	assert_false(connected_has(connected, "alice", NULL));
	assert_true(connected_add(connected, "alice", &web));
	assert_true(connected_add(connected, "alice", &web));
	assert_true(connected_add(connected, "alice", &web6));
	assert_true(connected_add(connected, "carol", &mail));
	assert_true(connected_has(connected, "alice", NULL));
	assert_true(connected_has(connected, "alice", &web));
	assert_true(connected_has(connected, "alice", &web6));
	assert_false(connected_has(connected, "alice", &mail));
	/* Names between, before and behind those that are there. */
	assert_false(connected_has(connected, "bob", NULL));
	assert_false(connected_has(connected, "bob", &web));
	assert_false(connected_has(connected, "alic", NULL));
	assert_false(connected_has(connected, "alicea", NULL));
	assert_false(connected_has(connected, "dave", NULL));
	connected_remove(connected, "alice", &web);
	assert_true(connected_has(connected, "alice", &web));
	connected_remove(connected, "alice", &web);
	assert_false(connected_has(connected, "alice", &web));
	assert_true(connected_has(connected, "alice", NULL));
	connected_remove(connected, "alice", &web6);
	assert_false(connected_has(connected, "alice", NULL));
	connected_remove(connected, "carol", &mail);
	connected_free(connected);
	connected_free(NULL);
}

#define THREADS 4
#define ROUNDS	20000

static void *
come_and_go(void *arg)
{
	static const char *const names[] = {"alice", "bob"};
	struct connected *connected = arg;
	struct address own = address("192.0.2.1");

	for (int i = 0; i < ROUNDS; i++) {
		const char *name = names[i % 2];

		if (!connected_add(connected, name, &own) ||
		    !connected_has(connected, name, &own))
			return NULL;
		connected_remove(connected, name, &own);
	}
	return connected;
}

static void
threads_share_it(void **state)
{
	struct connected *connected = connected_new();
	pthread_t threads[THREADS];
	void *came_back;

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_and_go, connected),
		    0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &came_back), 0);
		assert_ptr_equal(came_back, connected);
	}
	assert_false(connected_has(connected, "alice", NULL));
	connected_free(connected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_connected_where_is_counted),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
