/* SPDX-License-Identifier: ISC */
/* The attributes of rules and sets, and how their values are read. */
#include "policy/rule_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/identity.h"
#include "base/method.h"
#include "base/request.h"
#include "base/text.h"
#include "policy/dn.h"
#include "policy/moment.h"
#include "policy/principal.h"
#include "policy/rule.h"

#define RULE_NAME_MAX 128 /* it goes whole into each record */

/* As the sentences of the table below say. */
#define SESSIONS_LIMIT_MAX 1000000
#define RATE_LIMIT_MAX	   1000000000000
#define SECONDS_LIMIT_MAX  31536000

static enum value_outcome
parse_name(struct rule_draft *draft, const char *value)
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
parse_action(struct rule_draft *draft, const char *value)
{
	draft->rule->permits = is_keyword(value, "permit");
	return draft->rule->permits || is_keyword(value, "deny") ? VALUE_TAKEN
								 : VALUE_BAD;
}

static enum value_outcome
parse_enabled(struct rule_draft *draft, const char *value)
{
	draft->rule->is_disabled = is_keyword(value, "FALSE");
	return draft->rule->is_disabled || is_keyword(value, "TRUE")
		   ? VALUE_TAKEN
		   : VALUE_BAD;
}

static enum value_outcome
parse_order(struct rule_draft *draft, const char *value)
{
	uint64_t order;

	if (!text_parse_u64(value, 0, INT32_MAX, &order))
		return VALUE_BAD;
	draft->rule->order = (uint32_t)order;
	return VALUE_TAKEN;
}

static enum value_outcome
parse_report_only(struct rule_draft *draft, const char *value)
{
	draft->rule->is_report_only = is_keyword(value, "TRUE");
	return draft->rule->is_report_only || is_keyword(value, "FALSE")
		   ? VALUE_TAKEN
		   : VALUE_BAD;
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
parse_command(struct rule_draft *draft, const char *value)
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
parse_method(struct rule_draft *draft, const char *value)
{
	for (unsigned i = 0; i < METHOD_COUNT; i++)
		if (is_keyword(value, method_name((enum method)i)))
			return set_bit(&draft->rule->methods, RULE_BIT(i));
	return VALUE_BAD;
}

/* What may be granted as selective can only be demanded as integrity. */
static enum value_outcome
parse_protection(struct rule_draft *draft, const char *value)
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
parse_user(struct rule_draft *draft, const char *value)
{
	return add_dn(&draft->rule->users, value);
}

static bool
has_double_user(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->users);
}

static enum value_outcome
parse_group(struct rule_draft *draft, const char *value)
{
	return add_dn(&draft->rule->groups, value);
}

static bool
has_double_group(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->groups);
}

static enum value_outcome
parse_set(struct rule_draft *draft, const char *value)
{
	return add_dn(&draft->rule->set_dns, value);
}

static bool
has_double_set(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->set_dns);
}

static enum value_outcome
parse_principal(struct rule_draft *draft, const char *value)
{
	if (!principal_is_pattern(value))
		return VALUE_BAD;
	return add_text(&draft->rule->principals, strdup(value));
}

static bool
has_double_principal(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->principals);
}

static enum value_outcome
parse_listener(struct rule_draft *draft, const char *value)
{
	if (strlen(value) >= LISTENER_NAME_SIZE)
		return VALUE_BAD;
	return add_text(&draft->rule->listeners, strdup(value));
}

static bool
has_double_listener(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->listeners);
}

/* One word, as tickets carry them. */
static enum value_outcome
parse_indicator(struct rule_draft *draft, const char *value)
{
	size_t len = strlen(value);

	if (len >= IDENTITY_INDICATORS_SIZE || strchr(value, ' ') != NULL ||
	    !identity_name_is_valid(value, len))
		return VALUE_BAD;
	return add_text(&draft->rule->indicators, strdup(value));
}

static bool
has_double_indicator(struct rule_draft *draft)
{
	return has_double_text(&draft->rule->indicators);
}

static enum value_outcome
parse_schedule(struct rule_draft *draft, const char *value)
{
	struct rule *rule = draft->rule;
	struct schedule schedule, *grown;
	enum value_outcome outcome = schedule_parse(&schedule, value);

	if (outcome != VALUE_TAKEN)
		return outcome;
	grown = reallocarray(
	    rule->schedules, rule->schedule_count + 1, sizeof(*grown));
	if (grown == NULL) {
		schedule_fini(&schedule);
		return VALUE_NO_MEMORY;
	}
	rule->schedules = grown;
	grown[rule->schedule_count++] = schedule;
	return VALUE_TAKEN;
}

static int
compare_schedules(const void *a, const void *b)
{
	return schedule_compare(a, b);
}

