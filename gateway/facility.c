/* SPDX-License-Identifier: ISC */
/* The syslog facilities that records may have. */
#include "gateway/facility.h"

#include <string.h>

static const struct {
	const char *name;
	int number;
} facilities[] = {
    {"auth", 4},
    {"authpriv", 10},
    {"daemon", 3},
    {"local0", 16},
    {"local1", 17},
    {"local2", 18},
    {"local3", 19},
    {"local4", 20},
    {"local5", 21},
    {"local6", 22},
    {"local7", 23},
};

bool
facility_parse(const char *text, int *facility)
{
	for (size_t i = 0; i < ARRAY_COUNT(facilities); i++) {
		if (strcmp(text, facilities[i].name) == 0) {
			*facility = facilities[i].number;
			return true;
		}
	}
	return false;
}
