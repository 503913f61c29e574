/* SPDX-License-Identifier: ISC */
/* Tests how a program ends that cannot go on. */
#include "tests/support/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

#define OUTPUT_SIZE 4096

/* Runs `act` in a child; returns its wait status and what it said. */
static int
run(void (*act)(void), char output[OUTPUT_SIZE])
{
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		act();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], output + len, OUTPUT_SIZE - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(ends[0]);
	assert_true(waitpid(child, &status, 0) == child);
	return status;
}

static void
break_a_rule(void)
{
	int two = 2;

	must(two == 2);
	must(two == 3);
}

static void
give_up(void)
{
	die("no %s at all", "settings");
}

static void
ask_for_everything(void)
{
	free(must_alloc(SIZE_MAX / 2, 1));
}

static void
what_must_hold_ends_the_program(void **state)
{
	char output[OUTPUT_SIZE];
	int status = run(break_a_rule, output);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(output, "test_must.c:"));
	assert_non_null(strstr(output, "must hold: two == 3"));
}

static void
dying_says_why_and_fails(void **state)
{
	char output[OUTPUT_SIZE];
	int status = run(give_up, output);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	assert_non_null(strstr(output, "no settings at all\n"));
}

static void
without_memory_it_dies(void **state)
{
	char output[OUTPUT_SIZE];
	int status = run(ask_for_everything, output);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 0);
	assert_non_null(strstr(output, "memory"));
}

static void
memory_comes_zeroed(void **state)
{
	unsigned *numbers = must_alloc(3, sizeof(*numbers));
	char *copy = must_strdup("text");

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(numbers[i], 0);
	assert_string_equal(copy, "text");
	free(copy);
	free(numbers);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_must_hold_ends_the_program),
	    cmocka_unit_test(dying_says_why_and_fails),
	    cmocka_unit_test(without_memory_it_dies),
	    cmocka_unit_test(memory_comes_zeroed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
