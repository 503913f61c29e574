/* SPDX-License-Identifier: ISC */
/* What the auditor knows survives it, wherever it dies. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/audit_state.h"

struct world {
	char path[64];
	int folder;
};

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(
	    world->path, sizeof(world->path), "%s", "/tmp/test_state.XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->folder = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->folder >= 0);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;

	(void)unlinkat(world->folder, AUDIT_STATE_FILE, 0);
	(void)close(world->folder);
	assert_int_equal(rmdir(world->path), 0);
	free(world);
	return 0;
}

static struct audit_state *
open_again(void **state)
{
	const struct world *world = *state;
	struct audit_state *audit = audit_state_open(world->folder);

	assert_non_null(audit);
	return audit;
}

static void
take(struct audit_state *audit, uint64_t source, uint64_t number)
{
	audit_state_begin(audit, source, number);
	audit_state_commit(audit, audit_state_sequence(audit) + 1);
}

static void
an_empty_file_begins_with_nothing(void **state)
{
	struct audit_state *audit = open_again(state);

	assert_int_equal(audit_state_sequence(audit), 0);
	assert_int_equal(audit_state_taken(audit, 5), 0);
	assert_int_equal(audit_state_forwarded(audit), 0);
	audit_state_close(audit);
}

static void
a_successor_goes_on_where_it_stopped(void **state)
{
	struct audit_state *audit = open_again(state);

	take(audit, 5, 1);
	take(audit, 6, 1);
	take(audit, 5, 2);
	take(audit, 0, 0);
	audit_state_forward(audit, 3);
	audit_state_close(audit);
	audit = open_again(state);
	assert_int_equal(audit_state_recover(audit, 4), 0);
	assert_int_equal(audit_state_sequence(audit), 4);
	assert_int_equal(audit_state_taken(audit, 5), 2);
	assert_int_equal(audit_state_taken(audit, 6), 1);
	assert_int_equal(audit_state_taken(audit, 0), 0);
	assert_int_equal(audit_state_forwarded(audit), 3);
	audit_state_close(audit);
}

static void
what_was_begun_is_taken_if_the_spool_has_it(void **state)
{
	struct audit_state *audit = open_again(state);

	take(audit, 5, 1);
	audit_state_begin(audit, 5, 2);
	audit_state_close(audit);
	audit = open_again(state);
	assert_int_equal(audit_state_recover(audit, 1), 0);
	assert_int_equal(audit_state_taken(audit, 5), 1);
	audit_state_begin(audit, 5, 2);
	audit_state_close(audit);
	audit = open_again(state);
	assert_int_equal(audit_state_recover(audit, 2), 0);
	assert_int_equal(audit_state_taken(audit, 5), 2);
	assert_int_equal(audit_state_sequence(audit), 2);
	audit_state_close(audit);
}

static void
what_the_spool_has_lost_is_counted(void **state)
{
	struct audit_state *audit = open_again(state);

	for (uint64_t number = 1; number <= 10; number++)
		take(audit, 5, number);
	assert_int_equal(audit_state_recover(audit, 7), 3);
	assert_int_equal(audit_state_sequence(audit), 10);
	audit_state_close(audit);
}

/* A process that takes until it is killed, one sequence a number. */
static void
take_until_killed(int folder, int told)
{
	struct audit_state *audit = audit_state_open(folder);

	for (;;) {
		uint64_t next = audit_state_taken(audit, 9) + 1;

		take(audit, 9, next);
		if (write(told, &next, sizeof(next)) < 0)
			_exit(1);
	}
}

static void
wherever_it_is_killed_number_and_sequence_agree(void **state)
{
	const struct world *world = *state;

	for (int round = 0; round < 30; round++) {
		struct audit_state *audit;
		uint64_t told = 0, number;
		int pipes[2], status;
		pid_t pid;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			take_until_killed(world->folder, pipes[1]);
		(void)close(pipes[1]);
		for (int i = 0; i < 50 + round * 7; i++)
			assert_int_equal(
			    read(pipes[0], &told, sizeof(told)), sizeof(told));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		while (read(pipes[0], &number, sizeof(number)) > 0)
			told = number;
		(void)close(pipes[0]);
		audit = open_again(state);
		assert_true(audit_state_taken(audit, 9) >= told);
		assert_int_equal(
		    audit_state_sequence(audit), audit_state_taken(audit, 9));
		audit_state_close(audit);
	}
}

static void
many_sources_have_their_places(void **state)
{
	struct audit_state *audit = open_again(state);

	for (uint64_t source = 1; source <= 5000; source++) {
		take(audit, source, source);
		take(audit, 1, source);
	}
	/* The longest unused went; what is used stays. */
	assert_int_equal(audit_state_taken(audit, 1), 5000);
	assert_int_equal(audit_state_taken(audit, 5000), 5000);
	assert_int_equal(audit_state_taken(audit, 2), 0);
	assert_int_equal(audit_state_sequence(audit), 10000);
	audit_state_close(audit);
}

static void
what_is_no_state_of_ours_begins_anew(void **state)
{
	const struct world *world = *state;
	struct audit_state *audit;
	int fd = openat(world->folder, AUDIT_STATE_FILE,
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "something else", 14), 14);
	(void)close(fd);
	audit = open_again(state);
	assert_int_equal(audit_state_sequence(audit), 0);
	audit_state_close(audit);
}

static void
no_folder_is_an_error(void **state)
{
	(void)state;
	errno = 0;
	assert_null(audit_state_open(-1));
	assert_int_equal(errno, EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_file_begins_with_nothing),
	    TEST(a_successor_goes_on_where_it_stopped),
	    TEST(what_was_begun_is_taken_if_the_spool_has_it),
	    TEST(what_the_spool_has_lost_is_counted),
	    TEST(wherever_it_is_killed_number_and_sequence_agree),
	    TEST(many_sources_have_their_places),
	    TEST(what_is_no_state_of_ours_begins_anew),
	    TEST(no_folder_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
