/* SPDX-License-Identifier: ISC */
/* Rules out of an LDIF file. */
#include "policy/ldap_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lber.h>
#include <lber_types.h>
#include <ldap.h>
#include <ldif.h>

#include "policy/entry.h"

/* One line "attribute: value", as libldap's reader takes it apart. */
struct ldif_line {
	struct berval type;
	struct berval value;
	int is_allocated; /* the value is libldap's to free */
};

static bool
is_type(const struct ldif_line *line, const char *name)
{
	return line->type.bv_len == strlen(name) &&
	       strncasecmp(line->type.bv_val, name, line->type.bv_len) == 0;
}

/* libldap would follow "attribute:< file:///etc/shadow". */
static bool
is_reference(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon != NULL && colon[1] == '<';
}

/* 0; -1 and why. */
static int
take_line(struct entry **entry, const struct ldif_line *line, char *why,
    size_t why_size)
{
	char attribute[128];

	if (is_type(line, "version") && *entry == NULL)
		return 0;
	if (is_type(line, "changetype") || is_type(line, "control")) {
		(void)snprintf(
		    why, why_size, "a change record; only entries are read");
		return -1;
	}
	if (is_type(line, "dn")) {
		if (*entry != NULL) {
			(void)snprintf(why, why_size, "a second dn");
			return -1;
		}
		*entry = entry_new(line->value.bv_val);
		return *entry != NULL ? 0 : -1;
	}
	if (*entry == NULL || line->type.bv_len >= sizeof(attribute)) {
		(void)snprintf(why, why_size,
		    *entry == NULL ? "an entry begins with its dn"
				   : "the attribute's name is too long");
		return -1;
	}
	memcpy(attribute, line->type.bv_val, line->type.bv_len);
	attribute[line->type.bv_len] = '\0';
	return entry_add(
	    *entry, attribute, line->value.bv_val, line->value.bv_len);
}

/* One record, taken apart in place.  NULL and why, or an empty why for a
 * record without an entry. */
static struct entry *
read_record(char *record, char *why, size_t why_size)
{
	struct entry *entry = NULL;
	struct ldif_line line;
	char *text;

	why[0] = '\0';
	while ((text = ldif_getline(&record)) != NULL) {
		int result = -1;

		memset(&line, 0, sizeof(line));
		if (is_reference(text))
			(void)snprintf(why, why_size,
			    "a value by reference (:<) is refused");
		else if (ldif_parse_line2(text, &line.type, &line.value,
			     &line.is_allocated) != 0)
			(void)snprintf(
			    why, why_size, "not \"attribute: value\"");
		else
			result = take_line(&entry, &line, why, why_size);
		if (line.is_allocated)
			ber_memfree(line.value.bv_val);
		if (result != 0) {
			if (why[0] == '\0')
				(void)snprintf(why, why_size, "out of memory");
			entry_free(entry);
			return NULL;
		}
	}
	return entry;
}

/* libldap would follow "include: file:///etc/shadow", too.  The number of the
 * first such line, or 0. */
static unsigned long
find_include(FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	unsigned long line = 0, found = 0;

	while (found == 0 && getline(&text, &size, file) > 0) {
		line++;
		if (strncasecmp(text, "include:", strlen("include:")) == 0)
			found = line;
	}
	free(text);
	rewind(file);
	return found;
}

int
ldif_read(
    FILE *file, ldif_entry_fn *handle, void *arg, char *why, size_t why_size)
{
	LDIFFP source = {.fp = file, .prev = NULL};
	unsigned long line = 0, first;
	char *record = NULL, what[200];
	int size = 0, result = 0, got = 0;
	struct entry *entry;

	line = find_include(file);
	if (line > 0) {
		(void)snprintf(
		    why, why_size, "line %lu: include is refused", line);
		return -1;
	}
	while (result == 0) {
		first = line + 1;
		got = ldif_read_record(&source, &line, &record, &size);
		if (got <= 0)
			break;
		entry = read_record(record, what, sizeof(what));
		if (entry != NULL)
			result = handle(arg, entry);
		else if (what[0] != '\0')
			result = -1;
		entry_free(entry);
		if (result == -1)
			(void)snprintf(why, why_size, "line %lu: %s", first,
			    what[0] != '\0' ? what : "refused");
	}
	if (got < 0) {
		(void)snprintf(why, why_size, "line %lu: cannot be read", line);
		result = -1;
	}
	ber_memfree(record);
	return result;
}
