/* SPDX-License-Identifier: ISC */
/* What the sandbox takes away is gone; each test is a process of its own. */
#include "tests/support/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

/* Runs `is_so` in a child and returns what it says. */
static bool
ask_a_child(bool (*is_so)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(is_so() ? EXIT_SUCCESS : EXIT_FAILURE);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void
root_is_found_by_name_and_by_number(void **state)
{
	struct sandbox_user user = {1, 1};

	(void)state;
	assert_int_equal(sandbox_user_find("root", &user), 0);
	assert_int_equal(user.uid, 0);
	assert_int_equal(user.gid, 0);
	user.uid = 1;
	assert_int_equal(sandbox_user_find("0", &user), 0);
	assert_int_equal(user.uid, 0);
}

static void
an_unknown_number_is_its_own_group(void **state)
{
	struct sandbox_user user;

	(void)state;
	assert_int_equal(sandbox_user_find("3141592", &user), 0);
	assert_int_equal(user.uid, 3141592);
	assert_int_equal(user.gid, 3141592);
}

static void
nobody_is_called_that(void **state)
{
	struct sandbox_user user;

	(void)state;
	assert_int_equal(
	    sandbox_user_find("no-such-user-here", &user), -ENOENT);
	assert_int_equal(sandbox_user_find("", &user), -ENOENT);
	assert_int_equal(sandbox_user_find("4294967295", &user), -ENOENT);
}

static bool
entering_gives_up(void)
{
	struct rlimit core;
	struct sigaction pipe_action;

	return sandbox_enter(false) == 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
	       sigaction(SIGPIPE, NULL, &pipe_action) == 0 &&
	       pipe_action.sa_handler == SIG_IGN;
}

static bool
entering_keeps_new_privileges(void)
{
	struct rlimit core;

	return sandbox_enter(true) == 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
}

static void
who_starts_setuid_programs_gives_up_the_rest(void **state)
{
	(void)state;
	/* It is for good, and this test cannot be run below it. */
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	assert_true(ask_a_child(entering_keeps_new_privileges));
}

static void
entering_gives_up_privileges_and_core_dumps(void **state)
{
	(void)state;
	assert_true(ask_a_child(entering_gives_up));
}

static bool
becomes_for_good(void)
{
	const struct sandbox_user other = {3141592, 2718281};

	return sandbox_become(&other) == 0 && getuid() == other.uid &&
	       getegid() == other.gid && getgroups(0, NULL) == 0 &&
	       setuid(0) < 0 && setgid(0) < 0;
}

static bool
stays_who_it_is(void)
{
	const struct sandbox_user other = {3141592, 2718281};
	uid_t before;

	if (geteuid() == 0 && (setresgid(1000, 1000, 1000) < 0 ||
				  setresuid(1000, 1000, 1000) < 0))
		return false;
	before = getuid();
	return sandbox_become(&other) == 0 && getuid() == before &&
	       geteuid() == before;
}

/* Where an ordinary user runs this, root's half is left to
 * tests/system/test_users.py, which always has root. */
static void
root_becomes_another_and_an_ordinary_user_stays(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_true(ask_a_child(becomes_for_good));
	assert_true(ask_a_child(stays_who_it_is));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_is_found_by_name_and_by_number),
	    cmocka_unit_test(an_unknown_number_is_its_own_group),
	    cmocka_unit_test(nobody_is_called_that),
	    cmocka_unit_test(entering_gives_up_privileges_and_core_dumps),
	    cmocka_unit_test(who_starts_setuid_programs_gives_up_the_rest),
	    cmocka_unit_test(root_becomes_another_and_an_ordinary_user_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
