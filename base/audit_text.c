/* SPDX-License-Identifier: ISC */
/* An audit record read back out of a line of a log. */
#include "base/audit_text.h"

#include <string.h>

#include "base/audit_param.h"
#include "base/text.h"

#define NAME_SIZE 33

/* What is left of the line; `at` and `end` bound it. */
struct cursor {
	const char *at, *end;
};

static size_t
left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static bool
take(struct cursor *cursor, const char *text)
{
	size_t len = strlen(text);

	if (left(cursor) < len || memcmp(cursor->at, text, len) != 0)
		return false;
	cursor->at += len;
	return true;
}

/* ---- what is in front of the element */

/* A run of what is no space, and the spaces behind it. */
static bool
take_word(struct cursor *cursor, struct cursor *word)
{
	word->at = cursor->at;
	while (left(cursor) > 0 && *cursor->at > ' ' && *cursor->at <= '~')
		cursor->at++;
	word->end = cursor->at;
	if (left(cursor) == 0 || *cursor->at != ' ' || left(word) == 0)
		return false;
	while (left(cursor) > 0 && *cursor->at == ' ')
		cursor->at++;
	return true;
}

static bool
is_digits(const struct cursor *word)
{
	for (const char *c = word->at; c < word->end; c++)
		if (*c < '0' || *c > '9')
			return false;
	return left(word) > 0;
}

/* "gatewarden[812]:" or "gatewarden:". */
static bool
is_tag(struct cursor word)
{
	struct cursor pid;

	if (!take(&word, "gatewarden"))
		return false;
	if (take(&word, ":"))
		return left(&word) == 0;
	if (!take(&word, "["))
		return false;
	pid.at = word.at;
	pid.end = memchr(word.at, ']', left(&word));
	if (pid.end == NULL || !is_digits(&pid))
		return false;
	word.at = pid.end + 1;
	return take(&word, ":") && left(&word) == 0;
}

/* Behind its bracket. */
static bool
take_priority(struct cursor *cursor)
{
	struct cursor digits;

	digits.at = cursor->at;
	digits.end = memchr(cursor->at, '>', left(cursor));
	if (digits.end == NULL || !is_digits(&digits) || left(&digits) > 3)
		return false;
	cursor->at = digits.end + 1;
	return true;
}

/* "TIME HOST gatewarden PID MSGID ", behind the version. */
static bool
take_5424(struct cursor *cursor)
{
	struct cursor words[5];

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!take_word(cursor, &words[i]))
			return false;
	return take(&words[2], "gatewarden") && left(&words[2]) == 0;
}

/* "Mmm dd hh:mm:ss HOST gatewarden[812]: " or with another time; the first
 * word that ends like a tag is the tag. */
static bool
take_3164(struct cursor *cursor)
{
	struct cursor word;

	for (size_t i = 0; i < 7; i++) {
		if (!take_word(cursor, &word))
			return false;
		if (word.end[-1] == ':')
			return is_tag(word);
	}
	return false;
}

/* Up to the element's bracket; false if the line is somebody else's. */
static bool
take_header(struct cursor *cursor)
{
	if (take(cursor, "<") && !take_priority(cursor))
		return false;
	if (take(cursor, "1 "))
		return take_5424(cursor);
	return (left(cursor) > 0 && *cursor->at == '[') || take_3164(cursor);
}

/* ---- the element: RFC 5424 section 6.3 */

static bool
take_name(struct cursor *cursor, char name[NAME_SIZE])
{
	size_t len = 0;

	while (left(cursor) > len && cursor->at[len] > ' ' &&
	       cursor->at[len] <= '~' &&
	       memchr("= ]\"", cursor->at[len], 4) == NULL)
		len++;
	if (len == 0 || len >= NAME_SIZE)
		return false;
	memcpy(name, cursor->at, len);
	name[len] = '\0';
	cursor->at += len;
	return true;
}

/* A value as text_quote wrote it. */
struct quoted {
	char text[TEXT_QUOTED_SIZE(AUDIT_VALUE_MAX)];
};

