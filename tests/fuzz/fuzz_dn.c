/* SPDX-License-Identifier: ISC */
/* Fuzzes distinguished names: their one form is its own one form. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "policy/dn.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *normalised, *again;

	property(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	normalised = dn_normalise(text);
	if (normalised != NULL) {
		for (const char *c = normalised; *c != '\0'; c++)
			property(*c >= ' ' && *c <= '~');
		again = dn_normalise(normalised);
		property(again != NULL);
		property(strcmp(normalised, again) == 0);
		free(again);
	}
	free(normalised);
	free(text);
	return 0;
}
