/* SPDX-License-Identifier: ISC */
/* Directory entries made into rules and sets. */
#include "policy/rule_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/identity.h"
#include "base/method.h"
#include "base/request.h"
#include "base/text.h"
#include "policy/dn.h"
#include "policy/entry.h"
#include "policy/principal.h"
#include "policy/rule.h"

/* All attribute types and object classes of ours are below it. */
#define OUR_ARC                                                                \
	"1.2.840.113556.1.8000.2554.65429.33257.44349.21585.37091.11821051."   \
	"2452296"

/* Of a name or a value in a sentence, in octets as they are shown. */
#define SHOWN_DN_SIZE	 256
#define SHOWN_VALUE_SIZE 128

#define RULE_NAME_MAX 255

/* What is being made: a rule, or a set (then `rule` is NULL). */
struct draft {
	struct rule *rule;
	struct target_list *targets;
	char **name;

	const struct entry *entry;
	char *why; /* cleared: no memory, unless it is written */
	size_t why_size;
};

/* Where an attribute may stand. */
enum { IN_RULE = 1, IN_SET = 2 };

struct attribute {
	const char *name;
	unsigned classes;
	unsigned required; /* in these classes */
	bool is_many;
	/* NULL: not acted on by this version. */
	enum value_outcome (*parse)(struct draft *draft, const char *value);
	/* For lists: sorts, and says whether two values are the same. */
	bool (*has_double)(struct draft *draft);
	const char *allowed; /* completes "must be" */
};

static void
complain(struct draft *draft, const char *attribute, const char *what)
{
	char dn[SHOWN_DN_SIZE];

	text_quote(dn, sizeof(dn), draft->entry->dn, strlen(draft->entry->dn));
	snprintf(draft->why, draft->why_size, "%s: %s%s%s", dn, attribute,
	    *attribute == '\0' ? "" : ": ", what);
}

static void
complain_of_value(struct draft *draft, const char *attribute,
    const struct entry_value *value, const char *allowed)
{
	char shown[SHOWN_VALUE_SIZE], what[SHOWN_VALUE_SIZE + 256];

	text_quote(shown, sizeof(shown), value->octets, value->len);
	snprintf(what, sizeof(what), "\"%s\" must be %s", shown, allowed);
	complain(draft, attribute, what);
}

static enum value_outcome
parse_name(struct draft *draft, const char *value)
{
	if (strlen(value) > RULE_NAME_MAX ||
	    !identity_name_is_valid(value, strlen(value)))
		return VALUE_BAD;
	*draft->name = strdup(value);
	return *draft->name == NULL ? VALUE_NO_MEMORY : VALUE_TAKEN;
}

/* Keywords are the same in any case, as the directory compares them. */
static bool
is_keyword(const char *value, const char *keyword)
{
	return strcasecmp(value, keyword) == 0;
}

static enum value_outcome
parse_action(struct draft *draft, const char *value)
{
	draft->rule->permits = is_keyword(value, "permit");
	return draft->rule->permits || is_keyword(value, "deny") ? VALUE_TAKEN
								 : VALUE_BAD;
}

static enum value_outcome
parse_enabled(struct draft *draft, const char *value)
{
	draft->rule->is_disabled = is_keyword(value, "FALSE");
	return draft->rule->is_disabled || is_keyword(value, "TRUE")
		   ? VALUE_TAKEN
		   : VALUE_BAD;
}

static enum value_outcome
parse_order(struct draft *draft, const char *value)
{
	uint64_t order;

	if (!text_parse_u64(value, 0, INT32_MAX, &order))
		return VALUE_BAD;
	draft->rule->order = (uint32_t)order;
	return VALUE_TAKEN;
}

/* Sets a bit that is not yet set. */
static enum value_outcome
set_bit(unsigned *bits, unsigned bit)
{
	if ((*bits & bit) != 0)
		return VALUE_DOUBLE;
	*bits |= bit;
	return VALUE_TAKEN;
}

static enum value_outcome
parse_command(struct draft *draft, const char *value)
{
	static const enum command all[] = {
	    COMMAND_CONNECT, COMMAND_BIND, COMMAND_UDP};

	for (size_t i = 0; i < ARRAY_COUNT(all); i++)
		if (is_keyword(value, command_name(all[i])))
			return set_bit(
			    &draft->rule->commands, RULE_BIT(all[i]));
	return VALUE_BAD;
}

static enum value_outcome
parse_method(struct draft *draft, const char *value)
{
	for (unsigned i = 0; i < METHOD_COUNT; i++)
		if (is_keyword(value, method_name((enum method)i)))
			return set_bit(&draft->rule->methods, RULE_BIT(i));
	return VALUE_BAD;
}

