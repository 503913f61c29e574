/* SPDX-License-Identifier: ISC */
/* Rules as tests write them: lines of "attribute: value". */
#include "tests/unit/policy/rule_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/ruleset.h"

struct line {
	const char *name, *value;
	size_t name_len, value_len;
};

/* Takes a line off the text; false if it has no ": ". */
static bool
read_line(const char **text, size_t *len, struct line *line)
{
	const char *end = memchr(*text, '\n', *len);
	size_t line_len = end == NULL ? *len : (size_t)(end - *text);
	const char *colon = memmem(*text, line_len, ": ", 2);

	line->name = *text;
	line->name_len = colon == NULL ? 0 : (size_t)(colon - *text);
	line->value = colon == NULL ? NULL : colon + 2;
	line->value_len = colon == NULL ? 0 : line_len - line->name_len - 2;
	*text += line_len + (end != NULL);
	*len -= line_len + (end != NULL);
	return colon != NULL;
}

static int
add_line(struct entry *entry, const struct line *line)
{
	char *name = strndup(line->name, line->name_len);
	int error = -ENOMEM;

	if (name != NULL)
		error = entry_add(entry, name, line->value, line->value_len);
	free(name);
	return error;
}

static int
read_entry(const char **text, size_t *len, const struct line *first,
    rule_text_fn *add, void *arg)
{
	struct line line;
	char *dn = strndup(first->value, first->value_len);
	struct entry *entry = dn == NULL ? NULL : entry_new(dn);
	int error = entry == NULL ? -ENOMEM : 0;

	while (error == 0 && *len > 0 && read_line(text, len, &line))
		error = add_line(entry, &line);
	if (error == 0)
		error = add(arg, entry);
	entry_free(entry);
	free(dn);
	return error;
}

int
rule_text_read(const char *text, size_t len, rule_text_fn *add, void *arg)
{
	int error = 0;

	while (error == 0 && len > 0) {
		struct line line;

		if (!read_line(&text, &len, &line))
			continue; /* empty */
		if (line.name_len != 2 || memcmp(line.name, "dn", 2) != 0)
			return -EINVAL;
		error = read_entry(&text, &len, &line, add, arg);
	}
	return error;
}

struct making {
	struct ruleset_builder *builder;
	char *why;
	size_t why_size;
};

static int
add_to_builder(void *arg, const struct entry *entry)
{
	struct making *making = arg;

	return ruleset_builder_add(
	    making->builder, entry, making->why, making->why_size);
}

struct ruleset *
rule_text_build(const char *text, char *why, size_t why_size)
{
	struct making making = {ruleset_builder_new(), why, why_size};

	if (making.builder == NULL)
		return NULL;
	if (rule_text_read(text, strlen(text), add_to_builder, &making) != 0) {
		ruleset_builder_free(making.builder);
		return NULL;
	}
	return ruleset_build(making.builder, 7, why, why_size);
}
