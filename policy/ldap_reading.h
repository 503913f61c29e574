/* SPDX-License-Identifier: ISC */
/*
 * One reading of all rules, from the directory or from a file, in a child
 * process: libldap may block, and the one who asks may not.
 */
#ifndef POLICY_LDAP_READING_H
#define POLICY_LDAP_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct directory_settings;
struct event_base;
struct reading;

struct reading_source {
	const char *file; /* an LDIF file; "": the directory */
	struct directory_settings *directory;
	const char *rule_base;
	bool allow_empty;    /* a set without any rule is no failure */
	unsigned deadline_s; /* then the child is killed */
};

/*
 * *set is malloc'ed and the callee's (see rule_set_stream.h); NULL if the
 * reading failed, and `why` says how.  The handle is gone.
 */
typedef void
reading_done_fn(void *arg, uint8_t *set, size_t len, const char *why);

/* The source is borrowed for the call.  The callback comes exactly once,
 * never before this has returned, never after the cancel.  NULL and errno. */
struct reading *
reading_start(struct event_base *base, const struct reading_source *source,
    reading_done_fn *done, void *arg) must_check;
void reading_cancel(struct reading *reading); /* NULL is fine */

#endif
