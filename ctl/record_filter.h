/* SPDX-License-Identifier: ISC */
/* Which audit records an administrator wants to see. */
#ifndef CTL_RECORD_FILTER_H
#define CTL_RECORD_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/outcome.h"

struct audit_text;

#define RECORD_CONDITIONS_MAX 32

struct record_condition {
	char name[33];
	const char *pattern; /* borrowed */
};

/* All must hold; zeros: any record. */
struct record_filter {
	uint64_t since_us, until_us; /* until: not any more; 0: no end */
	size_t count;
	struct record_condition conditions[RECORD_CONDITIONS_MAX];
};

/* "name=pattern": a parameter of gatewarden-audit(7), and its value, where *, ?
 * and [...] stand for others.  Not OUTCOME_OK: said. */
enum outcome
record_filter_add(struct record_filter *filter, const char *text) must_check;
/* The same for a moment, of the records since or until then. */
enum outcome record_filter_since(
    struct record_filter *filter, const char *moment) must_check;
enum outcome record_filter_until(
    struct record_filter *filter, const char *moment) must_check;

/* `text` is what audit_text_parse has made of the message. */
bool record_filter_takes(const struct record_filter *filter,
    const char *message, size_t len, const struct audit_text *text) must_check;

#endif
