/* SPDX-License-Identifier: ISC */
/* What a user's entry says of the account: whether it is good, and what else
 * groups know it by. */
#ifndef POLICY_LDAP_ACCOUNT_H
#define POLICY_LDAP_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include <ldap.h>

#include "base/compiler.h"
#include "policy/sid.h"

#define ACCOUNT_NAMES_MAX 16 /* values of uid */

struct account {
	bool is_good;
	size_t name_count;
	char *names[ACCOUNT_NAMES_MAX]; /* of posixGroup's memberUid */
	/* Finds the group of primaryGroupID (Active Directory); "": none. */
	char primary_group[SID_FILTER_SIZE];
};

/*
 * Reads the entry `dn`.  is_good: it matches the filter ("": any entry does).
 * One that is gone meanwhile matches none, and so does any where the server
 * does not know what the filter asks for (RFC 4511 section 4.5.1.7).  0, or
 * what directory_error explains.  account_fini is due in any case.
 */
int account_read(LDAP *ld, const char *dn, const char *filter,
    unsigned timeout_s, struct account *account) must_check;
void account_fini(struct account *account);

#endif
