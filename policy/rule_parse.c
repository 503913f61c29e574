/* SPDX-License-Identifier: ISC */
/* Directory entries made into rules and sets. */
#include "policy/rule_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/request.h"
#include "base/text.h"
#include "policy/entry.h"
#include "policy/rule.h"
#include "policy/rule_values.h"

/* All attribute types and object classes of ours are below it. */
#define OUR_ARC                                                                \
	"1.2.840.113556.1.8000.2554.65429.33257.44349.21585.37091.11821051."   \
	"2452296"

/* Of a name or a value in a sentence, in octets as they are shown. */
#define SHOWN_DN_SIZE	 256
#define SHOWN_VALUE_SIZE 128

static void
complain(struct rule_draft *draft, const char *attribute, const char *what)
{
	char dn[SHOWN_DN_SIZE];

	text_quote(dn, sizeof(dn), draft->entry->dn, strlen(draft->entry->dn));
	snprintf(draft->why, draft->why_size, "%s: %s%s%s", dn, attribute,
	    *attribute == '\0' ? "" : ": ", what);
}

static void
complain_of_value(struct rule_draft *draft, const char *attribute,
    const struct entry_value *value, const char *allowed)
{
	char shown[SHOWN_VALUE_SIZE], what[SHOWN_VALUE_SIZE + 256];

	text_quote(shown, sizeof(shown), value->octets, value->len);
	snprintf(what, sizeof(what), "\"%s\" must be %s", shown, allowed);
	complain(draft, attribute, what);
}

/* A directory that does not know our schema might show bare numbers. */
static bool
is_ours(const char *name)
{
	return strncasecmp(name, "gw", 2) == 0 ||
	       strncmp(name, OUR_ARC, strlen(OUR_ARC)) == 0;
}

static enum value_outcome
read_value(struct rule_draft *draft, const struct rule_value *attribute,
    const struct entry_value *value)
{
	const char *text = (const char *)value->octets;

	if (value->len == 0 || strlen(text) != value->len)
		return VALUE_BAD;
	return attribute->parse(draft, text);
}

static int
read_values(struct rule_draft *draft, const struct rule_value *attribute,
    const struct entry_attribute *given)
{
	bool has_double = false;

	if (!attribute->is_many && given->count > 1) {
		complain(draft, attribute->name, "has more than one value");
		return -1;
	}
	for (size_t i = 0; i < given->count; i++) {
		enum value_outcome outcome =
		    read_value(draft, attribute, &given->values[i]);

		if (outcome == VALUE_NO_MEMORY)
			return -1;
		if (outcome == VALUE_BAD) {
			complain_of_value(draft, attribute->name,
			    &given->values[i], attribute->allowed);
			return -1;
		}
		has_double |= outcome == VALUE_DOUBLE;
	}
	if (attribute->has_double != NULL)
		has_double = attribute->has_double(draft);
	if (has_double)
		complain(draft, attribute->name, "has one value twice");
	return has_double ? -1 : 0;
}

static int
read_attribute(struct rule_draft *draft, const struct entry_attribute *given,
    unsigned class)
{
	const struct rule_value *attribute =
	    rule_value_find(given->name, class);
	char name[64];

	if (attribute != NULL)
		return read_values(draft, attribute, given);
	if (!is_ours(given->name))
		return 0;
	text_quote(name, sizeof(name), given->name, strlen(given->name));
	complain(draft, name, "this attribute is unknown here");
	return -1;
}

static int
check_required(struct rule_draft *draft, unsigned class)
{
	const struct rule_value *attribute;

	for (size_t i = 0; (attribute = rule_value_at(i)) != NULL; i++) {
		if ((attribute->required & class) != 0 &&
		    entry_find(draft->entry, attribute->name) == NULL) {
			complain(draft, attribute->name, "is required");
			return -1;
		}
	}
	return 0;
}

