/* SPDX-License-Identifier: ISC */
/* A look at a settings file before libconfuse reads it. */
#include "gateway/settings_scan.h"

#include <ctype.h>
#include <string.h>

#define NAME_SIZE 65 /* of sections, titles and settings */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD, /* without or in double quotes */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_COMMA,
	TOKEN_BAD
};

struct token {
	enum token_kind kind;
	unsigned line;
	char *start, *end;
	const char *why; /* of TOKEN_BAD */
};

struct scan {
	char *at;
	unsigned line;
	const struct settings_scan_names *names;
};

#define SCAN_ERROR(scan, line, ...)                                            \
	(scan)->names->error((scan)->names->arg, line, __VA_ARGS__)

static void
blank(char *from, const char *to)
{
	for (; from < to; from++)
		if (*from != '\n')
			*from = ' ';
}

static void
skip_space(struct scan *scan)
{
	for (;; scan->at++) {
		if (*scan->at == '#') {
			char *end = scan->at + strcspn(scan->at, "\n");

			blank(scan->at, end);
			scan->at = end;
		}
		if (*scan->at == '\n')
			scan->line++;
		else if (*scan->at != ' ' && *scan->at != '\t')
			return;
	}
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) ||
	       (c != '\0' && strchr("_-./:@%[]", c) != NULL);
}

/* Past the end of a bad run, and of no more than that. */
static char *
bad_end(char *at)
{
	if (at[0] == '$' && at[1] == '{')
		return at + strcspn(at, "\n}") +
		       (at[strcspn(at, "\n}")] == '}');
	at++;
	while (*at != '\0' && strchr(" \t\n{},=#\"", *at) == NULL)
		at++;
	return at;
}

static const char *
bad_why(const char *at)
{
	if (at[0] == '\r')
		return "carriage return; lines end in LF only";
	if (at[0] == '+' && at[1] == '=')
		return "+= is not allowed; write the whole list";
	if (at[0] == '$' && at[1] == '{')
		return "${...} is not allowed; nothing is taken from the "
		       "environment";
	if (at[0] == '\'')
		return "single quotes are not allowed; use double quotes";
	if (at[0] == '/' && (at[1] == '*' || at[1] == '/'))
		return "comments begin with #";
	return "unexpected character; values other than letters, digits and "
	       "_-./:@%[] stand in double quotes";
}

/* What may not stand at `at` inside of double quotes; NULL if all is well. */
static const char *
string_why(const char *at)
{
	if ((unsigned char)*at < 0x20 || *at == 0x7f)
		return "control character in a string; a string ends on its "
		       "line";
	if (at[0] == '$' && at[1] == '{')
		return "${...} is not allowed in double quotes; for these "
		       "characters write \\${";
	if (at[0] == '\\' && (at[1] == '\0' || strchr("\\\"$", at[1]) == NULL))
		return "unknown escape; allowed are \\\\, \\\" and \\$";
	return NULL;
}

static void
read_string(struct scan *scan, struct token *token)
{
	char *at = scan->at + 1;

	token->kind = TOKEN_WORD;
	while (*at != '"') {
		const char *why = string_why(at);

		if (why != NULL && token->kind != TOKEN_BAD) {
			token->kind = TOKEN_BAD;
			token->why = why;
		}
		if (*at == '\0' || *at == '\n')
			break;
		if (at[0] == '\\' && at[1] != '\0' && at[1] != '\n')
			at++;
		at++;
	}
	if (*at == '"')
		at++;
	else
		token->why = "a string begins here and does not end on its "
			     "line";
	scan->at = at;
}

static struct token
next_token(struct scan *scan)
{
	struct token token = {.kind = TOKEN_BAD};

	skip_space(scan);
	token.line = scan->line;
	token.start = scan->at;
	if (*scan->at == '\0') {
		token.kind = TOKEN_END;
	} else if (*scan->at == '"') {
		read_string(scan, &token);
	} else if (strchr("{}=,", *scan->at) != NULL) {
		token.kind = *scan->at == '{'	? TOKEN_OPEN
			     : *scan->at == '}' ? TOKEN_CLOSE
			     : *scan->at == '=' ? TOKEN_EQUALS
						: TOKEN_COMMA;
		scan->at++;
	} else if (is_word(*scan->at) &&
		   !(scan->at[0] == '/' && strchr("/*", scan->at[1]) != NULL)) {
		token.kind = TOKEN_WORD;
		while (is_word(*scan->at))
			scan->at++;
		/* A word with something bad in it is bad as a whole. */
		if (*scan->at != '\0' &&
		    strchr(" \t\n{},=#\"", *scan->at) == NULL) {
			token.kind = TOKEN_BAD;
			token.why = bad_why(scan->at);
			scan->at = bad_end(scan->at);
		}
	} else {
		token.why = bad_why(scan->at);
		scan->at = bad_end(scan->at);
		if (token.start[0] == '+' && *scan->at == '=')
			scan->at++;
	}
	token.end = scan->at;
	return token;
}

