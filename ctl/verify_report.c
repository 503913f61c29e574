/* SPDX-License-Identifier: ISC */
/* What was found out about a spool, printed. */
#include "ctl/verify_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "ctl/chain_findings.h"
#include "ctl/chain_proof.h"
#include "ctl/chain_sentence.h"
#include "ctl/document.h"
#include "ctl/spool.h"

/* Of which kinds there may be more than anybody reads. */
#define PRINTED_MAX 1000

void
verify_report_note(struct verify_report *report, const char *sentence)
{
	must(report->note_count < VERIFY_NOTES_MAX);
	report->notes[report->note_count++] = sentence;
}

/* Malloc'ed. */
static char *
make_sentence(const struct chain_finding *finding)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		die("out of memory");
	chain_sentence_print(finding, out);
	if (fclose(out) != 0)
		die("out of memory");
	return text;
}

/* ---- for people */

static void
print_place(const struct verify_report *report, const struct chain_entry *entry)
{
	if (entry != NULL)
		(void)printf("%s:%" PRIu64 ": ",
		    spool_segment_name(report->spool, entry->segment),
		    entry->number);
}

static void
print_findings(const struct verify_report *report)
{
	const struct chain_findings *findings = report->findings;

	for (size_t i = 0; i < findings->count && i < PRINTED_MAX; i++) {
		print_place(report, findings->list[i].entry);
		chain_sentence_print(&findings->list[i], stdout);
		(void)putchar('\n');
	}
	if (findings->count > PRINTED_MAX)
		(void)printf("and %zu more\n", findings->count - PRINTED_MAX);
}

static void
print_notes(const struct verify_report *report)
{
	const struct chain_findings *findings = report->findings;

	if (findings->has_anchor)
		(void)printf("note: what was before record %" PRIu64
			     " is not there; that record's MAC is trusted, its "
			     "text is not proved\n",
		    findings->first);
	if (findings->torn != NULL) {
		(void)printf("note: ");
		print_place(report, findings->torn);
		(void)printf(
		    "a line without end: its writing was broken off\n");
	}
	for (size_t i = 0; i < report->note_count; i++)
		(void)printf("note: %s\n", report->notes[i]);
}

static enum outcome
print_text(const struct verify_report *report)
{
	const struct chain_findings *findings = report->findings;

	print_findings(report);
	print_notes(report);
	(void)printf("%zu lines in %zu segments, records %" PRIu64
		     " to %" PRIu64 ": %zu proved, %" PRIu64
		     " not provable, findings: %zu\n",
	    report->proof->count, spool_segment_count(report->spool),
	    findings->first, findings->last, report->proof->proved_count,
	    findings->unproved_count, findings->count);
	if (fflush(stdout) != 0)
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return OUTCOME_OK;
}

/* ---- for programs */

static void
set(json_t *object, const char *name, json_t *value)
{
	must(json_object_set_new(object, name, value) == 0);
}

static void
set_number(json_t *object, const char *name, uint64_t number)
{
	set(object, name, json_integer((json_int_t)number));
}

static void
set_place(json_t *object, const struct verify_report *report,
    const struct chain_entry *entry)
{
	if (entry == NULL)
		return;
	set(object, "file",
	    json_string(spool_segment_name(report->spool, entry->segment)));
	set_number(object, "line", entry->number);
}

static json_t *
make_finding(
    const struct verify_report *report, const struct chain_finding *finding)
{
	json_t *object = json_object();
	char *sentence = make_sentence(finding);

	must(object != NULL);
	set(object, "kind", json_string(chain_sentence_name(finding->kind)));
	set_number(object, "first", finding->first);
	if (finding->last > 0)
		set_number(object, "last", finding->last);
	if (finding->other > 0)
		set_number(object, "other", finding->other);
	set_place(object, report, finding->entry);
	set(object, "sentence", document_text(sentence));
	free(sentence);
	return object;
}

static json_t *
make_torn(const struct verify_report *report)
{
	json_t *object = json_object();

	must(object != NULL);
	set_place(object, report, report->findings->torn);
	return object;
}

static enum outcome
print_document(const struct verify_report *report)
{
	const struct chain_findings *findings = report->findings;
	json_t *document = json_object(), *list = json_array();
	json_t *notes = json_array();

	must(document != NULL && list != NULL && notes != NULL);
	set_number(document, "lines", report->proof->count);
	set_number(document, "segments", spool_segment_count(report->spool));
	set_number(document, "first", findings->first);
	set_number(document, "last", findings->last);
	set_number(document, "proved", report->proof->proved_count);
	set_number(document, "not_provable", findings->unproved_count);
	set(document, "anchored", json_boolean(findings->has_anchor));
	if (findings->torn != NULL)
		set(document, "torn", make_torn(report));
	for (size_t i = 0; i < findings->count; i++)
		must(json_array_append_new(
			 list, make_finding(report, &findings->list[i])) == 0);
	set(document, "findings", list);
	for (size_t i = 0; i < report->note_count; i++)
		must(json_array_append_new(
			 notes, document_text(report->notes[i])) == 0);
	set(document, "notes", notes);
	return document_print(document);
}

enum outcome
verify_report_print(const struct verify_report *report, bool wants_json)
{
	enum outcome outcome =
	    wants_json ? print_document(report) : print_text(report);

	if (outcome == OUTCOME_OK && report->findings->count > 0)
		return OUTCOME_FOUND;
	return outcome;
}
