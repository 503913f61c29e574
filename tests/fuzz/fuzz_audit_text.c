/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes lines of a log: what is a record prints to one that reads back the
 * same.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/audit_text.h"

static void
print(const struct audit_text *text, char out[AUDIT_RECORD_MAX])
{
	struct audit_stamp stamp = {
	    .sd_id = text->sd_id,
	    .instance = text->instance,
	    .boot_id = text->boot_id,
	    .sequence = text->sequence,
	    .delayed = text->delayed,
	};

	(void)audit_record_print(&text->record, &stamp, out);
}

static void
look(void *arg, const char *name, const char *value)
{
	*(size_t *)arg += strlen(name) + strlen(value);
}

/* More than a record has room for would not print. */
#define SIZE_MAX_PRINTED 6000

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char once[AUDIT_RECORD_MAX], twice[AUDIT_RECORD_MAX], at[33];
	struct audit_text text, again;
	const char *why;
	enum audit_text_result result =
	    audit_text_parse((const char *)data, size, &text, &why, at);

	size_t octets = 0;
	bool is_whole =
	    audit_text_each((const char *)data, size, look, &octets);

	property((result == AUDIT_TEXT_RECORD) == (why == NULL));
	property(result != AUDIT_TEXT_RECORD || is_whole);
	property(octets <= size);
	if (result != AUDIT_TEXT_RECORD || size > SIZE_MAX_PRINTED)
		return 0;
	print(&text, once);
	property(audit_text_parse(once, strlen(once), &again, &why, at) ==
		 AUDIT_TEXT_RECORD);
	print(&again, twice);
	property(again.is_cut || strcmp(once, twice) == 0);
	return 0;
}
