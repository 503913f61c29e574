/* SPDX-License-Identifier: ISC */
/* Rules out of an LDIF file. */
#include "policy/ldap_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lber.h>
#include <ldif.h>

#include "policy/entry.h"
#include "policy/rule_set_stream.h"

#define NAME_SIZE 128 /* of an attribute's name */

/* ---- a line */

/* One line "attribute: value", as libldap's reader takes it apart. */
struct ldif_line {
	char name[NAME_SIZE];
	struct berval value;
	int is_allocated; /* the value is libldap's to free */
};

static bool
is_name(const struct berval *name)
{
	if (name->bv_len == 0 || name->bv_len >= NAME_SIZE ||
	    !isalpha((unsigned char)name->bv_val[0]))
		return false;
	for (size_t i = 0; i < name->bv_len; i++)
		if (!isalnum((unsigned char)name->bv_val[i]) &&
		    (name->bv_val[i] == '\0' ||
			strchr("-.;", name->bv_val[i]) == NULL))
			return false;
	return true;
}

/* libldap would follow "attribute:< file:///etc/shadow". */
static bool
is_reference(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon != NULL && colon[1] == '<';
}

/* NULL, or what is wrong. */
static const char *
parse_line(char *text, struct ldif_line *line)
{
	struct berval name;

	memset(line, 0, sizeof(*line));
	if (is_reference(text))
		return "a value by reference (:<) is refused";
	if (ldif_parse_line2(text, &name, &line->value, &line->is_allocated) !=
	    0)
		return "not \"attribute: value\"";
	if (!is_name(&name))
		return "not an attribute's name";
	memcpy(line->name, name.bv_val, name.bv_len);
	return NULL;
}

static bool
is_a(const struct ldif_line *line, const char *name)
{
	return strcasecmp(line->name, name) == 0;
}

static const char *
take_dn(struct entry **entry, const struct ldif_line *line)
{
	if (*entry != NULL)
		return "a second dn: no empty line is between two entries";
	if (line->value.bv_len == 0 ||
	    memchr(line->value.bv_val, '\0', line->value.bv_len) != NULL)
		return "not a dn";
	*entry = entry_new(line->value.bv_val);
	return *entry != NULL ? NULL : "out of memory";
}

static const char *
take_line(struct entry **entry, const struct ldif_line *line)
{
	if (is_a(line, "dn"))
		return take_dn(entry, line);
	if (is_a(line, "changetype") || is_a(line, "control"))
		return "a change record: only entries are read";
	if (is_a(line, "include"))
		return "include is refused";
	if (*entry == NULL)
		return is_a(line, "version") ? NULL
					     : "an entry begins with its dn";
	return entry_add(*entry, line->name, line->value.bv_val,
		   line->value.bv_len) == 0
		   ? NULL
		   : "out of memory";
}

static const char *
read_line(struct entry **entry, char *text)
{
	struct ldif_line line;
	const char *wrong = parse_line(text, &line);

	if (wrong == NULL)
		wrong = take_line(entry, &line);
	if (line.is_allocated)
		ber_memfree(line.value.bv_val);
	return wrong;
}

/* ---- an entry */

/* An entry of other classes: a mistyped class must not lose a rule. */
static const char *
pass_over(const struct entry *entry)
{
	const struct entry_attribute *classes =
	    entry_find(entry, "objectClass");

	if (classes == NULL)
		return "the entry has no objectClass";
	for (size_t i = 0; i < classes->count; i++)
		if (isdigit(classes->values[i].octets[0]))
			return "an objectClass is a name here, no number";
	for (size_t i = 0; i < entry->count; i++)
		if (strncasecmp(entry->attributes[i].name, "gw", 2) == 0)
			return "the entry has attributes of a rule, and is "
			       "neither gwRule nor gwDestinations";
	return NULL;
}

static bool
is_ours(const struct entry *entry)
{
	return entry_is_a(entry, "gwRule") ||
	       entry_is_a(entry, "gwDestinations");
}

/* ---- the file */

struct cursor {
	char *next;	    /* behind the line that was read last */
	unsigned long line; /* its number, from 1 */
	unsigned long ends; /* how many lines of the file it is */
	unsigned long dn;   /* the line with the entry's dn */
};

/* The next line with its continuations, unfolded in place; NULL at the end.
 * libldap's own reader would follow "include: file:///etc/shadow". */
static char *
next_line(struct cursor *cursor)
{
	char *line = cursor->next, *from = line, *to = line;

	if (*line == '\0')
		return NULL;
	cursor->line += cursor->ends;
	cursor->ends = 0;
	do {
		from += cursor->ends > 0; /* the space of a continuation */
		while (*from != '\0' && *from != '\n')
			*to++ = *from++;
		if (to > line && to[-1] == '\r')
			to--;
		from += *from == '\n';
		cursor->ends++;
	} while (*from == ' ');
	*to = '\0';
	cursor->next = from;
	return line;
}

/* NULL, or what is wrong with the cursor's line. */
static const char *
read_entry(struct cursor *cursor, struct entry **entry)
{
	const char *wrong = NULL;
	char *line;

	while (wrong == NULL && (line = next_line(cursor)) != NULL) {
		if (*line == '\0' && *entry != NULL)
			break;
		if (*line == '\0' || *line == '#')
			continue;
		if (*entry == NULL)
			cursor->dn = cursor->line;
		wrong = read_line(entry, line);
	}
	return wrong;
}

static int
complain(char *why, size_t why_size, unsigned long line, const char *wrong)
{
	(void)snprintf(why, why_size, "%lu: %s", line, wrong);
	return -1;
}

static int
read_entries(
    char *text, ldif_entry_fn *handle, void *arg, char *why, size_t why_size)
{
	struct cursor cursor = {.next = text, .ends = 1};
	struct entry *entry;
	const char *wrong;
	int result = 0;

	while (result == 0 && *cursor.next != '\0') {
		entry = NULL;
		wrong = read_entry(&cursor, &entry);
		if (wrong != NULL)
			result = complain(why, why_size, cursor.line, wrong);
		else if (entry != NULL && is_ours(entry))
			result = handle(arg, entry);
		else if (entry != NULL && (wrong = pass_over(entry)) != NULL)
			result = complain(why, why_size, cursor.dn, wrong);
		entry_free(entry);
	}
	return result;
}

/* The whole file, with a NUL behind it; NULL and why. */
static char *
read_text(FILE *file, char *why, size_t why_size)
{
	char *text = NULL;
	size_t size = 0;
	/* Up to the first NUL, which no LDIF file has. */
	ssize_t len = getdelim(&text, &size, '\0', file);

	if (len < 0 && feof(file) && !ferror(file)) {
		free(text); /* is there for an empty file, too */
		return strdup("");
	}
	if (len > 0 && text[len - 1] == '\0')
		(void)snprintf(why, why_size, "1: there is a NUL in the file");
	else if (len > RULE_SET_OCTETS_MAX)
		(void)snprintf(why, why_size, "1: the file is too large");
	else if (len < 0 || ferror(file))
		(void)snprintf(why, why_size, "1: %s", strerror(errno));
	else
		return text;
	free(text);
	return NULL;
}

int
ldif_read(
    FILE *file, ldif_entry_fn *handle, void *arg, char *why, size_t why_size)
{
	char *text = read_text(file, why, why_size);
	int result = -1;

	if (text != NULL)
		result = read_entries(text, handle, arg, why, why_size);
	free(text);
	return result;
}
