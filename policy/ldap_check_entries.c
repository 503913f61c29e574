/* SPDX-License-Identifier: ISC */
/* Looking for `gatewarden --check` at what a directory holds. */
#include "policy/ldap_check_entries.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check_frame.h"
#include "base/findings.h"
#include "base/options.h"
#include "base/text.h"
#include "policy/dn.h"
#include "policy/ldap_search.h"

#define RULE_CLASS     "gwRule"
#define ATTRIBUTE_SIZE 128
#define AD_INDEXED     1 /* of searchFlags ([MS-ADTS] 2.2.9) */

struct entries_check {
	LDAP *ld;
	const char *uri;
	const struct options *options;
	struct findings *findings;
	unsigned timeout_s;
};

static struct finding_place
about(const struct entries_check *check, const char *subject)
{
	return (struct finding_place){
	    options_get(check->options, CHECK_PLACE, ""), subject, NULL};
}

/* ---- reading */

/* A value of an entry that was found; anything but 0 ends the search. */
typedef int take_value(void *arg, const char *dn, const struct berval *value);

struct taking {
	take_value *take;
	void *arg;
	char *dn;
};

static int
on_value(void *arg, const char *attribute, const struct berval *value)
{
	struct taking *taking = arg;

	(void)attribute;
	return taking->take(taking->arg, taking->dn, value);
}

static int
on_entry(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct taking *taking = arg;
	int result;

	taking->dn = ldap_get_dn(ld, entry);
	if (taking->dn == NULL)
		return LDAP_NO_MEMORY;
	result = taking->take == NULL
		     ? 0
		     : directory_values(ld, entry, on_value, taking);
	ldap_memfree(taking->dn);
	return result;
}

/* The values of one attribute (NULL: entries are only looked for). */
static int
read_values(const struct entries_check *check, const char *base, int scope,
    const char *filter, const char *attribute, take_value *take, void *arg)
{
	const char *const attributes[] = {
	    attribute != NULL ? attribute : LDAP_NO_ATTRS, NULL};
	struct taking taking = {.take = take, .arg = arg};
	const struct directory_query query = {
	    .base = base,
	    .scope = scope,
	    .filter = filter,
	    .attributes = attributes,
	    .timeout_s = check->timeout_s,
	    .entry = on_entry,
	    .arg = &taking,
	};

	return directory_search(check->ld, &query);
}

/* ---- bases */

static bool
check_base(const struct entries_check *check, const char *setting)
{
	const char *base = options_get(check->options, setting, "");
	const struct finding_place place = about(check, base);
	int result;

	if (base[0] == '\0')
		return true;
	result = read_values(
	    check, base, LDAP_SCOPE_BASE, "(objectClass=*)", NULL, NULL, NULL);
	if (result == 0)
		return true;
	findings_add(check->findings, FINDING_DIRECTORY_BASE, &place,
	    "%s: %s has no entry %s that we may read: %s", setting, check->uri,
	    base, directory_error(result));
	return false;
}

/* ---- schema */

static int
keep_text(void *arg, const char *dn, const struct berval *value)
{
	char **text = arg;

	(void)dn;
	if (*text == NULL)
		*text = strndup(value->bv_val, value->bv_len);
	return 0;
}

struct classes {
	size_t count;
	bool has_rules;
};

/* "( OID NAME 'gwRule' ..." (RFC 4512 section 4.1.1). */
static int
on_class(void *arg, const char *dn, const struct berval *value)
{
	struct classes *classes = arg;
	static const char name[] = "'" RULE_CLASS "'";

	(void)dn;
	classes->count++;
	if (memmem(value->bv_val, value->bv_len, name, strlen(name)) != NULL)
		classes->has_rules = true;
	return 0;
}

