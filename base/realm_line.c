/* SPDX-License-Identifier: ISC */
/* A realm with a directory of its own, as directory.realms says it. */
#include "base/realm_line.h"

#include <string.h>

static bool
copy(char *out, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* Up to the next space, which has to be there; NULL if it is not. */
static const char *
take_word(char *out, size_t size, const char *text)
{
	size_t len = strcspn(text, " ");

	if (text[len] != ' ' || !copy(out, size, text, len))
		return NULL;
	return text + len + 1;
}

bool
realm_line_parse(const char *text, struct realm_line *line)
{
	const char *filter;

	text = take_word(line->realm, sizeof(line->realm), text);
	if (text != NULL)
		text = take_word(line->uris, sizeof(line->uris), text);
	if (text == NULL || strchr(line->realm, '@') != NULL)
		return false;
	/* A DN may have spaces in it. */
	filter = strstr(text, " (");
	line->filter[0] = '\0';
	if (filter == NULL)
		return copy(line->base, sizeof(line->base), text, strlen(text));
	return copy(line->base, sizeof(line->base), text,
		   (size_t)(filter - text)) &&
	       copy(line->filter, sizeof(line->filter), filter + 1,
		   strlen(filter + 1));
}

const char *
realm_of(const char *principal)
{
	const char *at = strrchr(principal, '@');

	return at != NULL ? at + 1 : "";
}
