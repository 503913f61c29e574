/* SPDX-License-Identifier: ISC */
/* An attribute that comes in ranges of its values (Active Directory). */
#include "policy/ldap_ranges.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/ldap_search.h"

#define ATTRIBUTE_SIZE 128 /* a name of ours, and a range */

struct ranges {
	const char *attribute;
	directory_value_fn *value;
	void *arg;
	unsigned long next; /* index of the first value of the next range */
	bool has_more;
	size_t count; /* values of this range */
};

static int
take_values(
    struct ranges *ranges, LDAP *ld, LDAPMessage *entry, const char *name)
{
	struct berval **values = ldap_get_values_len(ld, entry, name);
	int result = 0;

	for (size_t i = 0; result == 0 && values != NULL && values[i] != NULL;
	     i++) {
		ranges->count++;
		result =
		    ranges->value(ranges->arg, ranges->attribute, values[i]);
	}
	ldap_value_free_len(values);
	return result;
}

/* ";range=LOW-HIGH" or, the last, ";range=LOW-*". */
static bool
read_range(const char *text, unsigned long *low, unsigned long *high)
{
	char *end;

	*low = strtoul(text, &end, 10);
	if (end == text || *end != '-')
		return false;
	if (strcmp(end + 1, "*") == 0) {
		*high = ULONG_MAX;
		return true;
	}
	text = end + 1;
	*high = strtoul(text, &end, 10);
	return end != text && *end == '\0' && *high >= *low &&
	       *high < ULONG_MAX;
}

/* Values from `next` on; it moves on with every answer, so that questions
 * come to an end. */
static int
take_range(struct ranges *ranges, LDAP *ld, LDAPMessage *entry,
    const char *name, const char *range)
{
	unsigned long low, high;
	int result;

	if (!read_range(range, &low, &high) || low != ranges->next)
		return DIRECTORY_ERRNO(EPROTO);
	ranges->count = 0;
	result = take_values(ranges, ld, entry, name);
	ranges->has_more = high != ULONG_MAX;
	ranges->next = high + 1;
	if (result == 0 && ranges->has_more && ranges->count == 0)
		result = DIRECTORY_ERRNO(EPROTO);
	return result;
}

static int
take_attribute(
    struct ranges *ranges, LDAP *ld, LDAPMessage *entry, const char *name)
{
	static const char range[] = ";range=";
	size_t len = strlen(ranges->attribute);

	if (strcasecmp(name, ranges->attribute) == 0)
		return take_values(ranges, ld, entry, name);
	if (strncasecmp(name, ranges->attribute, len) != 0 ||
	    strncasecmp(name + len, range, sizeof(range) - 1) != 0)
		return 0;
	return take_range(
	    ranges, ld, entry, name, name + len + sizeof(range) - 1);
}

static int
on_ranges(void *arg, LDAP *ld, LDAPMessage *entry)
{
	BerElement *ber = NULL;
	int result = 0;

	for (char *name = ldap_first_attribute(ld, entry, &ber); name != NULL;
	     name = ldap_next_attribute(ld, entry, ber)) {
		if (result == 0)
			result = take_attribute(arg, ld, entry, name);
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	return result;
}

int
directory_read(LDAP *ld, const char *dn, const char *attribute,
    unsigned timeout_s, directory_value_fn *value, void *arg)
{
	char asked[ATTRIBUTE_SIZE];
	const char *const attributes[] = {asked, NULL};
	struct ranges ranges = {
	    .attribute = attribute, .value = value, .arg = arg};
	const struct directory_query query = {
	    .base = dn,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = "(objectClass=*)",
	    .attributes = attributes,
	    .timeout_s = timeout_s,
	    .entry = on_ranges,
	    .arg = &ranges,
	};
	int result;

	(void)strlcpy(asked, attribute, sizeof(asked));
	do {
		ranges.has_more = false;
		result = directory_search(ld, &query);
		(void)snprintf(asked, sizeof(asked), "%s;range=%lu-*",
		    attribute, ranges.next);
	} while (result == 0 && ranges.has_more);
	return result;
}