static struct token
peek_token(struct scan *scan)
{
	char *at = scan->at;
	unsigned line = scan->line;
	struct token token = next_token(scan);

	scan->at = at;
	scan->line = line;
	return token;
}

/* The token's text without its quotes; false if it is no name. */
static bool
token_name(const struct token *token, char name[NAME_SIZE])
{
	const char *start = token->start;
	size_t len = (size_t)(token->end - start);

	if (token->kind != TOKEN_WORD)
		return false;
	if (*start == '"') {
		start++;
		len -= 2;
	}
	if (len >= NAME_SIZE || memchr(start, '\\', len) != NULL)
		return false;
	memcpy(name, start, len);
	name[len] = '\0';
	return true;
}

static void
skip_line(struct scan *scan)
{
	scan->at += strcspn(scan->at, "\n");
}

/* The same, but a section may end in this line. */
static void
skip_setting(struct scan *scan)
{
	scan->at += strcspn(scan->at, "\n}");
}

/* Behind the brace that closes the one that was just read. */
static void
skip_block(struct scan *scan)
{
	for (unsigned depth = 1; depth > 0;) {
		struct token token = next_token(scan);

		if (token.kind == TOKEN_END)
			return;
		if (token.kind == TOKEN_OPEN)
			depth++;
		else if (token.kind == TOKEN_CLOSE)
			depth--;
	}
}

static bool
scan_word(struct scan *scan, const struct token *token, const char *name)
{
	if (token->kind == TOKEN_BAD)
		SCAN_ERROR(scan, token->line, "%s: %s", name, token->why);
	else if (token->kind != TOKEN_WORD)
		SCAN_ERROR(scan, token->line, "%s: a value is missing", name);
	return token->kind == TOKEN_WORD;
}

/* Behind "{"; false after an error was reported. */
static bool
scan_list(struct scan *scan, const char *name)
{
	bool good = true;

	for (;;) {
		struct token token = peek_token(scan);

		if (token.kind == TOKEN_CLOSE)
			break;
		if (token.kind == TOKEN_END || token.kind == TOKEN_OPEN ||
		    token.kind == TOKEN_EQUALS) {
			SCAN_ERROR(scan, token.line,
			    "%s: the list is not closed by }", name);
			return false;
		}
		token = next_token(scan);
		good &= scan_word(scan, &token, name);
		token = peek_token(scan);
		if (token.kind == TOKEN_COMMA) {
			next_token(scan);
		} else if (token.kind != TOKEN_CLOSE) {
			SCAN_ERROR(scan, token.line,
			    "%s: , or } is missing in the list", name);
			return false;
		}
	}
	next_token(scan);
	return good;
}

/* Behind "="; false after an error was reported. */
static bool
scan_value(struct scan *scan, const char *name, bool *is_list)
{
	struct token token = peek_token(scan);

	*is_list = token.kind == TOKEN_OPEN;
	if (token.kind == TOKEN_CLOSE || token.kind == TOKEN_END)
		return scan_word(scan, &token, name);
	token = next_token(scan);
	return *is_list ? scan_list(scan, name) : scan_word(scan, &token, name);
}

