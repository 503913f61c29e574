/* SPDX-License-Identifier: ISC */
/* Whether an account is good, by its entry in the directory. */
#ifndef POLICY_LDAP_ACCOUNT_H
#define POLICY_LDAP_ACCOUNT_H

#include <stdbool.h>

#include <ldap.h>

#include "base/compiler.h"

/*
 * *is_good: the entry `dn` matches the filter ("": any entry does).  One that
 * is gone meanwhile matches none, and so does one of which the server does
 * not know (an attribute that its schema lacks makes a filter undefined, RFC
 * 4511 section 4.5.1.7).  0, or what directory_error explains.
 */
int account_check(LDAP *ld, const char *dn, const char *filter,
    unsigned timeout_s, bool *is_good) must_check;

#endif
