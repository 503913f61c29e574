/* SPDX-License-Identifier: ISC */
/* Fuzzes entries as they come over a link: what is read is written so that
 * it reads the same. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "policy/entry.h"

static void
check_values(const struct entry_attribute *a, const struct entry_attribute *b)
{
	property(strcmp(a->name, b->name) == 0 && a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		property(a->values[i].len == b->values[i].len);
		property(memcmp(a->values[i].octets, b->values[i].octets,
			     a->values[i].len + 1) == 0);
	}
}

static void
check_same(const struct entry *a, const struct entry *b)
{
	property(strcmp(a->dn, b->dn) == 0 && a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		check_values(&a->attributes[i], &b->attributes[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry *entry, *again;
	uint8_t *encoded;
	size_t len;

	errno = 0;
	entry = entry_decode(data, size);
	if (entry == NULL) {
		property(errno == EINVAL);
		return 0;
	}
	for (size_t i = 0; i < entry->count; i++)
		property(entry_find(entry, entry->attributes[i].name) != NULL);
	property(entry_encode(entry, &encoded, &len) == 0);
	property(len <= size);
	again = entry_decode(encoded, len);
	property(again != NULL);
	check_same(entry, again);
	entry_free(again);
	free(encoded);
	entry_free(entry);
	return 0;
}
