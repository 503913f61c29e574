/* SPDX-License-Identifier: ISC */
/* What a receiver makes of a record. */
#include "tests/support/structured_data.h"

#include <stdio.h>
#include <string.h>

static bool
is_name_char(char c)
{
	return c > ' ' && c <= '~' && strchr("= ]\"", c) == NULL;
}

static const char *
take_name(const char *at, char name[33])
{
	size_t len = 0;

	while (is_name_char(at[len]))
		len++;
	if (len == 0 || len > 32)
		return NULL;
	memcpy(name, at, len);
	name[len] = '\0';
	return at + len;
}

/* Behind the quotation mark that ends the value. */
static const char *
take_value(const char *at, char value[STRUCTURED_DATA_VALUE_MAX])
{
	size_t len = 0;

	for (; *at != '"'; at++) {
		if (*at == '\0' || *at == ']' ||
		    len == STRUCTURED_DATA_VALUE_MAX - 1)
			return NULL;
		if (at[0] == '\\' && at[1] != '\0' &&
		    strchr("\\\"]", at[1]) != NULL)
			at++;
		value[len++] = *at;
	}
	value[len] = '\0';
	return at + 1;
}

bool
structured_data_parse(
    const char *text, size_t *len, struct structured_data *data)
{
	const char *at = text;

	data->count = 0;
	if (*at++ != '[' || (at = take_name(at, data->id)) == NULL)
		return false;
	while (*at == ' ') {
		size_t n = data->count;

		if (n == STRUCTURED_DATA_PARAMS_MAX ||
		    (at = take_name(at + 1, data->names[n])) == NULL ||
		    structured_data_value(data, data->names[n]) != NULL ||
		    *at++ != '=' || *at++ != '"' ||
		    (at = take_value(at, data->values[n])) == NULL)
			return false;
		data->count++;
	}
	if (*at++ != ']')
		return false;
	*len = (size_t)(at - text);
	return true;
}

const char *
structured_data_value(const struct structured_data *data, const char *name)
{
	for (size_t i = 0; i < data->count; i++)
		if (strcmp(data->names[i], name) == 0)
			return data->values[i];
	return NULL;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? -1 : (int)(found - digits);
}

/* One escape of RFC 8259 section 7 for an octet; behind it, or NULL. */
static const char *
json_escape(const char *at, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = *at == '\0' ? NULL : strchr(from, *at);

	if (found != NULL) {
		*out = to[found - from];
		return at + 1;
	}
	if (strncmp(at, "u00", 3) != 0 || hex(at[3]) < 0 || hex(at[4]) < 0)
		return NULL;
	*out = (char)(hex(at[3]) << 4 | hex(at[4]));
	return at + 5;
}

bool
json_text(const char *line, const char *name, char *out, size_t size)
{
	char key[64];
	const char *at;
	size_t len;

	/* A quotation mark inside of a text is never bare. */
	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(line, key);
	if (at == NULL)
		return false;
	at += strlen(key);
	at += strspn(at, " ");
	if (*at++ != '"')
		return false;
	for (len = 0; *at != '"' && len < size - 1; len++) {
		if (*at == '\0')
			return false;
		if (*at != '\\')
			out[len] = *at++;
		else if ((at = json_escape(at + 1, &out[len])) == NULL)
			return false;
	}
	out[len] = '\0';
	return *at == '"';
}