static bool
check_schema(const struct entries_check *check)
{
	const struct finding_place place =
	    about(check, PKGDATADIR "/schema/gatewarden.ldif");
	struct classes classes = {0};
	char *subschema = NULL;

	if (read_values(check, "", LDAP_SCOPE_BASE, "(objectClass=*)",
		"subschemaSubentry", keep_text, &subschema) == 0 &&
	    subschema != NULL)
		(void)read_values(check, subschema, LDAP_SCOPE_BASE,
		    "(objectClass=subschema)", "objectClasses", on_class,
		    &classes);
	free(subschema);
	if (classes.count == 0 || classes.has_rules)
		return true;
	findings_add(check->findings, FINDING_DIRECTORY_SCHEMA, &place,
	    "%s has no object class " RULE_CLASS
	    ": Gatewarden's schema is not loaded",
	    check->uri);
	return false;
}

/* ---- rules */

static int
on_rule(void *arg, const char *dn, const struct berval *value)
{
	(void)dn;
	(void)value;
	*(bool *)arg = true;
	return LDAP_SIZELIMIT_EXCEEDED;
}

static void
check_rules(const struct entries_check *check)
{
	const char *base =
	    options_get(check->options, "directory.rule_base", "");
	const struct finding_place place = about(check, base);
	bool has_rules = false;
	int result = read_values(check, base, LDAP_SCOPE_SUBTREE,
	    "(objectClass=" RULE_CLASS ")", "objectClass", on_rule, &has_rules);

	if (result == 0 && !has_rules &&
	    !options_get_bool(check->options, "policy.allow_empty", false))
		findings_add(check->findings, FINDING_RULES_EMPTY, &place,
		    "directory.rule_base: %s has no rule below %s: nobody may "
		    "reach anything",
		    check->uri, base);
}

/* ---- indexes of OpenLDAP */

struct database {
	const char *base; /* whose entries are searched for; normalised */
	char *dn;	  /* of the database that has them */
};

static int
on_suffix(void *arg, const char *dn, const struct berval *value)
{
	struct database *database = arg;
	char *text = strndup(value->bv_val, value->bv_len);
	char *suffix = text == NULL ? NULL : dn_normalise(text);

	if (suffix != NULL && database->dn == NULL &&
	    dn_is_inside(database->base, suffix))
		database->dn = strdup(dn);
	free(suffix);
	free(text);
	return 0;
}

struct index {
	const char *attribute;
	bool is_there;
};

/* Is it one of "cn,sn,..."? */
static bool
is_listed(const char *word, const char *list, size_t len)
{
	size_t word_len = strlen(word);

	while (len > 0) {
		const char *comma = memchr(list, ',', len);
		size_t item = comma != NULL ? (size_t)(comma - list) : len;

		if (item == word_len && strncasecmp(list, word, item) == 0)
			return true;
		item += comma != NULL;
		list += item;
		len -= item;
	}
	return false;
}

/* "cn,sn eq,sub": attributes, then what of them is indexed; nothing there is
 * the default, presence and equality. */
static int
on_index(void *arg, const char *dn, const struct berval *value)
{
	struct index *index = arg;
	const char *text = value->bv_val;
	const char *blank = memchr(text, ' ', value->bv_len);
	size_t names = blank != NULL ? (size_t)(blank - text) : value->bv_len;
	size_t kinds = names;

	(void)dn;
	while (kinds < value->bv_len && text[kinds] == ' ')
		kinds++;
	if (is_listed(index->attribute, text, names) &&
	    (kinds == value->bv_len ||
		is_listed("eq", text + kinds, value->bv_len - kinds)))
		index->is_there = true;
	return 0;
}

/* False if it is known that there is none. */
static bool
has_openldap_index(
    const struct entries_check *check, const char *base, struct index *index)
{
	struct database database = {0};
	char *normalised = dn_normalise(base);
	int result = LDAP_NO_MEMORY;

	if (normalised != NULL) {
		database.base = normalised;
		result = read_values(check, "cn=config", LDAP_SCOPE_ONELEVEL,
		    "(olcSuffix=*)", "olcSuffix", on_suffix, &database);
	}
	if (result == 0 && database.dn != NULL)
		result = read_values(check, database.dn, LDAP_SCOPE_BASE,
		    "(olcDbIndex=*)", "olcDbIndex", on_index, index);
	else
		index->is_there = true;
	free(normalised);
	free(database.dn);
	return result != 0 || index->is_there;
}

