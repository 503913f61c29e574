/* SPDX-License-Identifier: ISC */
/* What a server says of itself. */
#include "policy/ldap_root.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/dn.h"
#include "policy/ldap_search.h"

#define ANYTHING "(objectClass=*)"

/* ---- one entry */

static int
ask_entry(LDAP *ld, const char *dn, const char *const *attributes,
    unsigned timeout_s, directory_entry_fn *entry, void *arg)
{
	const struct directory_query query = {
	    .base = dn,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = ANYTHING,
	    .attributes = attributes,
	    .timeout_s = timeout_s,
	    .entry = entry,
	    .arg = arg,
	};

	return directory_search(ld, &query);
}

static int
keep(struct root_values *values, const struct berval *value)
{
	char *text;

	if (values->count == ROOT_VALUES_MAX)
		return 0;
	text = strndup(value->bv_val, value->bv_len);
	if (text == NULL)
		return DIRECTORY_ERRNO(ENOMEM);
	values->texts[values->count++] = text;
	return 0;
}

static int
on_value(void *arg, const char *attribute, const struct berval *value)
{
	struct root *root = arg;

	if (strcasecmp(attribute, "supportedControl") == 0)
		return keep(&root->controls, value);
	if (strcasecmp(attribute, "namingContexts") == 0)
		return keep(&root->contexts, value);
	return 0;
}

static int
on_root(void *arg, LDAP *ld, LDAPMessage *entry)
{
	return directory_values(ld, entry, on_value, arg);
}

int
root_read(struct root *root, LDAP *ld, unsigned timeout_s)
{
	static const char *const attributes[] = {
	    "supportedControl", "namingContexts", NULL};

	memset(root, 0, sizeof(*root));
	return ask_entry(ld, "", attributes, timeout_s, on_root, root);
}

static void
values_fini(struct root_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		free(values->texts[i]);
}

void
root_fini(struct root *root)
{
	values_fini(&root->controls);
	values_fini(&root->contexts);
}

static int
on_usn(void *arg, const char *attribute, const struct berval *value)
{
	char *usn = arg;

	if (strcasecmp(attribute, "highestCommittedUSN") == 0 &&
	    value->bv_len < ROOT_USN_SIZE) {
		memcpy(usn, value->bv_val, value->bv_len);
		usn[value->bv_len] = '\0';
	}
	return 0;
}

static int
on_answer(void *arg, LDAP *ld, LDAPMessage *entry)
{
	return directory_values(ld, entry, on_usn, arg);
}

int
root_ask(LDAP *ld, unsigned timeout_s, char usn[ROOT_USN_SIZE])
{
	static const char *const attributes[] = {"highestCommittedUSN", NULL};

	usn[0] = '\0';
	return ask_entry(ld, "", attributes, timeout_s, on_answer, usn);
}

bool
root_offers(const struct root *root, const char *control)
{
	for (size_t i = 0; i < root->controls.count; i++)
		if (strcmp(root->controls.texts[i], control) == 0)
			return true;
	return false;
}

/* ---- names */

static bool
holds(const char *context, const char *normalised)
{
	char *base = dn_normalise(context);
	bool is_below = base != NULL && dn_is_inside(normalised, base);

	free(base);
	return is_below;
}

const char *
root_context(const struct root *root, const char *dn)
{
	const char *found = NULL;
	char *normalised = dn_normalise(dn);

	/* The longest: one context may lie within another. */
	for (size_t i = 0; normalised != NULL && i < root->contexts.count; i++)
		if (holds(root->contexts.texts[i], normalised) &&
		    (found == NULL ||
			strlen(root->contexts.texts[i]) > strlen(found)))
			found = root->contexts.texts[i];
	free(normalised);
	return found;
}

/* ---- cookies */

struct cookie {
	char *text;
	size_t size;
};

static int
on_csn(void *arg, const char *attribute, const struct berval *value)
{
	struct cookie *cookie = arg;
	char csn[64] = "";

	if (strcasecmp(attribute, "contextCSN") != 0)
		return 0;
	if (value->bv_len == 0 || value->bv_len >= sizeof(csn) ||
	    memchr(value->bv_val, '\0', value->bv_len) != NULL)
		return DIRECTORY_ERRNO(EINVAL);
	memcpy(csn, value->bv_val, value->bv_len);
	(void)strlcat(cookie->text,
	    cookie->text[0] == '\0' ? "rid=000,csn=" : ";", cookie->size);
	if (strlcat(cookie->text, csn, cookie->size) >= cookie->size)
		return DIRECTORY_ERRNO(E2BIG);
	return 0;
}

static int
on_context(void *arg, LDAP *ld, LDAPMessage *entry)
{
	return directory_values(ld, entry, on_csn, arg);
}

void
root_read_cookie(const struct root *root, LDAP *ld, const char *base,
    unsigned timeout_s, char *text, size_t size)
{
	static const char *const attributes[] = {"contextCSN", NULL};
	struct cookie cookie = {.text = text, .size = size};
	const char *context = root_context(root, base);

	text[0] = '\0';
	if (context == NULL || ask_entry(ld, context, attributes, timeout_s,
				   on_context, &cookie) != 0)
		text[0] = '\0';
}
