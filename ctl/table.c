/* SPDX-License-Identifier: ISC */
/* A table for people: columns as wide as what stands in them. */
#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

#define GAP 2 /* spaces between two columns */

struct table {
	size_t columns;
	size_t widths[TABLE_COLUMNS_MAX];
	size_t count, room; /* cells */
	char **cells;
};

/* Characters, not octets: UTF-8's other octets are continuations. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
add_cell(struct table *table, const char *text)
{
	size_t len = strlen(text), column = table->count % table->columns;
	char *quoted = must_alloc(TEXT_QUOTED_SIZE(len), 1);

	(void)text_quote(quoted, TEXT_QUOTED_SIZE(len), text, len);
	if (table->count == table->room) {
		table->room = table->room * 2 + 64;
		table->cells = reallocarray(
		    table->cells, table->room, sizeof(*table->cells));
		must(table->cells != NULL);
	}
	table->cells[table->count++] = quoted;
	if (width_of(quoted) > table->widths[column])
		table->widths[column] = width_of(quoted);
}

void
table_add(struct table *table, const char *const *cells)
{
	for (size_t i = 0; i < table->columns; i++)
		add_cell(table, cells[i] != NULL ? cells[i] : "");
}

struct table *
table_new(const char *const *headings, size_t count)
{
	struct table *table = must_alloc(1, sizeof(*table));

	must(count > 0 && count <= TABLE_COLUMNS_MAX);
	table->columns = count;
	table_add(table, headings);
	return table;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

enum outcome
table_print(const struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		bool is_last = column + 1 == table->columns;
		size_t pad =
		    table->widths[column] + GAP - width_of(table->cells[i]);

		(void)fputs(table->cells[i], stdout);
		if (is_last)
			(void)fputc('\n', stdout);
		else
			(void)printf("%*s", (int)pad, "");
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return OUTCOME_OK;
}
