/* SPDX-License-Identifier: ISC */
/* Rule sets are freed where they were made, whoever had them last. */
#include "tests/support/unit.h"

#include <pthread.h>

#include <event2/event.h>

#include "gateway/rules_in_use.h"
#include "policy/ruleset.h"

static struct event_base *base;
static struct rules_in_use *in_use;
static pthread_t main_thread;
static unsigned freed_here, freed_elsewhere;

void __real_ruleset_unref(struct ruleset *ruleset);
void __wrap_ruleset_unref(struct ruleset *ruleset);
void
__wrap_ruleset_unref(struct ruleset *ruleset)
{
	if (!ruleset_is_shared(ruleset)) {
		if (pthread_equal(pthread_self(), main_thread))
			freed_here++;
		else
			freed_elsewhere++;
	}
	__real_ruleset_unref(ruleset);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	in_use = rules_in_use_new(base);
	main_thread = pthread_self();
	freed_here = freed_elsewhere = 0;
	return base == NULL || in_use == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	rules_in_use_free(in_use);
	event_base_free(base);
	return 0;
}

static struct ruleset *
rules_without_rules(void)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	struct ruleset *rules;
	char why[256];

	assert_non_null(builder);
	rules = ruleset_build(builder, 1, why, sizeof(why));
	assert_non_null(rules);
	return rules;
}

/* So that it has looked at least once. */
static void
look(void)
{
	const struct timeval longer = {1, 300000};

	assert_int_equal(event_base_loopexit(base, &longer), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

static void *
use_and_drop(void *arg)
{
	ruleset_unref(arg);
	return NULL;
}

static void
a_set_that_a_worker_drops_is_freed_by_the_main_thread(void **state)
{
	struct ruleset *rules = rules_without_rules();
	pthread_t worker;

	(void)state;
	rules_in_use_add(in_use, rules);
	assert_true(ruleset_is_shared(rules));
	assert_int_equal(pthread_create(&worker, NULL, use_and_drop, rules), 0);
	assert_int_equal(pthread_join(worker, NULL), 0);
	assert_false(ruleset_is_shared(rules));
	assert_int_equal(freed_here + freed_elsewhere, 0);
	look();
	assert_int_equal(freed_here, 1);
	assert_int_equal(freed_elsewhere, 0);
}

static void
a_set_that_somebody_has_stays(void **state)
{
	struct ruleset *old = rules_without_rules();
	struct ruleset *other = rules_without_rules();

	(void)state;
	rules_in_use_add(in_use, old);
	rules_in_use_add(in_use, other);
	ruleset_unref(other);
	look();
	assert_int_equal(freed_here, 1);
	assert_int_equal(ruleset_generation(old), 1);
	ruleset_unref(old);
	assert_int_equal(freed_here, 1);
	rules_in_use_free(in_use);
	in_use = NULL;
	assert_int_equal(freed_here, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_set_that_a_worker_drops_is_freed_by_the_main_thread),
	    TEST(a_set_that_somebody_has_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
