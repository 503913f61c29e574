/* SPDX-License-Identifier: ISC */
/*
 * What a receiver makes of a record: structured data of RFC 5424.  Written
 * apart from what prints it.
 */
#ifndef TESTS_SUPPORT_STRUCTURED_DATA_H
#define TESTS_SUPPORT_STRUCTURED_DATA_H

#include <stdbool.h>
#include <stddef.h>

#define STRUCTURED_DATA_PARAMS_MAX 40
#define STRUCTURED_DATA_VALUE_MAX  8192

struct structured_data {
	char id[33];
	size_t count;
	char names[STRUCTURED_DATA_PARAMS_MAX][33];
	/* Without the escapes of RFC 5424 section 6.3.3. */
	char values[STRUCTURED_DATA_PARAMS_MAX][STRUCTURED_DATA_VALUE_MAX];
};

/*
 * Reads one SD-ELEMENT of section 6.3 from the beginning of text; *len is
 * how long it is.  False if it is none, or a name stands there twice.
 */
bool structured_data_parse(
    const char *text, size_t *len, struct structured_data *data);

/* NULL if there is no such parameter. */
const char *
structured_data_value(const struct structured_data *data, const char *name);

/* The text that a line of JSON has under a name, its escapes undone; false
 * if there is none. */
bool json_text(const char *line, const char *name, char *out, size_t size);

#endif
