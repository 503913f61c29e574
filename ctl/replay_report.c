/* SPDX-License-Identifier: ISC */
/* What a replay has found. */
#include "ctl/replay_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"
#include "ctl/document.h"
#include "ctl/retrial.h"
#include "ctl/table.h"
#include "ctl/tally.h"

/* What tells changes apart, in the order of the columns. */
enum cell {
	CELL_WHO,
	CELL_COMMAND,
	CELL_WHERE,
	CELL_ADDRESS,
	CELL_THEN,
	CELL_RULE_THEN,
	CELL_NOW,
	CELL_RULE_NOW,
	CELLS
};

struct change {
	RB_ENTRY(change) entry;
	char *cells[CELLS];
	bool is_otherwise; /* decided; else only the rule is another */
	uint64_t count;
};

RB_HEAD(changes, change);

struct replay_report {
	uint64_t lines, decisions, judged, otherwise, other_rule;
	uint64_t not_judged, not_by_rules, bad;
	struct changes changes;
	size_t change_count, otherwise_count; /* the latter of the first */
	uint64_t not_listed;   /* records of changes beyond the most */
	struct tally *reasons; /* why not judged */
	struct tally *others;  /* why not decided by rules */
	struct tally *unknown; /* whom the directory does not know */
};

static int
compare_changes(const struct change *a, const struct change *b)
{
	int order = 0;

	for (size_t i = 0; i < CELLS && order == 0; i++)
		order = strcmp(a->cells[i], b->cells[i]);
	return order;
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    changes, change, entry, compare_changes, __attribute__((unused)) static)

struct replay_report *
replay_report_new(void)
{
	struct replay_report *report = must_alloc(1, sizeof(*report));

	report->reasons = tally_new();
	report->others = tally_new();
	report->unknown = tally_new();
	return report;
}

static void
free_change(struct change *change)
{
	for (size_t i = 0; i < CELLS; i++)
		free(change->cells[i]);
	free(change);
}

void
replay_report_free(struct replay_report *report)
{
	struct change *change;

	if (report == NULL)
		return;
	while ((change = RB_ROOT(&report->changes)) != NULL) {
		RB_REMOVE(changes, &report->changes, change);
		free_change(change);
	}
	tally_free(report->reasons);
	tally_free(report->others);
	tally_free(report->unknown);
	free(report);
}

void
replay_report_line(struct replay_report *report)
{
	report->lines++;
}

void
replay_report_bad(struct replay_report *report, const char *file, uint64_t line,
    const char *why, const char *parameter)
{
	if (++report->bad <= REPLAY_BAD_MAX)
		(void)outcome_say(OUTCOME_DATA, "%s:%" PRIu64 ": %s%s%s", file,
		    line, why, *parameter != '\0' ? ": " : "", parameter);
	else if (report->bad == REPLAY_BAD_MAX + 1)
		(void)outcome_say(OUTCOME_DATA,
		    "%s:%" PRIu64 ": more lines like this are only counted",
		    file, line);
}

void
replay_report_unknown(struct replay_report *report, const char *identity)
{
	tally_add(report->unknown, identity);
}

static struct change *
make_change(const struct audit_record *record, const struct retrial *retrial)
{
	struct change *change = must_alloc(1, sizeof(*change));
	char where[ENDPOINT_TEXT_SIZE] = "", address[ADDRESS_TEXT_SIZE] = "";
	const char *cells[CELLS] = {
	    [CELL_WHO] = record->identity,
	    [CELL_COMMAND] = command_name((enum command)record->command),
	    [CELL_WHERE] = where,
	    [CELL_ADDRESS] = address,
	    [CELL_THEN] = reason_name(record->reason),
	    [CELL_RULE_THEN] = record->rule,
	    [CELL_NOW] = reason_name(retrial->verdict.reason),
	    [CELL_RULE_NOW] = retrial->verdict.rule,
	};

	if (record->has_destination)
		(void)endpoint_print(&record->destination, where);
	if (retrial->address.family != ADDRESS_NONE)
		(void)address_print(&retrial->address, address);
	change->is_otherwise = retrial->kind == RETRIAL_OTHERWISE;
	for (size_t i = 0; i < CELLS; i++)
		change->cells[i] = must_strdup(cells[i]);
	return change;
}

