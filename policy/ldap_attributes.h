/* SPDX-License-Identifier: ISC */
/* Which attributes of users and groups decide who somebody is. */
#ifndef POLICY_LDAP_ATTRIBUTES_H
#define POLICY_LDAP_ATTRIBUTES_H

#include <stddef.h>

#include "base/compiler.h"

/*
 * Those that membership and accounts are known by, and those that the filters
 * name; each once.  NULL ends the list and each text is malloc'ed.  Dies
 * without memory.
 */
char **
attributes_that_matter(const char *const *filters, size_t count) must_check;
void attributes_free(char **attributes); /* NULL is fine */

#endif
