/* SPDX-License-Identifier: ISC */
/* A directory entry as plain data: a DN and its attributes' values. */
#ifndef POLICY_ENTRY_H
#define POLICY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct entry_value {
	size_t len;
	uint8_t *octets; /* NUL follows */
};

struct entry_attribute {
	char *name; /* as the directory writes it, without options */
	size_t count;
	struct entry_value *values;
};

struct entry {
	char *dn;
	size_t count;
	struct entry_attribute *attributes;
};

struct entry *entry_new(const char *dn) must_check;
/* One more value; the attribute's options, if any, are left off.  0 or
 * -ENOMEM; nothing is lost of what was there. */
int entry_add(struct entry *entry, const char *attribute, const void *value,
    size_t len) must_check;
void entry_free(struct entry *entry);

/* Case-insensitive; NULL if the entry has none. */
const struct entry_attribute *
entry_find(const struct entry *entry, const char *attribute);

/* One of its objectClass values is that name. */
bool entry_is_a(const struct entry *entry, const char *class);

/* For links.  *data is malloc'ed.  0; -ENOMEM; -EMSGSIZE if it does not fit
 * into a message. */
int
entry_encode(const struct entry *entry, uint8_t **data, size_t *len) must_check;
/* NULL and errno: EINVAL if it is not what entry_encode writes, ENOMEM. */
struct entry *entry_decode(const void *data, size_t len) must_check;

#endif
