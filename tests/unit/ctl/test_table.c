/* SPDX-License-Identifier: ISC */
/* Columns stand below each other, whatever stands in them. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/compiler.h"
#include "ctl/table.h"

/* What it prints, up to the size of `out`. */
static void
print(const struct table *table, char *out, size_t size)
{
	int caught = memfd_create("stdout", MFD_CLOEXEC);
	int before = dup(STDOUT_FILENO);
	enum outcome outcome;
	ssize_t len;

	(void)fflush(stdout);
	assert_int_equal(dup2(caught, STDOUT_FILENO), STDOUT_FILENO);
	outcome = table_print(table);
	assert_int_equal(dup2(before, STDOUT_FILENO), STDOUT_FILENO);
	len = pread(caught, out, size - 1, 0);
	assert_true(len >= 0);
	out[len] = '\0';
	(void)close(caught);
	(void)close(before);
	assert_int_equal(outcome, OUTCOME_OK);
}

static void
columns_are_as_wide_as_what_is_in_them(void **state)
{
	static const char *const headings[] = {"A", "BCD", "E"};
	static const char *const first[] = {"longer", "x", "y"};
	static const char *const second[] = {NULL, "über", "z"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	char text[256];

	(void)state;
	table_add(table, first);
	table_add(table, second);
	print(table, text, sizeof(text));
	assert_string_equal(text, "A       BCD   E\n"
				  "longer  x     y\n"
				  "        über  z\n");
	table_free(table);
}

static void
what_could_fool_a_terminal_is_quoted(void **state)
{
	static const char *const headings[] = {"A", "B"};
	static const char *const row[] = {"x\x1b[2J\n", "\xff"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	char text[256];

	(void)state;
	table_add(table, row);
	print(table, text, sizeof(text));
	assert_string_equal(text, "A             B\n"
				  "x\\x1b[2J\\x0a  \\xff\n");
	table_free(table);
}

static void
many_rows_fit(void **state)
{
	static const char *const headings[] = {"A"};
	static const char *const row[] = {"x"};
	struct table *table = table_new(headings, 1);
	char text[8192];

	(void)state;
	for (int i = 0; i < 1000; i++)
		table_add(table, row);
	print(table, text, sizeof(text));
	assert_int_equal(strlen(text), 2 * 1001);
	table_free(table);
	table_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
	    cmocka_unit_test(what_could_fool_a_terminal_is_quoted),
	    cmocka_unit_test(many_rows_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
