/* SPDX-License-Identifier: ISC */
/* Looking for `gatewarden --check` at what a directory holds: bases, schema,
 * rules, indexes. */
#ifndef POLICY_LDAP_CHECK_ENTRIES_H
#define POLICY_LDAP_CHECK_ENTRIES_H

#include <ldap.h>

struct findings;
struct options;

/*
 * Over a bound connection to that server; blocks.  What may not be read is not
 * judged: OpenLDAP shows its indexes (cn=config) to those only whom it was
 * told to; Active Directory shows them to everybody who may read anything.
 */
void check_entries(LDAP *ld, const char *uri, const struct options *options,
    struct findings *findings);

#endif
