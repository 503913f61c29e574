/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes rules in an LDIF file: what is read are rules and sets, whole, and
 * what is refused is refused with one of the file's lines.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/ldap_file.h"

static void
check_encoding(const struct entry *entry)
{
	struct entry *again;
	uint8_t *data;
	size_t len;

	if (entry_encode(entry, &data, &len) != 0)
		return;
	again = entry_decode(data, len);
	property(again != NULL && strcmp(again->dn, entry->dn) == 0);
	property(again->count == entry->count);
	entry_free(again);
	free(data);
}

static int
on_entry(void *arg, const struct entry *entry)
{
	unsigned *entries = arg;

	property(entry->dn[0] != '\0');
	property(
	    entry_is_a(entry, "gwRule") || entry_is_a(entry, "gwDestinations"));
	property(entry_find(entry, "changetype") == NULL);
	check_encoding(entry);
	/* The fifth is one too many. */
	return ++*entries < 5 ? 0 : -E2BIG;
}

static unsigned long
count_lines(const uint8_t *data, size_t size)
{
	unsigned long count = 1;

	for (size_t i = 0; i < size; i++)
		count += data[i] == '\n';
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char copy[65536], why[256] = "", *end;
	unsigned entries = 0;
	unsigned long line;
	FILE *file;
	int result;

	if (size == 0 || size > sizeof(copy))
		return 0;
	memcpy(copy, data, size);
	file = fmemopen(copy, size, "r");
	property(file != NULL);
	result = ldif_read(file, on_entry, &entries, why, sizeof(why));
	fclose(file);
	property(result == 0 || result == -1 || result == -E2BIG);
	property((result == -E2BIG) == (entries == 5));
	property((why[0] != '\0') == (result == -1));
	if (result != -1)
		return 0;
	line = strtoul(why, &end, 10);
	property(strncmp(end, ": ", 2) == 0);
	property(line >= 1 && line <= count_lines(data, size));
	return 0;
}
