/* SPDX-License-Identifier: ISC */
/* A table for people: columns as wide as what stands in them. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

struct table;

#define TABLE_COLUMNS_MAX 16

/* The headings are copied.  Dies without memory. */
struct table *table_new(const char *const *headings, size_t count) must_check;
void table_free(struct table *table); /* NULL is fine */

/* Adds a row with as many cells as there are headings; copied and quoted.
 * NULL is an empty cell. */
void table_add(struct table *table, const char *const *cells);

/* On standard output. */
enum outcome table_print(const struct table *table) must_check;

#endif
