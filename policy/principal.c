/* SPDX-License-Identifier: ISC */
/* Patterns of Kerberos principals: the values of gwPrincipal. */
#include "policy/principal.h"

#include <stddef.h>
#include <string.h>

#include "base/identity.h"

/* The next octet of `set` that no backslash escapes, or the end. */
static const char *
find(const char *at, const char *set)
{
	while (*at != '\0' && strchr(set, *at) == NULL)
		at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
	return at;
}

/* What follows the only @; NULL if there is none or more than one. */
static const char *
realm_of(const char *name)
{
	const char *at = find(name, "@");

	return *at == '@' && *find(at + 1, "@") == '\0' ? at + 1 : NULL;
}

static bool
is_star(const char *component, size_t len)
{
	return len == 1 && *component == '*';
}

bool
principal_is_pattern(const char *text)
{
	const char *realm = realm_of(text);

	/* Without a realm it would match nobody: a silent mistake. */
	if (!identity_name_is_valid(text, strlen(text)) ||
	    *find(text, "@") == '\0')
		return false;
	if (strchr(text, '*') == NULL)
		return true;
	if (realm == NULL || *realm == '\0' || strchr(realm, '*') != NULL)
		return false;
	for (const char *at = text; at < realm;) {
		const char *end = find(at, "/@");
		size_t len = (size_t)(end - at);

		if (!is_star(at, len) && memchr(at, '*', len) != NULL)
			return false;
		at = end + 1;
	}
	return true;
}

static bool
components_match(const char *pattern, const char *name)
{
	for (;;) {
		const char *pattern_end = find(pattern, "/@");
		const char *name_end = find(name, "/@");
		size_t len = (size_t)(pattern_end - pattern);

		if (!is_star(pattern, len) &&
		    (len != (size_t)(name_end - name) ||
			memcmp(pattern, name, len) != 0))
			return false;
		if (*pattern_end != *name_end)
			return false;
		if (*pattern_end == '@')
			return true;
		pattern = pattern_end + 1;
		name = name_end + 1;
	}
}

bool
principal_matches(const char *pattern, const char *name)
{
	const char *pattern_realm, *name_realm;

	if (strchr(pattern, '*') == NULL)
		return strcmp(pattern, name) == 0;
	pattern_realm = realm_of(pattern);
	name_realm = realm_of(name);
	if (name_realm == NULL || strcmp(pattern_realm, name_realm) != 0)
		return false;
	return is_star(pattern, (size_t)(pattern_realm - 1 - pattern)) ||
	       components_match(pattern, name);
}
