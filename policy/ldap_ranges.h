/* SPDX-License-Identifier: ISC */
/* An attribute that comes in ranges of its values (Active Directory). */
#ifndef POLICY_LDAP_RANGES_H
#define POLICY_LDAP_RANGES_H

#include <ldap.h>

#include "base/compiler.h"
#include "policy/ldap_search.h"

/*
 * The values of one attribute of the entry `dn`, in as many questions as the
 * server wants ("memberOf;range=0-1499", MS-ADTS 3.1.1.3.1.3.3).  0 (also if
 * there are none); an LDAP result code; EPROTO for ranges that do not follow
 * each other; or what the callback returned.
 */
int directory_read(LDAP *ld, const char *dn, const char *attribute,
    unsigned timeout_s, directory_value_fn *value, void *arg) must_check;

#endif