/* ---- indexes of Active Directory */

static int
on_flags(void *arg, const char *dn, const struct berval *value)
{
	struct index *index = arg;
	char *text = strndup(value->bv_val, value->bv_len);

	(void)dn;
	if (text != NULL)
		index->is_there = (strtol(text, NULL, 10) & AD_INDEXED) != 0;
	free(text);
	return 0;
}

static bool
has_active_directory_index(
    const struct entries_check *check, const char *schema, struct index *index)
{
	char filter[ATTRIBUTE_SIZE + 32];

	index->is_there = true; /* unless it says otherwise */
	(void)snprintf(
	    filter, sizeof(filter), "(lDAPDisplayName=%s)", index->attribute);
	return read_values(check, schema, LDAP_SCOPE_ONELEVEL, filter,
		   "searchFlags", on_flags, index) != 0 ||
	       index->is_there;
}

/* ---- indexes */

static void
check_index(const struct entries_check *check, const char *schema,
    const char *base, const char *setting, const char *attribute)
{
	struct index index = {attribute, false};
	const struct finding_place place = about(check, attribute);
	bool is_there = schema != NULL
			    ? has_active_directory_index(check, schema, &index)
			    : has_openldap_index(check, base, &index);

	if (!is_there)
		findings_add(check->findings, FINDING_DIRECTORY_INDEX, &place,
		    "%s: %s has no equality index on %s: each look-up reads "
		    "all entries",
		    setting, check->uri, attribute);
}

/* The next attribute that is compared in a filter (RFC 4515), and what is
 * behind it; NULL behind the last. */
static const char *
next_attribute(const char *filter, char attribute[ATTRIBUTE_SIZE])
{
	size_t len;

	while ((filter = strchr(filter, '(')) != NULL) {
		filter++;
		len = 0;
		while (isalnum((unsigned char)filter[len]) ||
		       filter[len] == '-' || filter[len] == '.')
			len++;
		if (len == 0 || len >= ATTRIBUTE_SIZE || filter[len] != '=')
			continue;
		(void)strlcpy(attribute, filter, len + 1);
		return filter + len;
	}
	return NULL;
}

static void
check_filter(const struct entries_check *check, const char *schema,
    const char *base_setting, const char *setting)
{
	const char *base = options_get(check->options, base_setting, "");
	const char *filter = options_get(check->options, setting, "");
	char attribute[ATTRIBUTE_SIZE];

	if (base[0] == '\0')
		return;
	while ((filter = next_attribute(filter, attribute)) != NULL)
		if (strcasecmp(attribute, "objectClass") != 0)
			check_index(check, schema, base, setting, attribute);
}

static void
check_indexes(const struct entries_check *check)
{
	char *schema = NULL;

	(void)read_values(check, "", LDAP_SCOPE_BASE, "(objectClass=*)",
	    "schemaNamingContext", keep_text, &schema);
	check_filter(
	    check, schema, "directory.user_base", "directory.user_filter");
	check_filter(
	    check, schema, "directory.group_base", "directory.group_filter");
	free(schema);
}

void
check_entries(LDAP *ld, const char *uri, const struct options *options,
    struct findings *findings)
{
	const struct entries_check check = {
	    .ld = ld,
	    .uri = uri,
	    .options = options,
	    .findings = findings,
	    .timeout_s =
		(unsigned)options_get_u64(options, "directory.timeout", 5),
	};
	bool has_schema = check_schema(&check);
	bool has_rule_base = check_base(&check, "directory.rule_base");

	if (has_schema && has_rule_base)
		check_rules(&check);
	(void)check_base(&check, "directory.user_base");
	(void)check_base(&check, "directory.group_base");
	check_indexes(&check);
}
