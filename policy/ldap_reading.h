/* SPDX-License-Identifier: ISC */
/*
 * One reading of all rules, from the directory or from a file, in a child
 * process: libldap may block, and the one who asks may not.  Where the server
 * tells of its changes, the child stays and reads again whenever there are
 * any.
 */
#ifndef POLICY_LDAP_READING_H
#define POLICY_LDAP_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "policy/ldap_feed.h"

struct directory_settings;
struct event_base;
struct reading;

struct reading_source {
	const char *file; /* an LDIF file; "": the directory */
	struct directory_settings *directory;
	struct feed_settings feed; /* what is followed; its first base is the
				    * rules' */
	bool allow_empty;	   /* a set without any rule is no failure */
	unsigned reread_s;   /* between readings that no change asks for */
	unsigned deadline_s; /* for each step; then the child is killed */
};

/* What a reading says; texts and sets are borrowed. */
struct reading_events {
	/* A whole set (rule_set_stream.h): the first, or one after a change. */
	void (*set)(void *arg, const uint8_t *set, size_t len);
	/* How changes are followed, or why they are not. */
	void (*how)(void *arg, bool is_live, const char *how);
	/* Changes are still followed, and none has come. */
	void (*alive)(void *arg);
	/* What users are, or who is in which group, may have changed. */
	void (*subjects)(void *arg);
	/* The last, the handle is gone: `why` it failed, "" if it has just
	 * ended. */
	void (*ended)(void *arg, const char *why);
};

/* The source is borrowed for the call, `events` for longer.  No event comes
 * before this has returned or after the cancel.  NULL and errno. */
struct reading *
reading_start(struct event_base *base, const struct reading_source *source,
    const struct reading_events *events, void *arg) must_check;
void reading_cancel(struct reading *reading); /* NULL is fine */

#endif