static void
scan_setting(struct scan *scan, const struct token *key, const char *section)
{
	struct token token;
	char name[NAME_SIZE], label[2 * NAME_SIZE];
	bool is_list;

	if (key->kind == TOKEN_BAD) {
		SCAN_ERROR(scan, key->line, "%s: %s", section, key->why);
		skip_setting(scan);
		blank(key->start, scan->at);
		return;
	}
	if (!token_name(key, name) || *key->start == '"') {
		SCAN_ERROR(scan, key->line,
		    "%s: a setting such as `name = value` is expected",
		    section);
		blank(key->start, scan->at);
		return;
	}
	(void)snprintf(label, sizeof(label), "%s.%s", section, name);
	token = peek_token(scan);
	if (token.kind != TOKEN_EQUALS) {
		SCAN_ERROR(scan, key->line, "%s: %s", label,
		    token.kind == TOKEN_BAD ? token.why
		    : token.kind == TOKEN_OPEN
			? "sections do not stand in sections"
			: "= and a value are missing");
		if (token.kind == TOKEN_OPEN) {
			next_token(scan);
			skip_block(scan);
		} else if (token.line == key->line &&
			   token.kind != TOKEN_CLOSE) {
			skip_setting(scan);
		}
		blank(key->start, scan->at);
		return;
	}
	next_token(scan);
	if (!scan_value(scan, label, &is_list) ||
	    !scan->names->setting(scan->names->arg, name, is_list, key->line))
		blank(key->start, scan->at);
}

static void
scan_settings(struct scan *scan, const char *section, unsigned begun)
{
	for (;;) {
		struct token token = next_token(scan);

		if (token.kind == TOKEN_CLOSE)
			return;
		if (token.kind == TOKEN_END) {
			SCAN_ERROR(scan, begun,
			    "%s: the section is not closed by }", section);
			return;
		}
		scan_setting(scan, &token, section);
	}
}

/* The title of a section, if it is one that has a title. */
static bool
scan_title(
    struct scan *scan, const char *section, bool titled, char title[NAME_SIZE])
{
	struct token token = peek_token(scan);

	if (titled) {
		if (!token_name(&token, title)) {
			SCAN_ERROR(scan, token.line,
			    "%s: a name is missing: %s NAME { ... }", section,
			    section);
			return false;
		}
		next_token(scan);
		token = peek_token(scan);
	}
	if (token.kind != TOKEN_OPEN) {
		SCAN_ERROR(scan, token.line, "%s: { is missing", section);
		return false;
	}
	return true;
}

static void
unknown_section(struct scan *scan, const struct token *first, const char *name)
{
	struct token token = peek_token(scan);
	bool is_list;

	if (token.kind == TOKEN_EQUALS) {
		SCAN_ERROR(scan, first->line,
		    "%s: settings stand in a section: section { %s = ... }",
		    name, name);
		next_token(scan);
		(void)scan_value(scan, name, &is_list);
		return;
	}
	SCAN_ERROR(scan, first->line, "%s: there is no such section", name);
	while (token.kind == TOKEN_WORD) {
		next_token(scan);
		token = peek_token(scan);
	}
	if (token.kind == TOKEN_OPEN) {
		next_token(scan);
		skip_block(scan);
	}
}

/* libconfuse would offer a function include("path"). */
static bool
is_include(const struct token *token)
{
	static const char name[] = "include";

	return strncmp(token->start, name, strlen(name)) == 0 &&
	       token->start[strlen(name)] == '(';
}

/* False if it is to be left out. */
static bool
scan_section(struct scan *scan, const struct token *first)
{
	char name[NAME_SIZE], title[NAME_SIZE];
	bool titled;

	if (first->kind == TOKEN_BAD) {
		SCAN_ERROR(scan, first->line, "%s",
		    is_include(first)
			? "include: not allowed; further files stand in the "
			  "folder that is named like this file and .d"
			: first->why);
		skip_line(scan);
		return false;
	}
	if (!token_name(first, name) || *first->start == '"') {
		SCAN_ERROR(scan, first->line,
		    "a section such as `gateway { ... }` is expected");
		return false;
	}
	if (!scan->names->has_section(scan->names->arg, name, &titled)) {
		unknown_section(scan, first, name);
		return false;
	}
	if (!scan_title(scan, name, titled, title)) {
		skip_line(scan);
		return false;
	}
	next_token(scan);
	if (!scan->names->section(
		scan->names->arg, name, titled ? title : NULL, first->line)) {
		skip_block(scan);
		return false;
	}
	scan_settings(scan, name, first->line);
	return true;
}

void
settings_scan(char *text, const struct settings_scan_names *names)
{
	struct scan scan = {.at = text, .line = 1, .names = names};

	for (;;) {
		struct token token = next_token(&scan);

		if (token.kind == TOKEN_END)
			return;
		if (!scan_section(&scan, &token))
			blank(token.start, scan.at);
	}
}
