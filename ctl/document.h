/* SPDX-License-Identifier: ISC */
/* Lines of the gateway's answers as parts of one JSON document. */
#ifndef CTL_DOCUMENT_H
#define CTL_DOCUMENT_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/options.h"
#include "ctl/outcome.h"

/* How a name's text is to be read. */
enum document_type { DOCUMENT_TEXT, DOCUMENT_NUMBER, DOCUMENT_BOOL };

struct document_field {
	const char *name;
	enum document_type type;
};

/*
 * An object with those fields that the line has; a table ends with a field
 * without name.  What is no number or neither yes nor no becomes null, and
 * octets that are not UTF-8 are quoted as text_quote does.  Dies without
 * memory.
 */
json_t *document_object(
    const struct options *line, const struct document_field *fields) must_check;

/* Of the line `policy`, which several answers have. */
extern const struct document_field document_policy_fields[];

/* What lines of one kind become in a document. */
struct document_kind {
	const char *kind;
	const char *name; /* the member */
	bool is_list;	  /* an array of such objects */
	const struct document_field *fields;
};

/* A document for the lines of those kinds, a table that ends with one without
 * kind: empty lists. */
json_t *document_new(const struct document_kind *kinds) must_check;
/* Adds what the line says.  Kinds that the table does not have are passed
 * over: the gateway may know more than we do. */
void document_add(json_t *document, const struct document_kind *kinds,
    const struct options *line);

/* A text, quoted where it is not UTF-8. */
json_t *document_text(const char *text) must_check;

/* Prints it on standard output, indented, and releases it. */
enum outcome document_print(json_t *document) must_check;

#endif
