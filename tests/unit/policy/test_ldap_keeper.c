/* SPDX-License-Identifier: ISC */
/* The copy of the rules is that of the last ones, or there is none. */
#include "tests/support/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "policy/ldap_keeper.h"
#include "policy/rules_copy.h"

#define BIG ((size_t)8 * 1024 * 1024)

static char dir[32], path[PATH_MAX], beside[PATH_MAX];
static struct event_base *base;
static struct keeper *keeper;
static unsigned idle;

static bool forks_fail;

pid_t __real_process_fork(int *fd);
pid_t __wrap_process_fork(int *fd);

pid_t
__wrap_process_fork(int *fd)
{
	if (!forks_fail)
		return __real_process_fork(fd);
	errno = EAGAIN;
	return -1;
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/keeper-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/rules", dir);
	(void)snprintf(beside, sizeof(beside), "%s/rules.new", dir);
	base = event_base_new();
	keeper = keeper_new(base);
	keeper_set_path(keeper, path);
	idle = 0;
	return base != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	keeper_free(keeper);
	event_base_free(base);
	(void)unlink(path);
	(void)unlink(beside);
	(void)rmdir(beside);
	return rmdir(dir);
}

static void
on_idle(void *arg)
{
	assert_ptr_equal(arg, &idle);
	idle++;
}

static void
keep(const char *rules, uint64_t confirmed_us)
{
	keeper_keep(
	    keeper, (const uint8_t *)rules, strlen(rules), confirmed_us);
}

static void
wait_for_it(void)
{
	unsigned before = idle;

	keeper_when_idle(keeper, on_idle, &idle);
	while (idle == before)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void
assert_copy(const char *rules, uint64_t confirmed_us)
{
	uint64_t when;
	uint8_t *set;
	size_t len;

	assert_int_equal(rules_copy_read(path, &set, &len, &when), 0);
	assert_int_equal(len, strlen(rules));
	assert_memory_equal(set, rules, len);
	assert_int_equal(when, confirmed_us);
	free(set);
}

static void
assert_no_copy(void)
{
	uint64_t when;
	uint8_t *set;
	size_t len;

	assert_int_equal(rules_copy_read(path, &set, &len, &when), -ENOENT);
}

static void
what_was_taken_is_kept(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	wait_for_it();
	assert_copy("some rules", 1000000);
	keep("other rules", 2000000);
	wait_for_it();
	assert_copy("other rules", 2000000);
}

static void
the_copy_of_the_rules_before_is_gone_at_once(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	wait_for_it();
	keep("other rules", 2000000);
	assert_no_copy();
	wait_for_it();
}

static void
the_last_of_several_stays(void **state)
{
	char *big = malloc(BIG + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', BIG);
	big[BIG] = '\0';
	keep(big, 1000000);
	keep("not for long", 2000000);
	keep("the last", 3000000);
	wait_for_it();
	assert_copy("the last", 3000000);
	free(big);
}

static void
what_is_in_force_but_not_kept_leaves_no_copy(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	wait_for_it();
	keeper_forget(keeper);
	assert_no_copy();
	keep("other rules", 2000000);
	keeper_forget(keeper); /* while they are being written */
	wait_for_it();
	assert_no_copy();
	keep("the last", 3000000);
	wait_for_it();
	assert_copy("the last", 3000000);
}

/* Who waits for an end of the writing is told, also when none begins. */
static void
a_fork_that_fails_keeps_nobody_waiting(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	keep("other rules", 2000000);
	forks_fail = true;
	wait_for_it();
	forks_fail = false;
	assert_no_copy();
}

static void
what_cannot_be_written_leaves_no_copy(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	wait_for_it();
	/* Nothing can be written where a folder is. */
	assert_int_equal(mkdir(beside, 0700), 0);
	keep("other rules", 2000000);
	wait_for_it();
	assert_no_copy();
	keeper_confirm(keeper, 90000000);
	assert_no_copy();
	assert_int_equal(rmdir(beside), 0);
	keep("other rules", 3000000);
	wait_for_it();
	assert_copy("other rules", 3000000);
}

static void
a_confirmation_is_written_some_seconds_later(void **state)
{
	(void)state;
	keep("some rules", 1000000);
	keeper_confirm(keeper, 90000000);
	wait_for_it();
	assert_copy("some rules", 1000000);
	keeper_confirm(keeper, 5999999);
	assert_copy("some rules", 1000000);
	keeper_confirm(keeper, 6000000);
	assert_copy("some rules", 6000000);
}

static void
a_copy_from_before_is_not_confirmed(void **state)
{
	static const char rules[] = "of another life";

	(void)state;
	assert_int_equal(
	    rules_copy_write(path, rules, strlen(rules), 1000000), 0);
	assert_int_equal(rules_copy_publish(path), 0);
	keeper_confirm(keeper, 90000000);
	assert_copy(rules, 1000000);
}

static void
the_end_does_not_wait(void **state)
{
	char *big = malloc(BIG + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', BIG);
	big[BIG] = '\0';
	keep(big, 1000000);
	keep("the last", 3000000);
	free(big);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_was_taken_is_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_copy_of_the_rules_before_is_gone_at_once, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		the_last_of_several_stays, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_in_force_but_not_kept_leaves_no_copy, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_fork_that_fails_keeps_nobody_waiting, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_written_leaves_no_copy, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_confirmation_is_written_some_seconds_later, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_copy_from_before_is_not_confirmed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_end_does_not_wait, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
