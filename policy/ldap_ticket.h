/* SPDX-License-Identifier: ISC */
/* A Kerberos ticket for ourselves, out of a keytab, for SASL's GSSAPI. */
#ifndef POLICY_LDAP_TICKET_H
#define POLICY_LDAP_TICKET_H

#include <stddef.h>

#include "base/compiler.h"

/* Where SASL looks for tickets from now on: in this program's memory. */
void ticket_export(void);

/*
 * Asks the KDC for a ticket of `principal` ("": the first in the keytab).
 * Blocks.  0; or -1 and a sentence in why.
 */
int ticket_get(const char *keytab, const char *principal, char *why,
    size_t why_size) must_check;

#endif
