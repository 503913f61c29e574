/* SPDX-License-Identifier: ISC */
/* Each identity has its own rule_use of each rule, and no more. */
#include "tests/support/unit.h"

#include <unistd.h>

#include "gateway/rule_uses.h"
#include "policy/rule.h"
#include "relay/rate.h"

static struct rule_uses *rule_uses;

static int
set_up(void **state)
{
	(void)state;
	rule_uses = rule_uses_new();
	return rule_uses == NULL;
}

/* Fails if one was not given back. */
static int
tear_down(void **state)
{
	(void)state;
	rule_uses_free(rule_uses);
	return 0;
}

static struct rule_use *
must_take(
    const char *rule, const char *identity, const struct rule_limits *limits)
{
	struct rule_use *rule_use;

	assert_int_equal(
	    rule_uses_take(rule_uses, rule, identity, limits, &rule_use),
	    REASON_OK);
	return rule_use;
}

static void
must_not_take(
    const char *rule, const char *identity, const struct rule_limits *limits)
{
	struct rule_use *rule_use;

	assert_int_equal(
	    rule_uses_take(rule_uses, rule, identity, limits, &rule_use),
	    REASON_TOO_MANY_OF_RULE);
	assert_null(rule_use);
}

static void
without_limits_nothing_is_counted(void **state)
{
	static const struct rule_limits none = {.max_duration_s = 1};

	(void)state;
	assert_null(must_take("web", "alice", &none));
	rule_uses_give(rule_uses, NULL);
	assert_null(rule_uses_rate(rule_uses, NULL));
}

static void
sessions_are_counted_for_each_identity_and_rule(void **state)
{
	static const struct rule_limits two = {.max_sessions = 2};
	struct rule_use *first, *second, *bob, *ssh;

	(void)state;
	first = must_take("web", "alice", &two);
	second = must_take("web", "alice", &two);
	must_not_take("web", "alice", &two);
	bob = must_take("web", "bob", &two);
	ssh = must_take("ssh", "alice", &two);
	rule_uses_give(rule_uses, first);
	first = must_take("web", "alice", &two);
	must_not_take("web", "alice", &two);
	rule_uses_give(rule_uses, first);
	rule_uses_give(rule_uses, second);
	rule_uses_give(rule_uses, bob);
	rule_uses_give(rule_uses, ssh);
}

static void
a_smaller_limit_keeps_out_only_newcomers(void **state)
{
	static const struct rule_limits two = {.max_sessions = 2};
	static const struct rule_limits one = {.max_sessions = 1};
	struct rule_use *first = must_take("web", "alice", &two);
	struct rule_use *second = must_take("web", "alice", &two);

	(void)state;
	must_not_take("web", "alice", &one);
	rule_uses_give(rule_uses, first);
	must_not_take("web", "alice", &one);
	rule_uses_give(rule_uses, second);
	rule_uses_give(rule_uses, must_take("web", "alice", &one));
}

static void
all_sessions_share_one_rate(void **state)
{
	static const struct rule_limits slow = {.max_rate = 1000};
	static const struct rule_limits faster = {.max_rate = 2000};
	static const struct rule_limits open = {.max_sessions = 9};
	struct rule_use *first = must_take("web", "alice", &slow);
	struct rule_use *second = must_take("web", "alice", &faster);
	struct rule_use *third = must_take("web", "alice", &open);
	struct rule_use *bob = must_take("web", "bob", &slow);
	uint64_t wait_us;

	(void)state;
	assert_non_null(rule_uses_rate(rule_uses, first));
	assert_ptr_equal(rule_uses_rate(rule_uses, first),
	    rule_uses_rate(rule_uses, second));
	assert_ptr_equal(
	    rule_uses_rate(rule_uses, first), rule_uses_rate(rule_uses, third));
	assert_ptr_not_equal(
	    rule_uses_rate(rule_uses, first), rule_uses_rate(rule_uses, bob));
	/* Without a limit now: a thousandth of a second brings a lot. */
	(void)usleep(1000);
	assert_true(rate_take(rule_uses_rate(rule_uses, first), SIZE_MAX,
			&wait_us) > 1000000);
	rule_uses_give(rule_uses, first);
	rule_uses_give(rule_uses, second);
	rule_uses_give(rule_uses, third);
	rule_uses_give(rule_uses, bob);
}

/* To come again is no way to a full rate. */
static void
a_rate_is_no_fuller_for_who_comes_again(void **state)
{
	static const struct rule_limits slow = {.max_rate = 1};
	static const struct rule_limits fast = {.max_rate = RATE_MAX};
	struct rule_use *use = must_take("", "alice", &slow), *other;
	uint64_t wait_us;

	(void)state;
	assert_int_equal(
	    rate_take(rule_uses_rate(rule_uses, use), SIZE_MAX, &wait_us),
	    RATE_BURST_MIN);
	rule_uses_give(rule_uses, use);
	for (int i = 0; i < 3; i++) {
		/* Others do not sweep it away. */
		other = must_take("", "bob", &slow);
		rule_uses_give(rule_uses, other);
		use = must_take("", "alice", &slow);
		assert_int_equal(rate_take(rule_uses_rate(rule_uses, use),
				     SIZE_MAX, &wait_us),
		    0);
		rule_uses_give(rule_uses, use);
	}
	/* One that is full again is as good as new, and goes. */
	use = must_take("web", "alice", &fast);
	assert_true(
	    rate_take(rule_uses_rate(rule_uses, use), SIZE_MAX, &wait_us) > 0);
	rule_uses_give(rule_uses, use);
	(void)usleep(300000);
	use = must_take("ssh", "alice", &fast);
	rule_uses_give(rule_uses, use);
	assert_int_equal(rule_uses_count(rule_uses), 1);
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
	    TEST(a_rate_is_no_fuller_for_who_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
