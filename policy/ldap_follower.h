/* SPDX-License-Identifier: ISC */
/* What the child of a reading does: reads the rules, follows the directory,
 * and reports. */
#ifndef POLICY_LDAP_FOLLOWER_H
#define POLICY_LDAP_FOLLOWER_H

#include "base/compiler.h"

struct reading_source;

/*
 * Reports are frames: a 32-bit length, a type, and as many octets as the
 * length says less one.
 */
enum follower_report {
	FOLLOWER_SET = 1,  /* the set */
	FOLLOWER_LIVE,	   /* text: how changes are followed */
	FOLLOWER_POLLED,   /* text: why they are not */
	FOLLOWER_ALIVE,	   /* nothing */
	FOLLOWER_SUBJECTS, /* nothing */
	FOLLOWER_BUSY,	   /* nothing: at work, no deadline has passed */
	FOLLOWER_FAILED	   /* text: why; the last */
};

/* Reports to fd until it fails, or, where changes are not followed, until
 * all is said; may block for ever. */
_Noreturn void follower_run(const struct reading_source *source, int fd);

#endif
