/* SPDX-License-Identifier: ISC */
/* All rules and sets at once, out of the directory or a file. */
#include "policy/ldap_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "policy/entry.h"
#include "policy/ldap_file.h"
#include "policy/ldap_search.h"
#include "policy/rule_set_stream.h"

#define RULES_FILTER "(|(objectClass=gwRule)(objectClass=gwDestinations))"

struct record {
	uint8_t *data;
	size_t len;
};

struct output {
	struct record *records;
	size_t count, size;
	size_t octets;
	size_t rules;
	char refused[256]; /* the DN of the entry that ended the reading */
};

static bool
has_room(struct output *output)
{
	size_t size = output->size == 0 ? 64 : output->size * 2;
	struct record *grown;

	if (output->count < output->size)
		return true;
	grown = reallocarray(output->records, size, sizeof(*grown));
	if (grown == NULL)
		return false;
	output->records = grown;
	output->size = size;
	return true;
}

static int
add_record(struct output *output, const struct entry *entry)
{
	struct record *record;
	int result;

	if (!has_room(output))
		return DIRECTORY_ERRNO(ENOMEM);
	record = &output->records[output->count];
	result = entry_encode(entry, &record->data, &record->len);
	if (result != 0)
		return DIRECTORY_ERRNO(-result);
	output->octets += sizeof(uint32_t) + record->len;
	output->rules += entry_is_a(entry, "gwRule");
	if (++output->count > RULE_SET_ENTRIES_MAX ||
	    output->octets > RULE_SET_OCTETS_MAX)
		return DIRECTORY_ERRNO(E2BIG);
	return 0;
}

static int
put_entry(void *arg, const struct entry *entry)
{
	struct output *output = arg;
	int result = add_record(output, entry);

	if (result != 0)
		(void)snprintf(output->refused, sizeof(output->refused),
		    "%s: ", entry->dn);
	return result;
}

static int
add_value(void *arg, const char *attribute, const struct berval *value)
{
	int result = entry_add(arg, attribute, value->bv_val, value->bv_len);

	return result == 0 ? 0 : DIRECTORY_ERRNO(-result);
}

static int
put_message(void *arg, LDAP *ld, LDAPMessage *message)
{
	struct output *output = arg;
	char *dn = ldap_get_dn(ld, message);
	struct entry *entry = dn != NULL ? entry_new(dn) : NULL;
	int result = DIRECTORY_ERRNO(ENOMEM);

	if (entry != NULL)
		result = directory_values(ld, message, add_value, entry);
	if (result == 0)
		result = put_entry(output, entry);
	else if (dn != NULL)
		(void)snprintf(
		    output->refused, sizeof(output->refused), "%s: ", dn);
	ldap_memfree(dn);
	entry_free(entry);
	return result;
}

static int
read_directory(LDAP *ld, const struct rules_query *query, struct output *output,
    char why[RULES_WHY_SIZE])
{
	const struct directory_query search = {
	    .base = query->rule_base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .filter = RULES_FILTER,
	    .timeout_s = query->timeout_s,
	    .must_be_whole = true,
	    .entry = put_message,
	    .arg = output,
	};
	int result = directory_search(ld, &search);

	if (result != 0)
		(void)snprintf(why, RULES_WHY_SIZE, "reading %s: %s%s",
		    query->rule_base, output->refused, directory_error(result));
	return result;
}

static int
read_file(const char *path, struct output *output, char why[RULES_WHY_SIZE])
{
	char what[512] = "";
	FILE *file = strcmp(path, RULES_STDIN) == 0
			 ? fdopen(dup(STDIN_FILENO), "r")
			 : fopen(path, "re");
	int result;

	if (file == NULL) {
		(void)snprintf(
		    why, RULES_WHY_SIZE, "%s: %s", path, strerror(errno));
		return -1;
	}
	result = ldif_read(file, put_entry, output, what, sizeof(what));
	(void)fclose(file);
	if (result != 0 && what[0] != '\0')
		(void)snprintf(why, RULES_WHY_SIZE, "%s:%s", path, what);
	else if (result != 0)
		(void)snprintf(why, RULES_WHY_SIZE, "%s: %s%s", path,
		    output->refused, directory_error(result));
	return result;
}

static bool
read_source(LDAP *ld, const struct rules_query *query, struct output *output,
    char why[RULES_WHY_SIZE])
{
	bool is_file = *query->file != '\0';

	if ((is_file ? read_file(query->file, output, why)
		     : read_directory(ld, query, output, why)) != 0)
		return false;
	if (output->rules == 0 && !query->allow_empty) {
		(void)snprintf(why, RULES_WHY_SIZE,
		    "%s: there is no rule at all (policy.allow_empty)",
		    is_file ? query->file : query->rule_base);
		return false;
	}
	return true;
}

/* Servers give entries in any order, and equal sets are to be equal. */
static int
compare(const void *a, const void *b)
{
	const struct record *left = a, *right = b;
	size_t shorter = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->data, right->data, shorter);

	return order != 0 ? order
			  : (left->len > right->len) - (left->len < right->len);
}

static uint8_t *
join(struct output *output, size_t *len)
{
	/* Never nothing, which malloc may answer with NULL. */
	uint8_t *set = malloc(output->octets + 1);
	struct wire_writer writer;

	if (set == NULL)
		return NULL;
	if (output->count > 1)
		qsort(output->records, output->count, sizeof(struct record),
		    compare);
	wire_writer_init(&writer, set, output->octets);
	for (size_t i = 0; i < output->count; i++)
		wire_put_counted(
		    &writer, output->records[i].data, output->records[i].len);
	*len = writer.len;
	return set;
}

static void
output_fini(struct output *output)
{
	for (size_t i = 0; i < output->count; i++)
		free(output->records[i].data);
	free(output->records);
}

uint8_t *
rules_read(LDAP *ld, const struct rules_query *query, size_t *len,
    char why[RULES_WHY_SIZE])
{
	struct output output = {.records = NULL};
	uint8_t *set = NULL;

	if (read_source(ld, query, &output, why)) {
		set = join(&output, len);
		if (set == NULL)
			(void)snprintf(why, RULES_WHY_SIZE, "out of memory");
	}
	output_fini(&output);
	return set;
}
