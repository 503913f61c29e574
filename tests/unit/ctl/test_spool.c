/* SPDX-License-Identifier: ISC */
/* The lines of a spool, however long they are. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "ctl/spool.h"
#include "tests/support/spool_writer.h"

struct seen {
	size_t count, most;
	struct spool_line lines[16];
	char firsts[16];
};

static bool
look(void *arg, const struct spool_line *line)
{
	struct seen *seen = arg;

	assert_true(seen->count < 16);
	seen->firsts[seen->count] = line->len > 0 ? line->text[0] : '-';
	seen->lines[seen->count++] = *line;
	return seen->count != seen->most;
}

static void
read_all(const struct spool_writer *writer, struct seen *seen)
{
	struct spool *spool;

	assert_int_equal(spool_open(writer->spool, &spool), OUTCOME_OK);
	assert_int_equal(spool_each(spool, look, seen), OUTCOME_OK);
	spool_close(spool);
}

static void
segments_are_read_in_order_and_nothing_else_is(void **state)
{
	struct spool_writer writer;
	struct seen seen = {.count = 0};
	struct spool *spool;
	char path[128];
	FILE *other;

	(void)state;
	spool_writer_open(&writer, 5);
	spool_writer_put(&writer, 6, "c\nd\n", 4);
	spool_writer_put(&writer, 1, "a\nb\n", 4);
	(void)snprintf(path, sizeof(path), "%s/7.log", writer.spool);
	other = fopen(path, "we");
	assert_non_null(other);
	assert_int_equal(fclose(other), 0);
	read_all(&writer, &seen);
	assert_int_equal(seen.count, 4);
	assert_memory_equal(seen.firsts, "abcd", 4);
	assert_int_equal(seen.lines[3].segment, 1);
	assert_int_equal(seen.lines[3].number, 2);
	assert_int_equal(seen.lines[3].offset, 2);
	assert_int_equal(spool_open(writer.spool, &spool), OUTCOME_OK);
	assert_int_equal(spool_segment_count(spool), 2);
	assert_string_equal(
	    spool_segment_name(spool, 1), "00000000000000000006.log");
	spool_close(spool);
	spool_writer_close(&writer);
}

static void
reading_ends_when_one_has_had_enough(void **state)
{
	struct spool_writer writer;
	struct seen seen = {.most = 3};

	(void)state;
	spool_writer_open(&writer, 5);
	spool_writer_put(&writer, 1, "a\nb\n", 4);
	spool_writer_put(&writer, 6, "c\nd\n", 4);
	read_all(&writer, &seen);
	assert_int_equal(seen.count, 3);
	spool_writer_close(&writer);
}

/* Lines of all lengths around what is read at once. */
static void
long_lines_are_cut_and_the_next_is_found(void **state)
{
	static const size_t lengths[] = {AUDIT_CHAIN_LINE_MAX - 1,
	    AUDIT_CHAIN_LINE_MAX, AUDIT_CHAIN_LINE_MAX + 1, 262143, 262144,
	    262145, 600000};
	char *text = must_alloc(700000, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		size_t len = lengths[i];
		struct spool_writer writer;
		struct seen seen = {.count = 0};

		memset(text, 'x', len);
		memcpy(text + len, "\ny\nz", 4);
		spool_writer_open(&writer, 5);
		spool_writer_put(&writer, 1, text, len + 4);
		read_all(&writer, &seen);
		assert_int_equal(seen.count, 3);
		assert_memory_equal(seen.firsts, "xyz", 3);
		assert_int_equal(seen.lines[0].len,
		    len < AUDIT_CHAIN_LINE_MAX + 1 ? len
						   : AUDIT_CHAIN_LINE_MAX + 1);
		assert_true(seen.lines[0].is_whole);
		assert_true(seen.lines[1].is_whole);
		assert_int_equal(seen.lines[1].offset, len + 1);
		assert_false(seen.lines[2].is_whole);
		spool_writer_close(&writer);
	}
	free(text);
}

static void
what_is_there_can_be_read_again(void **state)
{
	struct spool_writer writer;
	struct spool *spool;
	char text[4];

	(void)state;
	spool_writer_open(&writer, 5);
	spool_writer_put(&writer, 1, "abcd\n", 5);
	spool_writer_put(&writer, 6, "efgh\n", 5);
	assert_int_equal(spool_open(writer.spool, &spool), OUTCOME_OK);
	assert_true(spool_read(spool, 1, 1, text, 3));
	assert_memory_equal(text, "fgh", 3);
	assert_true(spool_read(spool, 0, 0, text, 4));
	assert_memory_equal(text, "abcd", 4);
	assert_false(spool_read(spool, 0, 2, text, 4));
	/* Retention may take a segment away while we look. */
	spool_writer_remove(&writer, 6);
	assert_false(spool_read(spool, 1, 0, text, 3));
	spool_close(spool);
	spool_writer_close(&writer);
}

static void
a_folder_that_is_not_there_is_said(void **state)
{
	struct spool *spool;

	(void)state;
	assert_int_equal(
	    spool_open("/nonexistent/spool", &spool), OUTCOME_NO_INPUT);
	assert_null(spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(segments_are_read_in_order_and_nothing_else_is),
	    cmocka_unit_test(reading_ends_when_one_has_had_enough),
	    cmocka_unit_test(long_lines_are_cut_and_the_next_is_found),
	    cmocka_unit_test(what_is_there_can_be_read_again),
	    cmocka_unit_test(a_folder_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
