/* SPDX-License-Identifier: ISC */
/* What the directory knows of an identity: its DN and its groups' DNs. */
#ifndef POLICY_SUBJECT_H
#define POLICY_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * DNs are held normalised (dn_normalise), groups sorted by strcmp, nested
 * membership resolved.  Immutable, shared between threads.
 */
struct subject {
	char *dn; /* NULL: the directory has no such user */
	size_t count;
	char **groups;
};

struct subject *subject_new(const char *dn) must_check;
int subject_add_group(struct subject *subject, const char *dn) must_check;
void subject_finish(struct subject *subject); /* sorts, drops doubles */
bool subject_is_member(const struct subject *subject, const char *group);

struct subject *subject_ref(struct subject *subject);
void subject_unref(struct subject *subject);

/*
 * One form for equal DNs, without a schema: RFC 4514 escapes are read and
 * written in one way, attribute types and values in lower case (ASCII),
 * spaces around separators dropped, runs of spaces in values made one.
 * malloc'ed; NULL if it is not a DN (errno EINVAL) or no memory (ENOMEM).
 */
char *dn_normalise(const char *dn) must_check;

#endif
