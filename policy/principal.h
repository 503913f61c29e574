/* SPDX-License-Identifier: ISC */
/* Patterns of Kerberos principals: the values of gwPrincipal. */
#ifndef POLICY_PRINCIPAL_H
#define POLICY_PRINCIPAL_H

#include <stdbool.h>

#include "base/compiler.h"

/*
 * A pattern is a principal as krb5 prints it, with its escapes, compared
 * octet by octet.  In it a star stands for whole components before the @:
 *
 *	alice@REALM	this principal
 *	*@REALM		every principal of the realm, of any components
 *	{*}/admin@REALM	two components, the second is "admin"
 *	host/{*}@REALM	two components, the first is "host"
 *
 * (where {*} is the star).  The realm is always written out.  A name with no
 * @ or more than one is matched by the same name only.
 */
bool principal_is_pattern(const char *text) must_check;
bool principal_matches(const char *pattern, const char *name);

#endif
