/* SPDX-License-Identifier: ISC */
/* Rules out of an LDIF file, where there is no directory for them yet. */
#ifndef POLICY_LDAP_FILE_H
#define POLICY_LDAP_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

struct entry;

/* What to do with each entry (borrowed): 0, or anything else to stop. */
typedef int ldif_entry_fn(void *arg, const struct entry *entry);

/*
 * Reads every entry of class gwRule or gwDestinations of an LDIF file (RFC
 * 2849) and passes over the others.  Refused are change records, values by
 * reference (`:<`), includes, and what looks like a rule that lost its class.
 * 0; what the callback returned; or -1 with "LINE: what is wrong" in why.
 */
int ldif_read(FILE *file, ldif_entry_fn *entry, void *arg, char *why,
    size_t why_size) must_check;

#endif