static bool
has_double_schedule(struct rule_draft *draft)
{
	struct schedule *schedules = draft->rule->schedules;
	size_t count = draft->rule->schedule_count;

	qsort(schedules, count, sizeof(*schedules), compare_schedules);
	for (size_t i = 1; i < count; i++)
		if (schedule_compare(&schedules[i - 1], &schedules[i]) == 0)
			return true;
	return false;
}

static enum value_outcome
parse_not_before(struct rule_draft *draft, const char *value)
{
	return moment_parse(value, &draft->rule->not_before) ? VALUE_TAKEN
							     : VALUE_BAD;
}

static enum value_outcome
parse_not_after(struct rule_draft *draft, const char *value)
{
	return moment_parse(value, &draft->rule->not_after) ? VALUE_TAKEN
							    : VALUE_BAD;
}

static enum value_outcome
parse_limit(uint64_t *limit, const char *value, uint64_t max)
{
	return text_parse_u64(value, 1, max, limit) ? VALUE_TAKEN : VALUE_BAD;
}

static enum value_outcome
parse_max_sessions(struct rule_draft *draft, const char *value)
{
	return parse_limit(
	    &draft->rule->limits.max_sessions, value, SESSIONS_LIMIT_MAX);
}

static enum value_outcome
parse_max_rate(struct rule_draft *draft, const char *value)
{
	return parse_limit(
	    &draft->rule->limits.max_rate, value, RATE_LIMIT_MAX);
}

static enum value_outcome
parse_max_duration(struct rule_draft *draft, const char *value)
{
	return parse_limit(
	    &draft->rule->limits.max_duration_s, value, SECONDS_LIMIT_MAX);
}

static enum value_outcome
parse_idle_timeout(struct rule_draft *draft, const char *value)
{
	return parse_limit(
	    &draft->rule->limits.idle_timeout_s, value, SECONDS_LIMIT_MAX);
}

static enum value_outcome
parse_egress(struct rule_draft *draft, const char *value)
{
	struct address *egress = &draft->rule->limits.egress;

	if (!address_parse(value, egress) ||
	    (egress->family == ADDRESS_IPV4 && strchr(value, ':') != NULL))
		return VALUE_BAD;
	return VALUE_TAKEN;
}

static enum value_outcome
parse_client(struct rule_draft *draft, const char *value)
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
has_double_client(struct rule_draft *draft)
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
parse_destination(struct rule_draft *draft, const char *value)
{
	return target_add_destination(draft->targets, value);
}

static bool
has_double_destination(struct rule_draft *draft)
{
	return target_has_double_destination(draft->targets);
}

static enum value_outcome
parse_port(struct rule_draft *draft, const char *value)
{
	return target_add_port(draft->targets, value);
}

static bool
has_double_port(struct rule_draft *draft)
{
	return target_has_double_port(draft->targets);
}

/*
 * One row an attribute: its name, in which classes it may stand and in which
 * it must, how many values it has, how they are read.
 */
static const struct rule_value attributes[] = {
    {"cn", IN_RULE | IN_SET, IN_RULE | IN_SET, false, parse_name, NULL,
	"1 to 128 octets of printable UTF-8"},
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
    {"gwReportOnly", IN_RULE, 0, false, parse_report_only, NULL,
	"TRUE or FALSE"},
    {"gwIndicator", IN_RULE, 0, true, parse_indicator, has_double_indicator,
	"an authentication indicator, one word of at most 127 octets"},
    {"gwSchedule", IN_RULE, 0, true, parse_schedule, has_double_schedule,
	"days, hours and a time zone of the tz database, such as "
	"Mon-Fri 08:00-18:00 Europe/Amsterdam"},
    {"gwNotBefore", IN_RULE, 0, false, parse_not_before, NULL,
	"a GeneralizedTime such as 20261127170000Z"},
    {"gwNotAfter", IN_RULE, 0, false, parse_not_after, NULL,
	"a GeneralizedTime such as 20261127170000Z"},
    {"gwMaxSessions", IN_RULE, 0, false, parse_max_sessions, NULL,
	"a number from 1 to 1000000"},
    {"gwMaxRate", IN_RULE, 0, false, parse_max_rate, NULL,
	"a number of octets a second from 1 to 1000000000000"},
    {"gwMaxDuration", IN_RULE, 0, false, parse_max_duration, NULL,
	"a number of seconds from 1 to 31536000"},
    {"gwIdleTimeout", IN_RULE, 0, false, parse_idle_timeout, NULL,
	"a number of seconds from 1 to 31536000"},
    {"gwEgress", IN_RULE, 0, false, parse_egress, NULL,
	"an address of this host; IPv4 is written as IPv4"},
};

const struct rule_value *
rule_value_find(const char *name, unsigned class)
{
	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
		if ((attributes[i].classes & class) != 0 &&
		    strcasecmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

const struct rule_value *
rule_value_at(size_t i)
{
	return i < ARRAY_COUNT(attributes) ? &attributes[i] : NULL;
}
