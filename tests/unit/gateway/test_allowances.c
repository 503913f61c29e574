/* SPDX-License-Identifier: ISC */
/* Each identity has its own allowance of each rule, and no more. */
#include "tests/support/unit.h"

#include <unistd.h>

#include "gateway/allowances.h"
#include "policy/rule.h"
#include "relay/rate.h"

static struct allowances *allowances;

static int
set_up(void **state)
{
	(void)state;
	allowances = allowances_new();
	return allowances == NULL;
}

/* Fails if one was not given back. */
static int
tear_down(void **state)
{
	(void)state;
	allowances_free(allowances);
	return 0;
}

static struct allowance *
must_take(
    const char *rule, const char *identity, const struct rule_limits *limits)
{
	struct allowance *allowance;

	assert_int_equal(
	    allowances_take(allowances, rule, identity, limits, &allowance),
	    REASON_OK);
	return allowance;
}

static void
must_not_take(
    const char *rule, const char *identity, const struct rule_limits *limits)
{
	struct allowance *allowance;

	assert_int_equal(
	    allowances_take(allowances, rule, identity, limits, &allowance),
	    REASON_TOO_MANY_OF_RULE);
	assert_null(allowance);
}

static void
without_limits_nothing_is_counted(void **state)
{
	static const struct rule_limits none = {.max_duration_s = 1};

	(void)state;
	assert_null(must_take("web", "alice", &none));
	allowances_give(allowances, NULL);
	assert_null(allowances_rate(allowances, NULL));
}

static void
sessions_are_counted_for_each_identity_and_rule(void **state)
{
	static const struct rule_limits two = {.max_sessions = 2};
	struct allowance *first, *second, *bob, *ssh;

	(void)state;
	first = must_take("web", "alice", &two);
	second = must_take("web", "alice", &two);
	must_not_take("web", "alice", &two);
	bob = must_take("web", "bob", &two);
	ssh = must_take("ssh", "alice", &two);
	allowances_give(allowances, first);
	first = must_take("web", "alice", &two);
	must_not_take("web", "alice", &two);
	allowances_give(allowances, first);
	allowances_give(allowances, second);
	allowances_give(allowances, bob);
	allowances_give(allowances, ssh);
}

static void
a_smaller_limit_keeps_out_only_newcomers(void **state)
{
	static const struct rule_limits two = {.max_sessions = 2};
	static const struct rule_limits one = {.max_sessions = 1};
	struct allowance *first = must_take("web", "alice", &two);
	struct allowance *second = must_take("web", "alice", &two);

	(void)state;
	must_not_take("web", "alice", &one);
	allowances_give(allowances, first);
	must_not_take("web", "alice", &one);
	allowances_give(allowances, second);
	allowances_give(allowances, must_take("web", "alice", &one));
}

static void
all_sessions_share_one_rate(void **state)
{
	static const struct rule_limits slow = {.max_rate = 1000};
	static const struct rule_limits faster = {.max_rate = 2000};
	static const struct rule_limits open = {.max_sessions = 9};
	struct allowance *first = must_take("web", "alice", &slow);
	struct allowance *second = must_take("web", "alice", &faster);
	struct allowance *third = must_take("web", "alice", &open);
	struct allowance *bob = must_take("web", "bob", &slow);
	uint64_t wait_us;

	(void)state;
	assert_non_null(allowances_rate(allowances, first));
	assert_ptr_equal(allowances_rate(allowances, first),
	    allowances_rate(allowances, second));
	assert_ptr_equal(allowances_rate(allowances, first),
	    allowances_rate(allowances, third));
	assert_ptr_not_equal(allowances_rate(allowances, first),
	    allowances_rate(allowances, bob));
	/* Without a limit now: a thousandth of a second brings a lot. */
	(void)usleep(1000);
	assert_true(rate_take(allowances_rate(allowances, first), SIZE_MAX,
			&wait_us) > 1000000);
	allowances_give(allowances, first);
	allowances_give(allowances, second);
	allowances_give(allowances, third);
	allowances_give(allowances, bob);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_limits_nothing_is_counted),
	    TEST(sessions_are_counted_for_each_identity_and_rule),
	    TEST(a_smaller_limit_keeps_out_only_newcomers),
	    TEST(all_sessions_share_one_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
