/* SPDX-License-Identifier: ISC */
/* The groups of a DN, and the groups that those are in. */
#ifndef POLICY_LDAP_GROUPS_H
#define POLICY_LDAP_GROUPS_H

#include <stdbool.h>

#include <ldap.h>

#include "base/compiler.h"
#include "policy/ldap_connection.h"

struct account;
struct provenance;
struct subject;

struct groups_settings {
	char *base; /* "": only memberOf is followed */
	/* A template: %d is the member's DN; %u is a name that the user's entry
	 * has in uid, and stands for nothing where the member is a group. */
	char *filter;
	char *inside; /* normalised: DNs elsewhere are none of this directory's
		       * to give; NULL: all are */
	bool member_of;
	/* The filter finds groups of groups by itself (LDAP_MATCHING_RULE_IN_
	 * CHAIN, MS-ADTS 3.1.1.3.4.4.3). */
	bool is_in_chain;
	bool primary_group;
	unsigned nesting_max;
	unsigned groups_max;
	unsigned timeout_s; /* for each answer */
};

/*
 * Adds to `subject` (and finishes it) every group that has `dn`, whose account
 * this is, for a member, directly or through groups; a loop of groups ends by
 * itself.  `provenance` gets where each comes from, which costs more questions;
 * NULL: nobody wants to know.  0, or what directory_error explains; E2BIG (more
 * than groups_max) and ELOOP (deeper than nesting_max) come with a sentence in
 * why.
 */
int groups_find(LDAP *ld, const struct groups_settings *settings,
    struct subject *subject, const char *dn, const struct account *account,
    struct provenance *provenance, char why[DIRECTORY_WHY_SIZE]) must_check;

#endif
