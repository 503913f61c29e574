/* SPDX-License-Identifier: ISC */
/* How many sessions there may be. */
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdio.h>

#include "gateway/budgets.h"
#include "gateway/settings.h"

static struct settings settings;
static struct budgets *budgets;

static int
set_up(void **state)
{
	(void)state;
	settings = (struct settings){
	    .sessions_max = 1000,
	    .unproved_max = 1000,
	    .source_max = 1000,
	    .source_unproved_max = 1000,
	    .identity_max = 1000,
	};
	budgets = budgets_new(1000);
	return budgets == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	/* Says so if anything was not given back. */
	assert_int_equal(budgets_sessions(budgets), 0);
	assert_int_equal(budgets_unproved(budgets), 0);
	budgets_free(budgets);
	return 0;
}

static enum reason
enter(struct budget_share *share)
{
	return budgets_enter(budgets, &settings, share);
}

static enum reason
locate(struct budget_share *share, const char *client)
{
	struct address address;

	assert_true(address_parse(client, &address));
	return budgets_locate(budgets, &settings, &address, share);
}

static enum reason
prove(struct budget_share *share, const char *identity)
{
	return budgets_prove(budgets, &settings, identity, share);
}

static void
leave(struct budget_share *share)
{
	budgets_leave(budgets, share);
}

static void
the_house_is_full_at_its_limit(void **state)
{
	struct budget_share a = {0}, b = {0}, c = {0};

	(void)state;
	settings.sessions_max = 2;
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(enter(&b), REASON_OK);
	assert_int_equal(enter(&c), REASON_OVERLOADED);
	leave(&c); /* had nothing */
	assert_int_equal(budgets_sessions(budgets), 2);
	leave(&a);
	assert_int_equal(enter(&c), REASON_OK);
	leave(&b);
	leave(&c);
}

static void
no_setting_permits_more_than_the_process_can_hold(void **state)
{
	struct budget_share a = {0}, b = {0};

	(void)state;
	budgets_free(budgets);
	budgets = budgets_new(1);
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(enter(&b), REASON_OVERLOADED);
	leave(&a);
}

static void
a_wide_session_takes_the_place_of_two(void **state)
{
	struct budget_share a = {0}, b = {0}, c = {0};

	(void)state;
	budgets_free(budgets);
	budgets = budgets_new(3);
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(enter(&b), REASON_OK);
	assert_int_equal(budgets_widen(budgets, &a), REASON_OK);
	assert_int_equal(budgets_widen(budgets, &b), REASON_NO_DESCRIPTORS);
	assert_int_equal(enter(&c), REASON_OVERLOADED);
	assert_int_equal(budgets_sessions(budgets), 2);
	leave(&a);
	assert_int_equal(enter(&c), REASON_OK);
	assert_int_equal(budgets_widen(budgets, &b), REASON_OK);
	leave(&b);
	leave(&c);
}

static void
a_proof_makes_room_for_another_stranger(void **state)
{
	struct budget_share a = {0}, b = {0};

	(void)state;
	settings.unproved_max = 1;
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(enter(&b), REASON_TOO_MANY_UNPROVED);
	assert_int_equal(prove(&a, "alice@EXAMPLE.COM"), REASON_OK);
	assert_int_equal(budgets_unproved(budgets), 0);
	assert_int_equal(enter(&b), REASON_OK);
	leave(&a);
	leave(&b);
}

static void
each_source_has_its_own_budget(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", true},
	    {"192.0.2.1", "192.0.2.2", false},
	    {"192.0.2.1", "::ffff:192.0.2.1", true},
	    {"2001:db8::1", "2001:db8::ffff:1", true},
	    {"2001:db8::1", "2001:db8:0:1::1", false},
	    {"0.0.0.0", "::", false},
	};

	(void)state;
	settings.source_max = 1;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct budget_share a = {0}, b = {0};

		assert_int_equal(locate(&a, rows[i].a), REASON_OK);
		assert_int_equal(locate(&b, rows[i].b),
		    rows[i].is_same ? REASON_TOO_MANY_FROM_SOURCE : REASON_OK);
		leave(&a);
		leave(&b);
	}
}

static void
strangers_of_one_source_are_fewer(void **state)
{
	struct budget_share a = {0}, b = {0};

	(void)state;
	settings.source_unproved_max = 1;
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(locate(&a, "192.0.2.1"), REASON_OK);
	assert_int_equal(locate(&b, "192.0.2.1"), REASON_TOO_MANY_FROM_SOURCE);
	assert_int_equal(prove(&a, "alice@EXAMPLE.COM"), REASON_OK);
	assert_int_equal(enter(&b), REASON_OK);
	assert_int_equal(locate(&b, "192.0.2.1"), REASON_OK);
	leave(&b);
	leave(&a);
}

static void
each_identity_has_its_own_budget(void **state)
{
	struct budget_share a = {0}, b = {0}, c = {0};

	(void)state;
	settings.identity_max = 1;
	assert_int_equal(enter(&a), REASON_OK);
	assert_int_equal(enter(&b), REASON_OK);
	assert_int_equal(enter(&c), REASON_OK);
	assert_int_equal(prove(&a, "alice@EXAMPLE.COM"), REASON_OK);
	assert_int_equal(
	    prove(&b, "alice@EXAMPLE.COM"), REASON_TOO_MANY_OF_IDENTITY);
	/* It is still a stranger to the house. */
	assert_int_equal(budgets_unproved(budgets), 2);
	assert_int_equal(prove(&c, "alice@EXAMPLE.CO"), REASON_OK);
	leave(&a);
	leave(&b);
	leave(&c);
}

#define THREADS 4
#define ROUNDS	2000

static void *
come_and_go(void *arg)
{
	char client[ADDRESS_TEXT_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		struct budget_share share = {0};

		(void)snprintf(client, sizeof(client), "192.0.2.%d", i % 7);
		if (enter(&share) == REASON_OK &&
		    locate(&share, client) == REASON_OK)
			(void)prove(&share, i % 2 ? "a@R" : "b@R");
		leave(&share);
	}
	return arg;
}

static void
threads_share_them(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	settings.sessions_max = 3;
	settings.source_max = 2;
	settings.identity_max = 1;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_house_is_full_at_its_limit),
	    TEST(no_setting_permits_more_than_the_process_can_hold),
	    TEST(a_wide_session_takes_the_place_of_two),
	    TEST(a_proof_makes_room_for_another_stranger),
	    TEST(each_source_has_its_own_budget),
	    TEST(strangers_of_one_source_are_fewer),
	    TEST(each_identity_has_its_own_budget),
	    TEST(threads_share_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
