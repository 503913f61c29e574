/* SPDX-License-Identifier: ISC */
/* What the cache of subjects keeps, and for how long. */
#include "tests/support/unit.h"

#include <stdio.h>

#include "policy/subject.h"
#include "policy/subject_cache.h"
#include "tests/support/fake_clock.h"

#define SECOND UINT64_C(1000000)

static const struct subject_cache_settings settings = {
    .ttl_s = 60,
    .negative_ttl_s = 5,
    .stale_max_s = 3600,
    .entries_max = 16,
};

static struct subject_cache *cache;

static int
set_up(void **state)
{
	(void)state;
	fake_clock_set(1000 * SECOND, 0);
	cache = subject_cache_new(&settings);
	return cache == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	subject_cache_free(cache);
	return 0;
}

static void
put(const char *name, const char *dn)
{
	struct subject *subject = subject_new(dn);

	assert_non_null(subject);
	subject_cache_put(cache, name, subject, subject_cache_epoch(cache));
	subject_unref(subject);
}

static bool
has(const char *name, enum directory_mood mood)
{
	struct subject *subject = subject_cache_get(cache, name, mood);

	subject_unref(subject);
	return subject != NULL;
}

static void
an_answer_serves_for_its_time(void **state)
{
	(void)state;
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	put("alice@EXAMPLE.COM", "uid=alice");
	fake_clock_advance(59 * SECOND);
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	fake_clock_advance(1 * SECOND);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
}

static void
that_there_is_no_such_user_serves_for_less(void **state)
{
	(void)state;
	put("mallory@EXAMPLE.COM", NULL);
	fake_clock_advance(4 * SECOND);
	assert_true(has("mallory@EXAMPLE.COM", DIRECTORY_ANSWERS));
	fake_clock_advance(1 * SECOND);
	assert_false(has("mallory@EXAMPLE.COM", DIRECTORY_ANSWERS));
}

static void
while_the_directory_is_silent_old_answers_serve(void **state)
{
	(void)state;
	put("alice@EXAMPLE.COM", "uid=alice");
	fake_clock_advance(3599 * SECOND);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_IS_SILENT));
	fake_clock_advance(1 * SECOND);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_IS_SILENT));
}

static void
a_name_is_a_whole_name(void **state)
{
	(void)state;
	put("alice@EXAMPLE.COM", "uid=alice");
	assert_false(has("alice@EXAMPLE.CO", DIRECTORY_ANSWERS));
	assert_false(has("alice@EXAMPLE.COM2", DIRECTORY_ANSWERS));
	assert_false(has("Alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	assert_false(has("", DIRECTORY_IS_SILENT));
}

static void
the_least_recently_used_goes_first(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 16; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		put(name, "uid=x");
	}
	assert_true(has("user0", DIRECTORY_ANSWERS)); /* used again */
	put("user16", "uid=x");
	assert_true(has("user0", DIRECTORY_ANSWERS));
	assert_false(has("user1", DIRECTORY_ANSWERS));
	assert_true(has("user2", DIRECTORY_ANSWERS));
}

static void
a_newer_answer_replaces_the_older(void **state)
{
	struct subject *subject;

	(void)state;
	put("alice@EXAMPLE.COM", NULL);
	put("alice@EXAMPLE.COM", "uid=alice");
	subject =
	    subject_cache_get(cache, "alice@EXAMPLE.COM", DIRECTORY_ANSWERS);
	assert_string_equal(subject->dn, "uid=alice");
	subject_unref(subject);
}

static void
after_a_reload_the_directory_is_asked_again(void **state)
{
	(void)state;
	put("alice@EXAMPLE.COM", "uid=alice");
	subject_cache_expire(cache);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_IS_SILENT));
}

static void
a_slow_directory_is_not_waited_for_unless_something_has_changed(void **state)
{
	(void)state;
	put("alice@EXAMPLE.COM", "uid=alice");
	fake_clock_advance(60 * SECOND);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_IS_SLOW));
	subject_cache_expire(cache);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_IS_SLOW));
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_IS_SILENT));
	put("alice@EXAMPLE.COM", "uid=alice");
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
}

static void
what_was_asked_before_a_change_is_not_kept_as_of_after_it(void **state)
{
	struct subject *subject = subject_new("uid=alice");
	uint64_t epoch = subject_cache_epoch(cache);

	(void)state;
	subject_cache_expire(cache);
	subject_cache_put(cache, "alice@EXAMPLE.COM", subject, epoch);
	subject_unref(subject);
	assert_false(has("alice@EXAMPLE.COM", DIRECTORY_ANSWERS));
	assert_true(has("alice@EXAMPLE.COM", DIRECTORY_IS_SILENT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_serves_for_its_time),
	    TEST(that_there_is_no_such_user_serves_for_less),
	    TEST(while_the_directory_is_silent_old_answers_serve),
	    TEST(a_name_is_a_whole_name),
	    TEST(the_least_recently_used_goes_first),
	    TEST(a_newer_answer_replaces_the_older),
	    TEST(after_a_reload_the_directory_is_asked_again),
	    TEST(
		a_slow_directory_is_not_waited_for_unless_something_has_changed),
	    TEST(what_was_asked_before_a_change_is_not_kept_as_of_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
