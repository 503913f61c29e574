/* SPDX-License-Identifier: ISC */
/* The auditor's state: numbers that go on after it was killed. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/audit_state.h"

static int
make_file(void **state)
{
	int *fd = malloc(sizeof(*fd));

	assert_non_null(fd);
	*fd = memfd_create("auditor.state", MFD_CLOEXEC);
	assert_true(*fd >= 0);
	*state = fd;
	return 0;
}

static int
end_file(void **state)
{
	int *fd = *state;

	(void)close(*fd);
	free(fd);
	return 0;
}

static struct audit_state *
open_again(void **state)
{
	const int *fd = *state;

	return audit_state_open(dup(*fd));
}

static void
an_empty_file_begins_with_one(void **state)
{
	struct audit_state *audit = open_again(state);

	assert_int_equal(audit_state_sequence(audit), 1);
	assert_int_equal(audit_state_taken(audit, 5), 0);
	assert_int_equal(audit_state_lost(audit), 0);
	audit_state_close(audit);
}

static void
a_successor_goes_on_where_it_stopped(void **state)
{
	struct audit_state *audit = open_again(state);

	audit_state_hand_over(audit, 5, 1);
	audit_state_hand_over(audit, 6, 1);
	audit_state_hand_over(audit, 5, 2);
	audit_state_hand_over(audit, 0, 0);
	audit_state_lose(audit, 5, 3);
	audit_state_lose(audit, 5, 4);
	audit_state_lose(audit, 0, 0);
	audit_state_close(audit);
	audit = open_again(state);
	assert_int_equal(audit_state_sequence(audit), 5);
	assert_int_equal(audit_state_taken(audit, 5), 4);
	assert_int_equal(audit_state_taken(audit, 6), 1);
	assert_int_equal(audit_state_taken(audit, 0), 0);
	assert_int_equal(audit_state_lost(audit), 3);
	audit_state_hand_over_gap(audit, 2);
	assert_int_equal(audit_state_lost(audit), 1);
	assert_int_equal(audit_state_sequence(audit), 6);
	assert_int_equal(audit_state_taken(audit, 5), 4);
	audit_state_close(audit);
}

/* A process that hands over until it is killed, one sequence a number. */
static void
hand_over_until_killed(int fd, int told)
{
	struct audit_state *audit = audit_state_open(fd);

	for (;;) {
		uint64_t next = audit_state_taken(audit, 9) + 1;

		audit_state_hand_over(audit, 9, next);
		if (write(told, &next, sizeof(next)) < 0)
			_exit(1);
	}
}

static void
wherever_it_is_killed_number_and_sequence_agree(void **state)
{
	const int *fd = *state;

	for (int round = 0; round < 30; round++) {
		struct audit_state *audit;
		uint64_t told = 0, number;
		int pipes[2], status;
		ssize_t got;
		pid_t pid;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			hand_over_until_killed(dup(*fd), pipes[1]);
		(void)close(pipes[1]);
		for (int i = 0; i < 50 + round * 7; i++) {
			got = read(pipes[0], &told, sizeof(told));
			assert_int_equal(got, sizeof(told));
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		while (read(pipes[0], &number, sizeof(number)) > 0)
			told = number;
		(void)close(pipes[0]);
		audit = open_again(state);
		assert_true(audit_state_taken(audit, 9) >= told);
		assert_int_equal(audit_state_sequence(audit),
		    audit_state_taken(audit, 9) + 1);
		audit_state_close(audit);
	}
}

static void
the_longest_unused_source_gives_way(void **state)
{
	struct audit_state *audit = open_again(state);

	for (uint64_t source = 1; source <= 4096; source++)
		audit_state_hand_over(audit, source, 10);
	audit_state_hand_over(audit, 1, 11);
	audit_state_hand_over(audit, 5000, 12);
	assert_int_equal(audit_state_taken(audit, 1), 11);
	assert_int_equal(audit_state_taken(audit, 2), 0);
	assert_int_equal(audit_state_taken(audit, 3), 10);
	assert_int_equal(audit_state_taken(audit, 5000), 12);
	audit_state_close(audit);
}

static void
without_a_file_there_is_memory(void **state)
{
	struct audit_state *audit = audit_state_open(-1);

	(void)state;
	audit_state_hand_over(audit, 1, 1);
	assert_int_equal(audit_state_sequence(audit), 2);
	audit_state_close(audit);
	audit_state_close(NULL);
}

static void
a_file_of_something_else_is_begun_anew(void **state)
{
	const int *fd = *state;
	char rubbish[4096];
	struct audit_state *audit;

	memset(rubbish, 0x5a, sizeof(rubbish));
	for (int i = 0; i < 40; i++)
		assert_int_equal(
		    write(*fd, rubbish, sizeof(rubbish)), sizeof(rubbish));
	audit = open_again(state);
	assert_int_equal(audit_state_sequence(audit), 1);
	assert_int_equal(audit_state_taken(audit, 0x5a5a5a5a5a5a5a5a), 0);
	audit_state_close(audit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_file, end_file)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_file_begins_with_one),
	    TEST(a_successor_goes_on_where_it_stopped),
	    TEST(wherever_it_is_killed_number_and_sequence_agree),
	    TEST(the_longest_unused_source_gives_way),
	    TEST(without_a_file_there_is_memory),
	    TEST(a_file_of_something_else_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