/* Changes of rules alone may be many, and leave room for the others. */
static bool
is_full(const struct replay_report *report, bool is_otherwise)
{
	size_t count = is_otherwise
			   ? report->otherwise_count
			   : report->change_count - report->otherwise_count;

	return count == REPLAY_CHANGES_MAX;
}

static void
add_change(struct replay_report *report, const struct audit_record *record,
    const struct retrial *retrial)
{
	struct change *change = make_change(record, retrial);
	struct change *found = RB_FIND(changes, &report->changes, change);

	if (found != NULL) {
		found->count++;
		free_change(change);
	} else if (is_full(report, change->is_otherwise)) {
		report->not_listed++;
		free_change(change);
	} else {
		change->count = 1;
		(void)RB_INSERT(changes, &report->changes, change);
		report->change_count++;
		report->otherwise_count += change->is_otherwise;
	}
}

void
replay_report_decision(struct replay_report *report,
    const struct audit_record *record, const struct retrial *retrial)
{
	report->decisions++;
	switch (retrial->kind) {
	case RETRIAL_NOT:
		if (retrial->is_about_rules) {
			report->not_judged++;
			tally_add(report->reasons, retrial->why);
		} else {
			report->not_by_rules++;
			tally_add(report->others, retrial->why);
		}
		return;
	case RETRIAL_SAME:
		break;
	case RETRIAL_OTHER_RULE:
		report->other_rule++;
		add_change(report, record, retrial);
		break;
	case RETRIAL_OTHERWISE:
		report->otherwise++;
		add_change(report, record, retrial);
		break;
	}
	report->judged++;
}

/* ---- first what is decided otherwise, the most frequent first */

static int
by_count(const void *a, const void *b)
{
	const struct change *const *left = a, *const *right = b;

	if ((*left)->is_otherwise != (*right)->is_otherwise)
		return (*left)->is_otherwise ? -1 : 1;
	if ((*left)->count != (*right)->count)
		return (*left)->count < (*right)->count ? 1 : -1;
	return compare_changes(*left, *right);
}

/* An array of borrowed changes, which the caller frees. */
static struct change **
sort(const struct replay_report *report)
{
	struct change **sorted =
	    must_alloc(report->change_count + 1, sizeof(struct change *));
	struct changes *changes = (struct changes *)(uintptr_t)&report->changes;
	struct change *change;
	size_t i = 0;

	RB_FOREACH (change, changes, changes)
		sorted[i++] = change;
	qsort(sorted, i, sizeof(struct change *), by_count);
	return sorted;
}

static bool
is_permission(const char *reason)
{
	return strcmp(reason, reason_name(REASON_OK)) == 0;
}

/* ---- as text */

static void
add_row(struct table *table, const struct change *change)
{
	const char *cells[1 + CELLS];
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, change->count);
	cells[0] = number;
	for (size_t i = 0; i < CELLS; i++)
		cells[1 + i] =
		    change->cells[i][0] != '\0' ? change->cells[i] : "-";
	if (is_permission(change->cells[CELL_THEN]))
		cells[1 + CELL_THEN] = "permit";
	if (is_permission(change->cells[CELL_NOW]))
		cells[1 + CELL_NOW] = "permit";
	table_add(table, cells);
}

static enum outcome
print_changes(const struct replay_report *report)
{
	static const char *const headings[1 + CELLS] = {"COUNT", "WHO",
	    "COMMAND", "WHERE", "ADDRESS", "THEN", "BY RULE", "NOW", "BY RULE"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	struct change **sorted = sort(report);
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < report->change_count; i++)
		add_row(table, sorted[i]);
	if (report->change_count > 0) {
		outcome = table_print(table);
		(void)putchar('\n');
	}
	free(sorted);
	table_free(table);
	return outcome;
}