/* Behind the quotation mark that ends it; its escapes are undone. */
static bool
take_value(struct cursor *cursor, struct quoted *value)
{
	size_t len = 0;

	for (; left(cursor) > 0 && *cursor->at != '"'; cursor->at++) {
		if (*cursor->at == '\\') {
			cursor->at++;
			if (left(cursor) == 0 ||
			    memchr("\"\\]", *cursor->at, 3) == NULL)
				return false;
		} else if (*cursor->at == ']' || *cursor->at == '\0') {
			return false;
		}
		if (len == sizeof(value->text) - 1)
			return false;
		value->text[len++] = *cursor->at;
	}
	value->text[len] = '\0';
	return take(cursor, "\"");
}

/* ---- the parameters */

/* One parameter; NULL, or what is wrong with it. */
static const char *
take_param(struct cursor *cursor, char name[NAME_SIZE], uint64_t *seen,
    struct audit_text *text)
{
	struct quoted quoted;
	struct audit_value value;
	uint64_t bit;
	int param;

	name[0] = '\0';
	if (!take_name(cursor, name))
		return "a parameter has no name";
	if (!take(cursor, "=\"") || !take_value(cursor, &quoted))
		return "a value does not end, or is not escaped";
	param = audit_param_find(name);
	if (param < 0)
		return NULL;
	bit = UINT64_C(1) << param;
	if ((*seen & bit) != 0)
		return "a parameter stands there twice";
	*seen |= bit;
	if (!text_unquote((uint8_t *)value.text, AUDIT_VALUE_MAX, &value.len,
		quoted.text))
		return "a value is not quoted as ours are";
	value.text[value.len] = '\0';
	/* What has nothing to say is absent, unless all of it was cut. */
	if ((value.len == 0 && strcmp(name, "detail") != 0) ||
	    !audit_param_store(param, &value, text))
		return "a value is none that the parameter has";
	return NULL;
}

static bool
has(uint64_t seen, const char *name)
{
	return (seen >> audit_param_find(name) & 1) != 0;
}

/* What is there only together. */
static const char *
missing(uint64_t seen)
{
	if (!has(seen, "event") || !has(seen, "outcome") ||
	    !has(seen, "reason"))
		return "event, outcome or reason is missing";
	if (has(seen, "identity") && has(seen, "claimed"))
		return "identity and claimed exclude each other";
	if (has(seen, "report") != has(seen, "report_action"))
		return "report and report_action belong together";
	return NULL;
}

static const char *
take_params(struct cursor *cursor, char at[NAME_SIZE], struct audit_text *text)
{
	const char *why = NULL;
	uint64_t seen = 0;

	while (why == NULL && take(cursor, " "))
		why = take_param(cursor, at, &seen, text);
	if (why != NULL)
		return why;
	at[0] = '\0';
	if (!take(cursor, "]"))
		return "the element does not end";
	return missing(seen);
}

enum audit_text_result
audit_text_parse(const char *line, size_t len, struct audit_text *text,
    const char **why, char at[33])
{
	struct cursor cursor = {line, line + len}, ahead;

	memset(text, 0, sizeof(*text));
	*why = "";
	at[0] = '\0';
	if (!take_header(&cursor) || !take(&cursor, "[") ||
	    !take_name(&cursor, text->sd_id))
		return AUDIT_TEXT_FOREIGN;
	ahead = cursor;
	if (!take(&ahead, " seq=\""))
		return AUDIT_TEXT_FOREIGN;
	*why = len > AUDIT_TEXT_LINE_MAX ? "the line is too long"
					 : take_params(&cursor, at, text);
	return *why == NULL ? AUDIT_TEXT_RECORD : AUDIT_TEXT_BAD;
}

bool
audit_text_each(const char *line, size_t len,
    void (*each)(void *arg, const char *name, const char *value), void *arg)
{
	struct cursor cursor = {line, line + len};
	char name[NAME_SIZE];
	struct quoted value;

	if (!take_header(&cursor) || !take(&cursor, "[") ||
	    !take_name(&cursor, name))
		return false;
	while (take(&cursor, " ")) {
		if (!take_name(&cursor, name) || !take(&cursor, "=\"") ||
		    !take_value(&cursor, &value))
			return false;
		each(arg, name, value.text);
	}
	return take(&cursor, "]");
}
