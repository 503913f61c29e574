/* SPDX-License-Identifier: ISC */
/* What a program gives up: its user, new privileges, core dumps. */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* "name" or a numeric uid (its group is the same number if unknown).
 * 0 or -errno (-ENOENT). */
int sandbox_user_find(const char *text, struct sandbox_user *user) must_check;

/* Becomes that user for good, no supplementary groups; does nothing when not
 * root.  0 or -errno. */
int sandbox_become(const struct sandbox_user *user) must_check;

/*
 * Sets no_new_privs (unless may_gain: then set-uid programs work that are
 * executed from here), not dumpable, RLIMIT_CORE 0, ignores SIGPIPE.  0 or
 * -errno.
 */
int sandbox_enter(bool may_gain) must_check;

#endif