static enum outcome
print_text(const struct replay_report *report)
{
	enum outcome outcome = print_changes(report);

	(void)printf("%" PRIu64 " decisions: %" PRIu64
		     " would be decided otherwise, %" PRIu64
		     " by another rule, %" PRIu64
		     " could not be judged, %" PRIu64
		     " were refused for other reasons than rules\n",
	    report->decisions, report->otherwise, report->other_rule,
	    report->not_judged, report->not_by_rules);
	tally_print(report->reasons, "not judged: ");
	tally_print(report->others, "not by rules: ");
	tally_print(report->unknown, "not in the directory any more: ");
	if (report->not_listed > 0)
		(void)printf("not listed, there are too many different "
			     "changes: %" PRIu64 "\n",
		    report->not_listed);
	if (report->bad > 0)
		(void)printf("bad lines: %" PRIu64 "\n", report->bad);
	if (outcome == OUTCOME_OK && (fflush(stdout) != 0 || ferror(stdout)))
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return outcome;
}

/* ---- as JSON */

static void
put(json_t *object, const char *name, json_t *value)
{
	must(json_object_set_new(object, name, value) == 0);
}

static void
put_count(json_t *object, const char *name, uint64_t number)
{
	put(object, name, json_integer((json_int_t)number));
}

static json_t *
side(const char *reason, const char *rule)
{
	json_t *object = json_object();

	put(object, "decision",
	    json_string(is_permission(reason) ? "permit" : "deny"));
	put(object, "reason", json_string(reason));
	put(object, "rule", *rule != '\0' ? document_text(rule) : json_null());
	return object;
}

static json_t *
text_or_null(const char *text)
{
	return *text != '\0' ? document_text(text) : json_null();
}

static json_t *
change_object(const struct change *change)
{
	json_t *object = json_object();

	put_count(object, "count", change->count);
	put(object, "identity", document_text(change->cells[CELL_WHO]));
	put(object, "command", document_text(change->cells[CELL_COMMAND]));
	put(object, "destination", text_or_null(change->cells[CELL_WHERE]));
	put(object, "address", text_or_null(change->cells[CELL_ADDRESS]));
	put(object, "then",
	    side(change->cells[CELL_THEN], change->cells[CELL_RULE_THEN]));
	put(object, "now",
	    side(change->cells[CELL_NOW], change->cells[CELL_RULE_NOW]));
	return object;
}

static json_t *
changes_array(const struct replay_report *report)
{
	struct change **sorted = sort(report);
	json_t *array = json_array();

	for (size_t i = 0; i < report->change_count; i++)
		must(json_array_append_new(array, change_object(sorted[i])) ==
		     0);
	free(sorted);
	return array;
}

static enum outcome
print_json(const struct replay_report *report)
{
	json_t *document = json_object();

	put_count(document, "lines", report->lines);
	put_count(document, "bad_lines", report->bad);
	put_count(document, "decisions", report->decisions);
	put_count(document, "judged", report->judged);
	put_count(document, "decided_otherwise", report->otherwise);
	put_count(document, "by_another_rule", report->other_rule);
	put_count(document, "not_judged", report->not_judged);
	put_count(document, "not_by_rules", report->not_by_rules);
	put_count(document, "not_listed", report->not_listed);
	put(document, "changes", changes_array(report));
	put(document, "why_not_judged", tally_array(report->reasons));
	put(document, "why_not_by_rules", tally_array(report->others));
	put(document, "unknown_users", tally_array(report->unknown));
	return document_print(document);
}

enum outcome
replay_report_print(const struct replay_report *report, bool as_json)
{
	enum outcome outcome =
	    as_json ? print_json(report) : print_text(report);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (report->otherwise + report->other_rule > 0)
		return OUTCOME_FOUND;
	if (report->judged == 0)
		return outcome_say(OUTCOME_DATA,
		    report->decisions == 0
			? "there is no decision on record"
			: "no decision on record could be judged");
	return OUTCOME_OK;
}
