/* SPDX-License-Identifier: ISC */
/* What was found out about rules, gathered and printed. */
#include "ctl/lint_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ctl/document.h"
#include "ctl/table.h"
#include "policy/lint.h"
#include "policy/rule.h"

struct row {
	struct lint_remark remark;
	const struct rule *by[LINT_BY_MAX];
};

struct lint_report {
	size_t count, room, mistakes;
	struct row *rows;
	size_t omitted_count;
	char **omitted;
};

struct lint_report *
lint_report_new(void)
{
	return must_alloc(1, sizeof(struct lint_report));
}

void
lint_report_free(struct lint_report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->omitted_count; i++)
		free(report->omitted[i]);
	free(report->omitted);
	free(report->rows);
	free(report);
}

void
lint_report_add(struct lint_report *report, const struct lint_remark *remark)
{
	struct row *row;

	if (report->count == report->room) {
		report->room = 2 * report->room + 64;
		report->rows =
		    reallocarray(report->rows, report->room, sizeof(*row));
		if (report->rows == NULL)
			die("out of memory");
	}
	row = &report->rows[report->count++];
	row->remark = *remark;
	if (row->remark.by_count > LINT_BY_MAX)
		row->remark.by_count = LINT_BY_MAX;
	for (size_t i = 0; i < row->remark.by_count; i++)
		row->by[i] = remark->by[i];
	report->mistakes += remark->is_mistake;
}

void
lint_report_omit(struct lint_report *report, const char *sentence)
{
	report->omitted = reallocarray(report->omitted,
	    report->omitted_count + 1, sizeof(*report->omitted));
	if (report->omitted == NULL)
		die("out of memory");
	report->omitted[report->omitted_count++] = must_strdup(sentence);
}

/* ---- for people */

/* Malloc'ed: the sentence, the value, and the rules that it is because of. */
static char *
make_text(const struct row *row)
{
	const struct lint_remark *remark = &row->remark;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		die("out of memory");
	(void)fputs(remark->sentence, out);
	if (remark->value != NULL)
		(void)fprintf(out, ": %s", remark->value);
	for (size_t i = 0; i < remark->by_count; i++)
		(void)fprintf(
		    out, "%s%s", i == 0 ? ": " : ", ", row->by[i]->name);
	if (fclose(out) != 0)
		die("out of memory");
	return text;
}

static enum outcome
print_table(const struct lint_report *report)
{
	static const char *const headings[] = {"", "KIND", "ABOUT", "WHAT"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	enum outcome outcome;

	for (size_t i = 0; i < report->count; i++) {
		const struct lint_remark *remark = &report->rows[i].remark;
		char *text = make_text(&report->rows[i]);
		const char *const cells[] = {
		    remark->is_mistake ? "mistake" : "note",
		    remark->kind,
		    remark->name,
		    text,
		};

		table_add(table, cells);
		free(text);
	}
	outcome = table_print(table);
	table_free(table);
	return outcome;
}

static enum outcome
print_text(const struct lint_report *report, size_t rules)
{
	enum outcome outcome = OUTCOME_OK;

	if (report->count > 0)
		outcome = print_table(report);
	for (size_t i = 0; i < report->omitted_count; i++)
		(void)printf("not looked at: %s\n", report->omitted[i]);
	(void)printf("enabled rules: %zu, mistakes: %zu, notes: %zu\n", rules,
	    report->mistakes, report->count - report->mistakes);
	if (outcome == OUTCOME_OK && fflush(stdout) != 0)
		outcome = outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return outcome;
}

/* ---- as a document */

static void
set(json_t *object, const char *name, json_t *value)
{
	must(json_object_set_new(object, name, value) == 0);
}

static json_t *
make_object(const struct row *row)
{
	const struct lint_remark *remark = &row->remark;
	json_t *object = json_object(), *by = json_array();

	set(object, "kind", document_text(remark->kind));
	set(object, "mistake", json_boolean(remark->is_mistake));
	set(object, "name", document_text(remark->name));
	set(object, "dn", document_text(remark->dn));
	set(object, "sentence", document_text(remark->sentence));
	if (remark->value != NULL)
		set(object, "value", document_text(remark->value));
	for (size_t i = 0; i < remark->by_count; i++)
		must(json_array_append_new(
			 by, document_text(row->by[i]->name)) == 0);
	set(object, "by", by);
	return object;
}

static enum outcome
print_document(const struct lint_report *report, size_t rules)
{
	json_t *document = json_object(), *all = json_array(),
	       *omitted = json_array();

	for (size_t i = 0; i < report->count; i++)
		must(json_array_append_new(
			 all, make_object(&report->rows[i])) == 0);
	for (size_t i = 0; i < report->omitted_count; i++)
		must(json_array_append_new(
			 omitted, document_text(report->omitted[i])) == 0);
	set(document, "rules", json_integer((json_int_t)rules));
	set(document, "mistakes", json_integer((json_int_t)report->mistakes));
	set(document, "findings", all);
	set(document, "not_looked_at", omitted);
	return document_print(document);
}

enum outcome
lint_report_print(
    const struct lint_report *report, size_t rules, bool wants_json)
{
	enum outcome outcome = wants_json ? print_document(report, rules)
					  : print_text(report, rules);

	if (outcome == OUTCOME_OK && report->mistakes > 0)
		return OUTCOME_FOUND;
	return outcome;
}
