/* SPDX-License-Identifier: ISC */
/* Audit records, printed one after the other. */
#include "ctl/record_listing.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_param.h"
#include "base/audit_text.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/document.h"
#include "ctl/moment_text.h"

#define SENTENCE_SIZE 1024

struct waiting {
	size_t len;
	char *message;
};

struct record_listing {
	bool wants_json;
	size_t printed;
	/* A ring of the last. */
	size_t last, added;
	struct waiting *ring;
};

struct record_listing *
record_listing_new(bool wants_json, size_t last)
{
	struct record_listing *listing = must_alloc(1, sizeof(*listing));

	listing->wants_json = wants_json;
	listing->last = last;
	if (last > 0)
		listing->ring = must_alloc(last, sizeof(*listing->ring));
	if (wants_json)
		(void)printf("{\n  \"records\": [");
	return listing;
}

void
record_listing_free(struct record_listing *listing)
{
	if (listing == NULL)
		return;
	for (size_t i = 0; i < listing->last; i++)
		free(listing->ring[i].message);
	free(listing->ring);
	free(listing);
}

/* ---- for people */

static void
print_line(const struct audit_text *text)
{
	char moment[MOMENT_TEXT_SIZE], sentence[SENTENCE_SIZE];
	char quoted[TEXT_QUOTED_SIZE(SENTENCE_SIZE)];
	uint64_t us = text->record.time_us;
	size_t len =
	    audit_record_sentence(&text->record, sentence, sizeof(sentence));

	(void)moment_text_print(us / 1000000, moment);
	/* Without the Z, which comes behind the fraction. */
	moment[strcspn(moment, "Z")] = '\0';
	(void)text_quote(quoted, sizeof(quoted), sentence, len);
	(void)printf("%s.%06uZ  %-11s  %s\n", moment, (unsigned)(us % 1000000),
	    audit_event_name(text->record.event), quoted);
}

/* ---- for programs */

static json_t *
make_value(const char *name, const char *value)
{
	int param = audit_param_find(name);
	uint64_t number;

	if (param >= 0 && audit_param_is_number(param) &&
	    text_parse_u64(value, 0, LLONG_MAX, &number))
		return json_integer((json_int_t)number);
	return document_text(value);
}

static void
set_field(void *arg, const char *name, const char *value)
{
	must(json_object_set_new(arg, name, make_value(name, value)) == 0);
}

static void
print_object(const struct record_listing *listing, const char *message,
    size_t len, const struct audit_text *text)
{
	char sentence[SENTENCE_SIZE];
	json_t *object = json_object();

	must(object != NULL);
	(void)audit_record_sentence(&text->record, sentence, sizeof(sentence));
	must(audit_text_each(message, len, set_field, object));
	must(json_object_set_new(object, "sentence", document_text(sentence)) ==
	     0);
	(void)printf("%s\n    ", listing->printed > 0 ? "," : "");
	(void)json_dumpf(object, stdout, 0);
	json_decref(object);
}

/* ---- both */

static void
print(struct record_listing *listing, const char *message, size_t len)
{
	struct audit_text text;
	const char *why;
	char at[33];

	must(audit_text_parse(message, len, &text, &why, at) ==
	     AUDIT_TEXT_RECORD);
	if (listing->wants_json)
		print_object(listing, message, len, &text);
	else
		print_line(&text);
	listing->printed++;
}

void
record_listing_add(
    struct record_listing *listing, const char *message, size_t len)
{
	struct waiting *waiting;

	if (listing->last == 0) {
		print(listing, message, len);
		return;
	}
	waiting = &listing->ring[listing->added++ % listing->last];
	free(waiting->message);
	waiting->message = must_alloc(len + 1, 1);
	memcpy(waiting->message, message, len);
	waiting->len = len;
}

enum outcome
record_listing_end(struct record_listing *listing)
{
	size_t count =
	    listing->added < listing->last ? listing->added : listing->last;

	for (size_t i = listing->added - count; i < listing->added; i++) {
		const struct waiting *waiting =
		    &listing->ring[i % listing->last];

		print(listing, waiting->message, waiting->len);
	}
	if (listing->wants_json)
		(void)printf("%s]\n}\n", listing->printed > 0 ? "\n  " : "");
	if (fflush(stdout) != 0 || ferror(stdout))
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return OUTCOME_OK;
}
