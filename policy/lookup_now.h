/* SPDX-License-Identifier: ISC */
/*
 * What the directory says now, of a user or of an entry: for people who want
 * to know why, and not for sessions.
 *
 * Links of their own to the directory-lookup programs.  Nothing is taken from
 * the subject cache, nothing is put there.
 */
#ifndef POLICY_LOOKUP_NOW_H
#define POLICY_LOOKUP_NOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct lookup_now;
struct lookup_now_question;
struct provenance;
struct subject;

/* NULL without memory.  timeout_ms is what each question may take. */
struct lookup_now *
lookup_now_new(struct event_base *base, unsigned timeout_ms) must_check;
void lookup_now_free(struct lookup_now *now); /* NULL is fine */

/* A link to directory-lookup `index` was made (anew); fd taken. */
void lookup_now_link(struct lookup_now *now, uint32_t index, int fd);

/* All of it is borrowed for the call, but that a callee who sets `subject` or
 * `provenance` to NULL has taken it. */
struct lookup_now_answer {
	const char *why; /* the directory did not say; "": it did */
	/* Of a user; without a DN if there is none. */
	struct subject *subject;
	struct provenance *provenance; /* of the subject's groups */
	bool is_there;		       /* of an entry: and we may see it */
};

/* The handle is gone. */
typedef void lookup_now_done_fn(void *arg, struct lookup_now_answer *answer);

/*
 * Asks for the subject of an identity's name and where its groups come from;
 * or whether there is an entry of that DN.  The callback comes exactly once,
 * never before this has returned, never after the cancel.  NULL and errno:
 * ENOMEM, or EINVAL for what is too long to be asked.
 */
struct lookup_now_question *lookup_now_user(struct lookup_now *now,
    const char *name, lookup_now_done_fn *done, void *arg) must_check;
struct lookup_now_question *lookup_now_entry(struct lookup_now *now,
    const char *dn, lookup_now_done_fn *done, void *arg) must_check;
void lookup_now_cancel(struct lookup_now_question *question); /* NULL is fine */

#endif
