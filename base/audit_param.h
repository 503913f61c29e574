/* SPDX-License-Identifier: ISC */
/* The parameters of a record in a log: which there are, and what their values
 * say. */
#ifndef BASE_AUDIT_PARAM_H
#define BASE_AUDIT_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/audit_record.h"
#include "base/compiler.h"

#define AUDIT_PARAMS_MAX 64
/* Of any value, as its octets were. */
#define AUDIT_VALUE_MAX (AUDIT_DETAIL_SIZE - 1)

struct audit_text;

/* A value's octets: they end in NUL, but may hold others. */
struct audit_value {
	size_t len;
	char text[AUDIT_VALUE_MAX + 1];
};

/* Its number, below AUDIT_PARAMS_MAX; -1: there is none of that name. */
int audit_param_find(const char *name) must_check;

/* Is its value a number, whole and not below zero? */
bool audit_param_is_number(int number) must_check;

/* What the value says of the record, into text; false if it is none that the
 * parameter has. */
bool audit_param_store(int number, const struct audit_value *value,
    struct audit_text *text) must_check;

#endif
