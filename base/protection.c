/* SPDX-License-Identifier: ISC */
/* How well a session's bytes are protected. */
#include "base/protection.h"

#include <string.h>

#include "base/must.h"

static const struct {
	const char *name;
	uint8_t level;
} protections[PROTECTION_COUNT] = {
    [PROTECTION_NONE] = {"none", 0},
    [PROTECTION_INTEGRITY] = {"integrity", 1},
    [PROTECTION_SELECTIVE] = {"selective", 3},
    [PROTECTION_CONFIDENTIALITY] = {"confidentiality", 2},
};

const char *
protection_name(enum protection protection)
{
	must(protection < PROTECTION_COUNT);
	return protections[protection].name;
}

bool
protection_parse(const char *text, enum protection *protection)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		if (strcmp(text, protections[i].name) == 0) {
			*protection = (enum protection)i;
			return true;
		}
	}
	return false;
}

uint8_t
protection_to_level(enum protection protection)
{
	must(protection < PROTECTION_COUNT);
	return protections[protection].level;
}

bool
protection_from_level(uint8_t level, enum protection *protection)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		if (protections[i].level == level) {
			*protection = (enum protection)i;
			return true;
		}
	}
	return false;
}

bool
protection_satisfies(enum protection granted, enum protection demanded)
{
	if (granted == PROTECTION_SELECTIVE)
		granted = PROTECTION_INTEGRITY;
	return granted >= demanded;
}
