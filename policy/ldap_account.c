/* SPDX-License-Identifier: ISC */
/* Whether an account is good, by its entry in the directory. */
#include "policy/ldap_account.h"

#include "policy/ldap_search.h"

static int
on_match(void *arg, LDAP *ld, LDAPMessage *entry)
{
	bool *is_good = arg;

	(void)ld;
	(void)entry;
	*is_good = true;
	return 0;
}

int
account_check(LDAP *ld, const char *dn, const char *filter, unsigned timeout_s,
    bool *is_good)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	const struct directory_query query = {
	    .base = dn,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = filter,
	    .attributes = nothing,
	    .timeout_s = timeout_s,
	    .entry = on_match,
	    .arg = is_good,
	};
	int result;

	*is_good = *filter == '\0';
	if (*is_good)
		return 0;
	result = directory_search(ld, &query);
	return result == LDAP_NO_SUCH_OBJECT ? 0 : result;
}
