/* SPDX-License-Identifier: ISC */
/* What the directory knows of an identity: its DN and its groups' DNs. */
#ifndef POLICY_SUBJECT_H
#define POLICY_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "policy/dn.h"

/*
 * DNs are held normalised (dn_normalise), groups sorted by strcmp, nested
 * membership resolved.  Immutable, shared between threads.
 */
struct subject {
	char *dn; /* NULL: the directory has no such user */
	size_t count;
	char **groups;
	/* The account is disabled, locked or deleted: nothing is permitted,
	 * whatever the rules say.  Set before anybody else holds it. */
	bool is_disabled;
};

/* Normalises.  NULL and errno: ENOMEM, or EINVAL if dn is not a DN. */
struct subject *subject_new(const char *dn) must_check;
/* Normalises.  0, -EINVAL if dn is not a DN, or -ENOMEM. */
int subject_add_group(struct subject *subject, const char *dn) must_check;
/* Of a subject without groups. */
void subject_move_groups(struct subject *to, struct subject *from);
void subject_finish(struct subject *subject); /* sorts, drops doubles */
/* Of a group of the subject, by its normalised DN; `count` if it is none. */
size_t subject_find(const struct subject *subject, const char *group);
/* `group` is normalised. */
bool subject_is_member(const struct subject *subject, const char *group);

struct subject *subject_ref(struct subject *subject);
void subject_unref(struct subject *subject); /* NULL is fine */

#endif
