/* SPDX-License-Identifier: ISC */
/* What a user's entry says of the account: whether it is good, and what else
 * groups know it by. */
#include "policy/ldap_account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/ldap_search.h"

struct reading {
	struct account *account;
	bool has_sid, has_group;
	size_t sid_len;
	uint8_t sid[SID_SIZE];
	uint32_t group;
};

/* A name with NUL inside would be asked for as another, shorter one. */
static int
take_name(struct reading *reading, const struct berval *value)
{
	struct account *account = reading->account;

	if (value->bv_len == 0 ||
	    memchr(value->bv_val, '\0', value->bv_len) != NULL)
		return 0;
	if (account->name_count == ACCOUNT_NAMES_MAX)
		return DIRECTORY_ERRNO(E2BIG);
	account->names[account->name_count] =
	    strndup(value->bv_val, value->bv_len);
	if (account->names[account->name_count] == NULL)
		return DIRECTORY_ERRNO(ENOMEM);
	account->name_count++;
	return 0;
}

static int
take_sid(struct reading *reading, const struct berval *value)
{
	if (value->bv_len > sizeof(reading->sid))
		return 0;
	memcpy(reading->sid, value->bv_val, value->bv_len);
	reading->sid_len = value->bv_len;
	reading->has_sid = true;
	return 0;
}

static int
take_group(struct reading *reading, const struct berval *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value->bv_val, &end, 10);
	reading->has_group = errno == 0 && number <= UINT32_MAX &&
			     end != value->bv_val && *end == '\0';
	reading->group = (uint32_t)number;
	return 0;
}

static int
on_value(void *arg, const char *attribute, const struct berval *value)
{
	static const struct {
		const char *attribute;
		int (*take)(struct reading *, const struct berval *);
	} rows[] = {
	    {"uid", take_name},
	    {"objectSid", take_sid},
	    {"primaryGroupID", take_group},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (strcasecmp(attribute, rows[i].attribute) == 0)
			return rows[i].take(arg, value);
	return 0;
}

static int
on_entry(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct reading *reading = arg;

	reading->account->is_good = true;
	return directory_values(ld, entry, on_value, reading);
}

int
account_read(LDAP *ld, const char *dn, const char *filter, unsigned timeout_s,
    struct account *account)
{
	static const char *const attributes[] = {
	    "uid", "objectSid", "primaryGroupID", NULL};
	struct reading reading = {.account = account};
	const struct directory_query query = {
	    .base = dn,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = *filter != '\0' ? filter : "(objectClass=*)",
	    .attributes = attributes,
	    .timeout_s = timeout_s,
	    .entry = on_entry,
	    .arg = &reading,
	};
	int result;

	memset(account, 0, sizeof(*account));
	result = directory_search(ld, &query);
	if (result == LDAP_NO_SUCH_OBJECT)
		result = 0;
	/* Whoever may find an entry need not be allowed to see its class. */
	else if (*filter == '\0')
		account->is_good = true;
	if (result == 0 && reading.has_sid && reading.has_group &&
	    !sid_filter(reading.sid, reading.sid_len, reading.group,
		account->primary_group))
		account->primary_group[0] = '\0';
	return result;
}

void
account_fini(struct account *account)
{
	for (size_t i = 0; i < account->name_count; i++)
		free(account->names[i]);
	account->name_count = 0;
}
