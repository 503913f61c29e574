/* SPDX-License-Identifier: ISC */
/* What was found out about rules, gathered and printed. */
#include "ctl/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ctl/document.h"
#include "ctl/table.h"
#include "policy/lint.h"
#include "policy/rule.h"

struct row {
	struct finding finding;
	const struct rule *by[LINT_BY_MAX];
};

struct findings {
	size_t count, room, mistakes;
	struct row *rows;
	size_t omitted_count;
	char **omitted;
};

struct findings *
findings_new(void)
{
	return must_alloc(1, sizeof(struct findings));
}

void
findings_free(struct findings *findings)
{
	if (findings == NULL)
		return;
	for (size_t i = 0; i < findings->omitted_count; i++)
		free(findings->omitted[i]);
	free(findings->omitted);
	free(findings->rows);
	free(findings);
}

void
findings_add(struct findings *findings, const struct finding *finding)
{
	struct row *row;

	if (findings->count == findings->room) {
		findings->room = 2 * findings->room + 64;
		findings->rows =
		    reallocarray(findings->rows, findings->room, sizeof(*row));
		if (findings->rows == NULL)
			die("out of memory");
	}
	row = &findings->rows[findings->count++];
	row->finding = *finding;
	if (row->finding.by_count > LINT_BY_MAX)
		row->finding.by_count = LINT_BY_MAX;
	for (size_t i = 0; i < row->finding.by_count; i++)
		row->by[i] = finding->by[i];
	findings->mistakes += finding->is_mistake;
}

void
findings_omit(struct findings *findings, const char *sentence)
{
	findings->omitted = reallocarray(findings->omitted,
	    findings->omitted_count + 1, sizeof(*findings->omitted));
	if (findings->omitted == NULL)
		die("out of memory");
	findings->omitted[findings->omitted_count++] = must_strdup(sentence);
}

/* ---- for people */

/* Malloc'ed: the sentence, the value, and the rules that it is because of. */
static char *
make_text(const struct row *row)
{
	const struct finding *finding = &row->finding;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		die("out of memory");
	(void)fputs(finding->sentence, out);
	if (finding->value != NULL)
		(void)fprintf(out, ": %s", finding->value);
	for (size_t i = 0; i < finding->by_count; i++)
		(void)fprintf(
		    out, "%s%s", i == 0 ? ": " : ", ", row->by[i]->name);
	if (fclose(out) != 0)
		die("out of memory");
	return text;
}

static enum outcome
print_table(const struct findings *findings)
{
	static const char *const headings[] = {"", "KIND", "ABOUT", "WHAT"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	enum outcome outcome;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->rows[i].finding;
		char *text = make_text(&findings->rows[i]);
		const char *const cells[] = {
		    finding->is_mistake ? "mistake" : "note",
		    finding->kind,
		    finding->name,
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
print_text(const struct findings *findings, size_t rules)
{
	enum outcome outcome = OUTCOME_OK;

	if (findings->count > 0)
		outcome = print_table(findings);
	for (size_t i = 0; i < findings->omitted_count; i++)
		(void)printf("not looked at: %s\n", findings->omitted[i]);
	(void)printf("enabled rules: %zu, mistakes: %zu, notes: %zu\n", rules,
	    findings->mistakes, findings->count - findings->mistakes);
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
	const struct finding *finding = &row->finding;
	json_t *object = json_object(), *by = json_array();

	set(object, "kind", document_text(finding->kind));
	set(object, "mistake", json_boolean(finding->is_mistake));
	set(object, "name", document_text(finding->name));
	set(object, "dn", document_text(finding->dn));
	set(object, "sentence", document_text(finding->sentence));
	if (finding->value != NULL)
		set(object, "value", document_text(finding->value));
	for (size_t i = 0; i < finding->by_count; i++)
		must(json_array_append_new(
			 by, document_text(row->by[i]->name)) == 0);
	set(object, "by", by);
	return object;
}

static enum outcome
print_document(const struct findings *findings, size_t rules)
{
	json_t *document = json_object(), *all = json_array(),
	       *omitted = json_array();

	for (size_t i = 0; i < findings->count; i++)
		must(json_array_append_new(
			 all, make_object(&findings->rows[i])) == 0);
	for (size_t i = 0; i < findings->omitted_count; i++)
		must(json_array_append_new(
			 omitted, document_text(findings->omitted[i])) == 0);
	set(document, "rules", json_integer((json_int_t)rules));
	set(document, "mistakes", json_integer((json_int_t)findings->mistakes));
	set(document, "findings", all);
	set(document, "not_looked_at", omitted);
	return document_print(document);
}

enum outcome
findings_print(const struct findings *findings, size_t rules, bool wants_json)
{
	enum outcome outcome = wants_json ? print_document(findings, rules)
					  : print_text(findings, rules);

	if (outcome == OUTCOME_OK && findings->mistakes > 0)
		return OUTCOME_FOUND;
	return outcome;
}
