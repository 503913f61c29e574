/* SPDX-License-Identifier: ISC */
/* Distinguished names (RFC 4514) in one form, so that equal ones compare
 * equal. */
#ifndef POLICY_DN_H
#define POLICY_DN_H

#include <stdbool.h>

#include "base/compiler.h"

/*
 * One form for equal DNs, without a schema: RFC 4514 escapes are read and
 * written in one way, attribute types and values in lower case (ASCII),
 * spaces around separators dropped, runs of spaces in values made one, the
 * pairs of a multi-valued RDN sorted.  The result is printable ASCII and
 * still an RFC 4514 string of the same entry.  malloc'ed; NULL if it is not a
 * DN (errno EINVAL) or no memory (ENOMEM).
 */
char *dn_normalise(const char *dn) must_check;

/* Whether an entry is `base` or below it; both are normalised. */
bool dn_is_inside(const char *dn, const char *base);

#endif
