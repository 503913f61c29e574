/* SPDX-License-Identifier: ISC */
/* Which attributes of users and groups decide who somebody is. */
#include "policy/ldap_attributes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"

#define NAMES_MAX 64
#define NAME_MAX  64

/* Membership, accounts' states, and what Active Directory knows an entry by. */
static const char *const always[] = {
    "member",
    "uniqueMember",
    "memberUid",
    "memberOf",
    "primaryGroupID",
    "uid",
    "krbPrincipalName",
    "userPrincipalName",
    "sAMAccountName",
    "pwdAccountLockedTime",
    "pwdEndTime",
    "userAccountControl",
    "accountExpires",
    "nsAccountLock",
    "krbPrincipalExpiration",
    "shadowExpire",
    "objectGUID",
};

/* Takes as many of them as there is room for: who names more is told of all
 * by cache_ttl. */
static void
add(char **names, const char *name, size_t len)
{
	size_t count = 0;

	for (; names[count] != NULL; count++)
		if (strncasecmp(names[count], name, len) == 0 &&
		    names[count][len] == '\0')
			return;
	if (count == NAMES_MAX || len == 0 || len > NAME_MAX)
		return;
	names[count] = must_alloc(len + 1, 1);
	memcpy(names[count], name, len);
}

/* What stands between a parenthesis and a comparison (RFC 4515); options and
 * matching rules are no part of a name. */
static void
add_filter(char **names, const char *filter)
{
	while ((filter = strchr(filter, '(')) != NULL) {
		filter++;
		add(names, filter, strcspn(filter, "=<>~:;&|!()* "));
	}
}

char **
attributes_that_matter(const char *const *filters, size_t count)
{
	char **names = must_alloc(NAMES_MAX + 1, sizeof(*names));

	for (size_t i = 0; i < ARRAY_COUNT(always); i++)
		add(names, always[i], strlen(always[i]));
	for (size_t i = 0; i < count; i++)
		add_filter(names, filters[i]);
	return names;
}

void
attributes_free(char **attributes)
{
	for (size_t i = 0; attributes != NULL && attributes[i] != NULL; i++)
		free(attributes[i]);
	free(attributes);
}
