/* SPDX-License-Identifier: ISC */
/* Fuzzes principals' patterns: a line with the pattern, and a name. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/identity.h"
#include "policy/principal.h"

static void
check_match(const char *pattern, const char *name)
{
	const char *pattern_at = strrchr(pattern, '@');
	const char *name_at = strrchr(name, '@');

	if (strchr(pattern, '*') == NULL) {
		property(principal_matches(pattern, name) ==
			 (strcmp(pattern, name) == 0));
		return;
	}
	if (!principal_matches(pattern, name))
		return;
	/* Whatever the stars stand for, the realm is the pattern's. */
	property(pattern_at != NULL && name_at != NULL);
	property(strcmp(pattern_at, name_at) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pattern = malloc(size + 1);
	char *name;

	property(pattern != NULL);
	if (size > 0)
		memcpy(pattern, data, size);
	pattern[size] = '\0';
	name = strchr(pattern, '\n');
	if (name != NULL)
		*name++ = '\0';
	if (principal_is_pattern(pattern)) {
		property(identity_name_is_valid(pattern, strlen(pattern)));
		if (strchr(pattern, '*') == NULL)
			property(principal_matches(pattern, pattern));
		if (name != NULL && identity_name_is_valid(name, strlen(name)))
			check_match(pattern, name);
	}
	free(pattern);
	return 0;
}
