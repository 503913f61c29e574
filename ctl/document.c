/* SPDX-License-Identifier: ISC */
/* Lines of the gateway's answers as parts of one JSON document. */
#include "ctl/document.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/text.h"

const struct document_field document_policy_fields[] = {
    {"generation", DOCUMENT_NUMBER},
    {"count", DOCUMENT_NUMBER},
    {"confirmed", DOCUMENT_NUMBER},
    {"stale", DOCUMENT_BOOL},
    {"expired", DOCUMENT_BOOL},
    {NULL, DOCUMENT_TEXT},
};

json_t *
document_text(const char *text)
{
	size_t len = strlen(text), size = TEXT_QUOTED_SIZE(len);
	json_t *made = json_string(text);
	char *quoted;

	if (made != NULL)
		return made;
	quoted = must_alloc(size, 1);
	(void)text_quote(quoted, size, text, len);
	made = json_string(quoted);
	free(quoted);
	must(made != NULL);
	return made;
}

static json_t *
make_value(const char *text, enum document_type type)
{
	uint64_t number;

	switch (type) {
	case DOCUMENT_TEXT:
		return document_text(text);
	case DOCUMENT_NUMBER:
		if (text_parse_u64(text, 0, LLONG_MAX, &number))
			return json_integer((json_int_t)number);
		break;
	case DOCUMENT_BOOL:
		if (strcmp(text, CTL_YES) == 0)
			return json_true();
		if (strcmp(text, CTL_NO) == 0)
			return json_false();
		break;
	}
	return json_null();
}

json_t *
document_object(const struct options *line, const struct document_field *fields)
{
	json_t *object = json_object();

	must(object != NULL);
	for (; fields->name != NULL; fields++) {
		const char *text = options_get(line, fields->name, NULL);

		if (text != NULL)
			must(json_object_set_new(object, fields->name,
				 make_value(text, fields->type)) == 0);
	}
	return object;
}

json_t *
document_new(const struct document_kind *kinds)
{
	json_t *document = json_object();

	must(document != NULL);
	for (; kinds->kind != NULL; kinds++)
		if (kinds->is_list)
			must(json_object_set_new(
				 document, kinds->name, json_array()) == 0);
	return document;
}

void
document_add(json_t *document, const struct document_kind *kinds,
    const struct options *line)
{
	const char *kind = options_get(line, "kind", "");
	json_t *object;

	while (kinds->kind != NULL && strcmp(kinds->kind, kind) != 0)
		kinds++;
	if (kinds->kind == NULL)
		return;
	object = document_object(line, kinds->fields);
	if (kinds->is_list)
		must(json_array_append_new(
			 json_object_get(document, kinds->name), object) == 0);
	else
		must(json_object_set_new(document, kinds->name, object) == 0);
}

enum outcome
document_print(json_t *document)
{
	bool was_good = json_dumpf(document, stdout, JSON_INDENT(2)) == 0 &&
			fputc('\n', stdout) != EOF && fflush(stdout) == 0;

	json_decref(document);
	return was_good ? OUTCOME_OK
			: outcome_say(OUTCOME_LOCAL,
			      "standard output cannot be written");
}