/* What may be granted as selective can only be demanded as integrity. */
static enum value_outcome
parse_protection(struct draft *draft, const char *value)
{
	static const enum protection all[] = {
	    PROTECTION_NONE, PROTECTION_INTEGRITY, PROTECTION_CONFIDENTIALITY};

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		if (is_keyword(value, protection_name(all[i]))) {
			draft->rule->protection = all[i];
			return VALUE_TAKEN;
		}
	}
	return VALUE_BAD;
}

/* `text` is taken. */
static enum value_outcome
add_text(struct rule_texts *list, char *text)
{
	char **grown;

	if (text == NULL)
		return VALUE_NO_MEMORY;
	grown = reallocarray(list->texts, list->count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(text);
		return VALUE_NO_MEMORY;
	}
	list->texts = grown;
	grown[list->count++] = text;
	return VALUE_TAKEN;
}

static int
compare_texts(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static bool
has_double_text(struct rule_texts *list)
{
	qsort(list->texts, list->count, sizeof(list->texts[0]), compare_texts);
	for (size_t i = 1; i < list->count; i++)
		if (strcmp(list->texts[i - 1], list->texts[i]) == 0)
			return true;
	return false;
}

static enum value_outcome
add_dn(struct rule_texts *list, const char *value)
{
	char *dn = dn_normalise(value);

	if (dn == NULL && errno == EINVAL)
		return VALUE_BAD;
	return add_text(list, dn);
}

static enum value_outcome
parse_user(struct draft *draft, const char *value)
{
	return add_dn(&draft->rule->users, value);
}

static bool
has_double_user(struct draft *draft)
{
	return has_double_text(&draft->rule->users);
}

static enum value_outcome
parse_group(struct draft *draft, const char *value)
{
	return add_dn(&draft->rule->groups, value);
}

static bool
has_double_group(struct draft *draft)
{
	return has_double_text(&draft->rule->groups);
}

static enum value_outcome
parse_set(struct draft *draft, const char *value)
{
	return add_dn(&draft->rule->set_dns, value);
}

static bool
has_double_set(struct draft *draft)
{
	return has_double_text(&draft->rule->set_dns);
}

static enum value_outcome
parse_principal(struct draft *draft, const char *value)
{
	if (!principal_is_pattern(value))
		return VALUE_BAD;
	return add_text(&draft->rule->principals, strdup(value));
}

static bool
has_double_principal(struct draft *draft)
{
	return has_double_text(&draft->rule->principals);
}

static enum value_outcome
parse_listener(struct draft *draft, const char *value)
{
	if (strlen(value) >= LISTENER_NAME_SIZE)
		return VALUE_BAD;
	return add_text(&draft->rule->listeners, strdup(value));
}

static bool
has_double_listener(struct draft *draft)
{
	return has_double_text(&draft->rule->listeners);
}

static enum value_outcome
parse_client(struct draft *draft, const char *value)
{
	struct rule *rule = draft->rule;
	struct network network, *grown;

	if (!target_network_parse(value, &network))
		return VALUE_BAD;
	grown =
	    reallocarray(rule->clients, rule->client_count + 1, sizeof(*grown));
	if (grown == NULL)
		return VALUE_NO_MEMORY;
	rule->clients = grown;
	grown[rule->client_count++] = network;
	return VALUE_TAKEN;
}

static int
compare_networks(const void *a, const void *b)
{
	return target_network_compare(a, b);
}

static bool
has_double_client(struct draft *draft)
{
	struct network *clients = draft->rule->clients;
	size_t count = draft->rule->client_count;

	qsort(clients, count, sizeof(*clients), compare_networks);
	for (size_t i = 1; i < count; i++)
		if (target_network_compare(&clients[i - 1], &clients[i]) == 0)
			return true;
	return false;
}

static enum value_outcome
parse_destination(struct draft *draft, const char *value)
{
	return target_add_destination(draft->targets, value);
}

static bool
has_double_destination(struct draft *draft)
{
	return target_has_double_destination(draft->targets);
}

static enum value_outcome
parse_port(struct draft *draft, const char *value)
{
	return target_add_port(draft->targets, value);
}

static bool
has_double_port(struct draft *draft)
{
	return target_has_double_port(draft->targets);
}

/*
 * One row an attribute: its name, in which classes it may stand and in which
 * it must, how many values it has, how they are read.
 */
static const struct attribute attributes[] = {
    {"cn", IN_RULE | IN_SET, IN_RULE | IN_SET, false, parse_name, NULL,
	"1 to 255 octets of printable UTF-8"},
    {"gwAction", IN_RULE, IN_RULE, false, parse_action, NULL, "permit or deny"},
    {"gwOrder", IN_RULE, 0, false, parse_order, NULL,
	"a number from 0 to 2147483647"},
    {"gwEnabled", IN_RULE, 0, false, parse_enabled, NULL, "TRUE or FALSE"},
    {"gwUser", IN_RULE, 0, true, parse_user, has_double_user,
	"a distinguished name"},
    {"gwGroup", IN_RULE, 0, true, parse_group, has_double_group,
	"a distinguished name"},
    {"gwPrincipal", IN_RULE, 0, true, parse_principal, has_double_principal,
	"a principal with its realm; a * stands for whole components before "
	"the @, as in *@REALM and */admin@REALM, and for nothing else"},
    {"gwClient", IN_RULE, 0, true, parse_client, has_double_client,
	"an address or a network such as 10.0.0.0/8 or 2001:db8::/32, without "
	"host bits; IPv4 is written as IPv4"},
    {"gwListener", IN_RULE, 0, true, parse_listener, has_double_listener,
	"the name of a listener, at most 32 octets"},
    {"gwDestination", IN_RULE | IN_SET, IN_SET, true, parse_destination,
	has_double_destination,
	"a host name, *.example.com, an address, a network such as 10.0.0.0/8 "
	"or 2001:db8::/32 without host bits, or *; IPv4 is written as IPv4"},
    {"gwDestinationSet", IN_RULE, 0, true, parse_set, has_double_set,
	"the distinguished name of a gwDestinations entry"},
    {"gwPort", IN_RULE | IN_SET, 0, true, parse_port, has_double_port,
	"a port from 1 to 65535, or a range such as 8000-8999"},
    {"gwCommand", IN_RULE, 0, true, parse_command, NULL,
	"connect, bind or udp"},
    {"gwMethod", IN_RULE, 0, true, parse_method, NULL,
	"gssapi, password or none"},
    {"gwProtection", IN_RULE, 0, false, parse_protection, NULL,
	"none, integrity or confidentiality"},
    {"gwReportOnly", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwIndicator", IN_RULE, 0, true, NULL, NULL, NULL},
    {"gwSchedule", IN_RULE, 0, true, NULL, NULL, NULL},
    {"gwNotBefore", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwNotAfter", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwMaxSessions", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwMaxRate", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwMaxDuration", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwIdleTimeout", IN_RULE, 0, false, NULL, NULL, NULL},
    {"gwEgress", IN_RULE, 0, false, NULL, NULL, NULL},
};

static const struct attribute *
find_attribute(const char *name, unsigned class)
{
	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
		if ((attributes[i].classes & class) != 0 &&
		    strcasecmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

/* A directory that does not know our schema might show bare numbers. */
static bool
is_ours(const char *name)
{
	return strncasecmp(name, "gw", 2) == 0 ||
	       strncmp(name, OUR_ARC, strlen(OUR_ARC)) == 0;
}

static enum value_outcome
read_value(struct draft *draft, const struct attribute *attribute,
    const struct entry_value *value)
{
	const char *text = (const char *)value->octets;

	if (value->len == 0 || strlen(text) != value->len)
		return VALUE_BAD;
	return attribute->parse(draft, text);
}

static int
read_values(struct draft *draft, const struct attribute *attribute,
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
read_attribute(
    struct draft *draft, const struct entry_attribute *given, unsigned class)
{
	const struct attribute *attribute = find_attribute(given->name, class);
	char name[64];

	if (attribute != NULL && attribute->parse != NULL)
		return read_values(draft, attribute, given);
	if (attribute == NULL && !is_ours(given->name))
		return 0;
	text_quote(name, sizeof(name), given->name, strlen(given->name));
	complain(draft, name,
	    attribute == NULL ? "this attribute is unknown here"
			      : "this version does not act on this attribute");
	return -1;
}

static int
check_required(struct draft *draft, unsigned class)
{
	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++) {
		const struct attribute *attribute = &attributes[i];

		if ((attribute->required & class) != 0 &&
		    entry_find(draft->entry, attribute->name) == NULL) {
			complain(draft, attribute->name, "is required");
			return -1;
		}
	}
	return 0;
}

static int
read_entry(struct draft *draft, unsigned class)
{
	for (size_t i = 0; i < draft->entry->count; i++)
		if (read_attribute(
			draft, &draft->entry->attributes[i], class) != 0)
			return -1;
	return check_required(draft, class);
}

static int
check_destinations(struct draft *draft)
{
	if (draft->rule->targets.destination_count > 0 ||
	    draft->rule->set_dns.count > 0)
		return 0;
	complain(draft, "gwDestination",
	    "is required where there is no gwDestinationSet");
	return -1;
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
make_rule(struct draft *draft, struct rule **made)
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
	if (read_entry(draft, IN_RULE) != 0 || check_destinations(draft) != 0) {
		rule_free(rule);
		return -1;
	}
	set_defaults(rule);
	*made = rule;
	return 0;
}

static int
make_set(struct draft *draft, struct target_set **made)
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
	struct draft draft = {.entry = entry, .why = why, .why_size = why_size};
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