static int
read_entry(struct rule_draft *draft, unsigned class)
{
	for (size_t i = 0; i < draft->entry->count; i++)
		if (read_attribute(
			draft, &draft->entry->attributes[i], class) != 0)
			return -1;
	return check_required(draft, class);
}

static int
check_destinations(struct rule_draft *draft)
{
	if (draft->rule->targets.destination_count > 0 ||
	    draft->rule->set_dns.count > 0)
		return 0;
	complain(draft, "gwDestination",
	    "is required where there is no gwDestinationSet");
	return -1;
}

/* Limits are what a permission comes with. */
static int
check_limits(struct rule_draft *draft)
{
	static const char *const limits[] = {"gwMaxSessions", "gwMaxRate",
	    "gwMaxDuration", "gwIdleTimeout", "gwEgress"};

	if (draft->rule->not_before >= draft->rule->not_after) {
		complain(draft, "gwNotAfter", "must be after gwNotBefore");
		return -1;
	}
	for (size_t i = 0; !draft->rule->permits && i < ARRAY_COUNT(limits);
	     i++) {
		if (entry_find(draft->entry, limits[i]) != NULL) {
			complain(draft, limits[i],
			    "means nothing in a rule that denies");
			return -1;
		}
	}
	return 0;
}

/* Who proved nothing is only permitted by a rule that says so. */
static void
set_defaults(struct rule *rule)
{
	if (rule->commands == 0)
		rule->commands = RULE_BIT(COMMAND_CONNECT);
	if (rule->methods == 0)
		rule->methods = RULE_BIT(METHOD_GSSAPI) |
				RULE_BIT(METHOD_PASSWORD) |
				(rule->permits ? 0 : RULE_BIT(METHOD_NONE));
}

static int
make_rule(struct rule_draft *draft, struct rule **made)
{
	struct rule *rule = rule_new(draft->entry->dn);

	if (rule == NULL) {
		if (errno == EINVAL)
			complain(draft, "", "is not a distinguished name");
		return -1;
	}
	draft->rule = rule;
	draft->targets = &rule->targets;
	draft->name = &rule->name;
	if (read_entry(draft, IN_RULE) != 0 || check_destinations(draft) != 0 ||
	    check_limits(draft) != 0) {
		rule_free(rule);
		return -1;
	}
	set_defaults(rule);
	*made = rule;
	return 0;
}

static int
make_set(struct rule_draft *draft, struct target_set **made)
{
	struct target_set *set = target_set_new(draft->entry->dn);

	if (set == NULL) {
		if (errno == EINVAL)
			complain(draft, "", "is not a distinguished name");
		return -1;
	}
	draft->targets = &set->targets;
	draft->name = &set->name;
	if (read_entry(draft, IN_SET) != 0) {
		target_set_free(set);
		return -1;
	}
	*made = set;
	return 0;
}

/* Compares `len` octets: with the final NUL all of it. */
static bool
has_class(const struct entry *entry, const char *class, size_t len)
{
	const struct entry_attribute *classes =
	    entry_find(entry, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->count; i++)
		if (strncasecmp((const char *)classes->values[i].octets, class,
			len) == 0)
			return true;
	return false;
}

int
rule_parse(const struct entry *entry, struct rule **rule,
    struct target_set **set, char *why, size_t why_size)
{
	struct rule_draft draft = {
	    .entry = entry, .why = why, .why_size = why_size};
	bool is_rule = has_class(entry, "gwRule", sizeof("gwRule"));
	bool is_set =
	    has_class(entry, "gwDestinations", sizeof("gwDestinations"));

	why[0] = '\0';
	*rule = NULL;
	*set = NULL;
	if (has_class(entry, OUR_ARC, strlen(OUR_ARC))) {
		complain(&draft, "objectClass", "must be given by its name");
		return -1;
	}
	if (is_rule && is_set) {
		complain(
		    &draft, "objectClass", "is both gwRule and gwDestinations");
		return -1;
	}
	if (is_rule)
		return make_rule(&draft, rule);
	return is_set ? make_set(&draft, set) : 0;
}
