/* SPDX-License-Identifier: ISC */
/* Tests the lines of the diagnostic log. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define OUTPUT_SIZE 8192

/* What `speak` writes to standard error. */
static void
listen_to(void (*speak)(void), char output[OUTPUT_SIZE])
{
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	speak();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = read(ends[0], output, OUTPUT_SIZE - 1);
	output[n < 0 ? 0 : n] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

/* "<priority>tester[pid]: text\n" */
static void
assert_line(const char *line, int priority, const char *text)
{
	char expected[OUTPUT_SIZE];

	snprintf(expected, sizeof(expected), "<%d>tester[%d]: %s\n", priority,
	    (int)getpid(), text);
	assert_string_equal(line, expected);
}

static void
say_error(void)
{
	log_error(NULL, "%s is %d", "this", 1);
}

static void
say_warning(void)
{
	log_warning(NULL, "beware");
}

static void
say_info(void)
{
	log_info("[s:17 alice@X 10.1.2.3:4567]", "done");
}

static void
say_debug(void)
{
	log_debug(NULL, "step");
}

static void
say_much(void)
{
	char text[4000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error(NULL, "%s", text);
}

static void
a_line_says_how_bad_who_and_what(void **state)
{
	char output[OUTPUT_SIZE];

	(void)state;
	log_init("tester", LOG_LEVEL_DEBUG);
	listen_to(say_error, output);
	assert_line(output, 3, "this is 1");
	listen_to(say_warning, output);
	assert_line(output, 4, "beware");
	listen_to(say_info, output);
	assert_line(output, 6, "[s:17 alice@X 10.1.2.3:4567] done");
	listen_to(say_debug, output);
	assert_line(output, 7, "step");
}

static void
what_is_below_the_level_is_not_said(void **state)
{
	char output[OUTPUT_SIZE];

	(void)state;
	log_init("tester", LOG_LEVEL_WARNING);
	listen_to(say_warning, output);
	assert_line(output, 4, "beware");
	listen_to(say_info, output);
	assert_string_equal(output, "");
}

static void
a_long_line_is_cut_and_still_a_line(void **state)
{
	char output[OUTPUT_SIZE];
	size_t len;

	(void)state;
	log_init("tester", LOG_LEVEL_ERROR);
	listen_to(say_much, output);
	len = strlen(output);
	assert_true(len > 1000 && len <= 2048);
	assert_int_equal(output[len - 1], '\n');
	assert_ptr_equal(strchr(output, '\n'), output + len - 1);
}

static void
errno_is_kept_even_when_nobody_listens(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(saved >= 0);
	close(STDERR_FILENO);
	errno = EXDEV;
	log_error(NULL, "into the void");
	assert_int_equal(errno, EXDEV);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
}

/* More than any pipe or socket holds. */
static void
say_too_much(void)
{
	for (int i = 0; i < 2000; i++)
		say_much();
}

static void
nobody_waits_for_a_reader_that_has_stopped(void **state)
{
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_true(saved >= 0);
	log_init("tester", LOG_LEVEL_ERROR);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			assert_int_equal(pipe(ends), 0);
		else
			assert_int_equal(
			    socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
		(void)alarm(30);
		say_too_much();
		(void)alarm(0);
		assert_true(dup2(saved, STDERR_FILENO) >= 0);
		close(ends[0]);
		close(ends[1]);
	}
	close(saved);
}

static void
levels_have_names(void **state)
{
	static const char *const names[] = {
	    "error", "warning", "info", "debug"};
	enum log_level level;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		assert_true(log_level_parse(names[i], &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("Info", &level));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_says_how_bad_who_and_what),
	    cmocka_unit_test(what_is_below_the_level_is_not_said),
	    cmocka_unit_test(a_long_line_is_cut_and_still_a_line),
	    cmocka_unit_test(errno_is_kept_even_when_nobody_listens),
	    cmocka_unit_test(nobody_waits_for_a_reader_that_has_stopped),
	    cmocka_unit_test(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
