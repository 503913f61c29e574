/* SPDX-License-Identifier: ISC */
/* Who somebody is, for an answer over the control socket: what the directory
 * says now, or what it said before. */
#ifndef GATEWAY_CONTROL_WHO_H
#define GATEWAY_CONTROL_WHO_H

#include <stddef.h>

#include "base/compiler.h"

struct control_who_question;
struct control_world;
struct options;
struct provenance;
struct subject;

struct control_who {
	/* As sessions are judged by; without a DN if there is no such user.
	 * NULL: the directory does not say, and has not said. */
	struct subject *subject;
	/* Where its groups come from; NULL: it is from the cache. */
	struct provenance *provenance;
	char *silence; /* why the directory did not say; "": it did */
};

void control_who_fini(struct control_who *who); /* zeroed is fine */

/* Borrowed for the call, but that who copies the structure and zeroes it has
 * taken what is in it.  The handle is gone. */
typedef void control_who_fn(void *arg, struct control_who *who);

/* Asks about an identity's name.  The callback comes exactly once, never
 * before this has returned, never after the cancel.  NULL and errno: ENOMEM,
 * or EINVAL for a name that is too long. */
struct control_who_question *
control_who_start(const struct control_world *world, const char *name,
    control_who_fn *done, void *arg) must_check;
void
control_who_cancel(struct control_who_question *question); /* NULL is fine */

/*
 * The n-th (from 0) of the subject's groups: `dn` and, but from the cache,
 * `origin` (policy/provenance.h) and, where it was found through another,
 * `through`, which is that one's DN, and its number `through_number`.  Returns
 * the DN, borrowed from `who`.
 */
const char *control_who_add_group(
    struct options *line, const struct control_who *who, size_t n);

#endif
