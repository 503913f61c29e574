/* SPDX-License-Identifier: ISC */
/* A second judge, as plain as can be, to compare the real one with. */
#include "tests/unit/policy/reference_judge.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bits {
	int count; /* 32 or 128; of a network those that count */
	int family;
	uint8_t octets[16];
};

enum hit { HIT_NO, HIT_CLOSED, HIT_YES }; /* closed: only a denial counts */

static const char *const closed[] = {"0.0.0.0/8", "127.0.0.0/8",
    "169.254.169.254", "169.254.0.0/16", "100.100.100.200", "168.63.129.16",
    "224.0.0.0/4", "240.0.0.0/4", "::", "::1", "fe80::/10", "fec0::/10",
    "ff00::/8", "fd00:ec2::254", NULL};

static struct bits
bits_of(const char *text)
{
	struct bits bits = {0};
	char copy[64];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	bits.family = strchr(copy, ':') == NULL ? AF_INET : AF_INET6;
	bits.count = bits.family == AF_INET ? 32 : 128;
	if (inet_pton(bits.family, copy, bits.octets) != 1)
		abort();
	if (slash != NULL)
		bits.count = (int)strtol(slash + 1, NULL, 10);
	return bits;
}

static bool
is_in(const struct bits *address, const char *network)
{
	struct bits outer = bits_of(network);

	if (address->family != outer.family)
		return false;
	for (int i = 0; i < outer.count; i++)
		if (((address->octets[i / 8] ^ outer.octets[i / 8]) &
			(0x80 >> i % 8)) != 0)
			return false;
	return true;
}

/* The IPv4 address inside; family 0 if there is none. */
static struct bits
inner_of(const struct bits *address)
{
	struct bits inner = {.count = 32, .family = AF_INET};
	int at = 12, flip = 0;

	if (is_in(address, "::") || is_in(address, "::1"))
		return (struct bits){0};
	if (is_in(address, "2002::/16"))
		at = 2;
	else if (is_in(address, "2001::/32"))
		flip = 0xff;
	else if (!is_in(address, "::/96") && !is_in(address, "64:ff9b::/96") &&
		 !is_in(address, "64:ff9b:1::/48"))
		return (struct bits){0};
	for (int i = 0; i < 4; i++)
		inner.octets[i] = (uint8_t)(address->octets[at + i] ^ flip);
	return inner;
}

static bool
is_one_of(const struct bits *address, const char *const *networks)
{
	for (; *networks != NULL; networks++)
		if (is_in(address, *networks))
			return true;
	return false;
}

/* Bits that a network must have to open the address; 0: it is not closed. */
static int
bits_to_open(const struct bits *address, const struct reference_ask *ask)
{
	struct bits inner = inner_of(address);
	int most = 0;

	for (size_t i = 0; closed[i] != NULL; i++)
		if (is_in(address, closed[i]) &&
		    bits_of(closed[i]).count > most)
			most = bits_of(closed[i]).count;
	if (most == 0 &&
	    (is_one_of(address, ask->own) || is_one_of(&inner, closed) ||
		is_one_of(&inner, ask->own)))
		most = address->count;
	return most;
}

static enum hit
destination_hit(const char *value, const struct reference_ask *ask)
{
	struct bits address = bits_of(ask->address);
	struct bits inner = inner_of(&address);
	int to_open = bits_to_open(&address, ask);
	size_t len = strlen(value), host_len;

	if (strcmp(value, "*") == 0)
		return to_open > 0 ? HIT_CLOSED : HIT_YES;
	if (strpbrk(value, ":/") != NULL ||
	    strspn(value, "0123456789.") == len) {
		if (is_in(&address, value))
			return bits_of(value).count >= to_open ? HIT_YES
							       : HIT_CLOSED;
		return is_in(&inner, value) ? HIT_CLOSED : HIT_NO;
	}
	if (ask->host == NULL)
		return HIT_NO;
	host_len = strlen(ask->host);
	if (*value == '*'
		? host_len <= len - 1 ||
		      strcmp(ask->host + host_len - (len - 1), value + 1) != 0
		: strcmp(ask->host, value) != 0)
		return HIT_NO;
	return to_open > 0 ? HIT_CLOSED : HIT_YES;
}

/* Of the attribute's values, one at least is as it should be, or none is
 * there (then `absent`). */
static bool
some(const struct reference_entry *entry, const char *attribute, bool absent,
    bool (*holds)(const char *value, const struct reference_ask *ask),
    const struct reference_ask *ask)
{
	bool is_there = false;

	for (size_t i = 0; i < entry->count; i++) {
		if (strcmp(entry->values[i].attribute, attribute) != 0)
			continue;
		is_there = true;
		if (holds(entry->values[i].value, ask))
			return true;
	}
	return !is_there && absent;
}

static bool
port_holds(const char *value, const struct reference_ask *ask)
{
	unsigned first, last;

	if (sscanf(value, "%u-%u", &first, &last) == 1)
		last = first;
	return ask->port >= first && ask->port <= last;
}

static bool
client_holds(const char *value, const struct reference_ask *ask)
{
	struct bits client = bits_of(ask->client);

	return is_in(&client, value);
}

static bool
listener_holds(const char *value, const struct reference_ask *ask)
{
	return strcmp(value, ask->listener) == 0;
}

static bool
command_holds(const char *value, const struct reference_ask *ask)
{
	return strcmp(value, ask->command) == 0;
}

static bool
method_holds(const char *value, const struct reference_ask *ask)
{
	return strcmp(value, ask->method) == 0;
}

static bool
protection_holds(const char *value, const struct reference_ask *ask)
{
	return *value == 'n' || (*value == 'i' && ask->protection >= 1) ||
	       (*value == 'c' && ask->protection == 3);
}

static bool
denies(const char *value, const struct reference_ask *ask)
{
	(void)ask;
	return strcmp(value, "deny") == 0;
}

/* The tests' patterns are a whole name, or a star for the first component
 * or for all of them. */
static bool
principal_holds(const char *value, const struct reference_ask *ask)
{
	const char *rest = strchr(ask->principal, '/');

	if (strncmp(value, "*@", 2) == 0)
		return strcmp(strchr(ask->principal, '@'), value + 1) == 0;
	if (*value == '*')
		return rest != NULL && strcmp(rest, value + 1) == 0;
	return strcmp(value, ask->principal) == 0;
}

static bool
user_holds(const char *value, const struct reference_ask *ask)
{
	return ask->subject_dn != NULL && strcmp(value, ask->subject_dn) == 0;
}

static bool
group_holds(const char *value, const struct reference_ask *ask)
{
	for (size_t i = 0; ask->groups[i] != NULL; i++)
		if (strcmp(value, ask->groups[i]) == 0)
			return true;
	return false;
}

static bool
is_there(const char *value, const struct reference_ask *ask)
{
	(void)value;
	(void)ask;
	return true;
}

/* 0 no, 1 yes, -1 the directory did not say. */
static int
subject(const struct reference_entry *rule, const struct reference_ask *ask)
{
	bool directory = some(rule, "gwUser", false, is_there, ask) ||
			 some(rule, "gwGroup", false, is_there, ask);

	if (!directory && !some(rule, "gwPrincipal", false, is_there, ask))
		return 1;
	if (ask->principal == NULL)
		return 0;
	if (some(rule, "gwPrincipal", false, principal_holds, ask))
		return 1;
	if (directory && !ask->subject_known)
		return -1;
	return some(rule, "gwUser", false, user_holds, ask) ||
	       some(rule, "gwGroup", false, group_holds, ask);
}

static enum hit
entry_hit(const struct reference_entry *entry, const struct reference_ask *ask)
{
	enum hit best = HIT_NO;

	if (!some(entry, "gwPort", true, port_holds, ask))
		return HIT_NO;
	for (size_t i = 0; i < entry->count; i++) {
		enum hit hit = HIT_NO;

		if (strcmp(entry->values[i].attribute, "gwDestination") == 0)
			hit = destination_hit(entry->values[i].value, ask);
		best = hit > best ? hit : best;
	}
	return best;
}

static enum hit
rule_hit(const struct reference_entry *entries, size_t count,
    const struct reference_entry *rule, const struct reference_ask *ask)
{
	enum hit best = entry_hit(rule, ask);

	if (!some(rule, "gwPort", true, port_holds, ask))
		return HIT_NO;
	for (size_t i = 0; i < rule->count; i++) {
		if (strcmp(rule->values[i].attribute, "gwDestinationSet") != 0)
			continue;
		for (size_t j = 0; j < count; j++) {
			enum hit hit = HIT_NO;

			if (strcmp(entries[j].dn, rule->values[i].value) == 0)
				hit = entry_hit(&entries[j], ask);
			best = hit > best ? hit : best;
		}
	}
	return best;
}

static const char *
name_of(const struct reference_entry *rule)
{
	for (size_t i = 0; i < rule->count; i++)
		if (strcmp(rule->values[i].attribute, "cn") == 0)
			return rule->values[i].value;
	abort();
}

static bool
indicator_holds(const char *value, const struct reference_ask *ask)
{
	char all[256], *rest = all, *word;

	snprintf(all, sizeof(all), "%s", ask->indicators);
	while ((word = strsep(&rest, " ")) != NULL)
		if (strcmp(word, value) == 0)
			return true;
	return false;
}

/* "20261127170000Z" and no other form, compared as text. */
static const char *
now_as_text(const struct reference_ask *ask, char text[64])
{
	time_t now = ask->now;
	struct tm tm;

	strftime(text, 64, "%Y%m%d%H%M%SZ", gmtime_r(&now, &tm));
	return text;
}

static bool
has_begun(const char *value, const struct reference_ask *ask)
{
	char text[64];

	return strcmp(now_as_text(ask, text), value) >= 0;
}

static bool
has_not_ended(const char *value, const struct reference_ask *ask)
{
	char text[64];

	return strcmp(now_as_text(ask, text), value) < 0;
}

/* "Mon-Fri 08:00-18:00 Zone": one span of days, by libc's own clock. */
static bool
schedule_holds(const char *value, const struct reference_ask *ask)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	char first[4], last[4], start[6], end[6], zone[64], clock[6];
	time_t now = ask->now;
	struct tm tm;
	long from, to, today;
	bool wraps;

	if (sscanf(value, "%3[^-]-%3s %5[^-]-%5s %63s", first, last, start, end,
		zone) != 5)
		abort();
	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M", &tm);
	from = (strstr(days, first) - days) / 3;
	to = (strstr(days, last) - days) / 3;
	today = tm.tm_wday;
	wraps = strcmp(end, start) <= 0;
	if (wraps && strcmp(clock, end) < 0)
		today = (today + 6) % 7;
	else if (strcmp(clock, start) < 0 ||
		 (!wraps && strcmp(clock, end) >= 0))
		return false;
	return (today - from + 7) % 7 <= (to - from + 7) % 7;
}

static bool
is_true(const char *value, const struct reference_ask *ask)
{
	(void)ask;
	return strcmp(value, "TRUE") == 0;
}

static const struct {
	const char *name;
	bool (*holds)(const char *value, const struct reference_ask *ask);
} conditions[] = {
    {"gwCommand", command_holds},
    {"gwMethod", method_holds},
    {"gwListener", listener_holds},
    {"gwClient", client_holds},
    {"gwProtection", protection_holds},
    {"gwIndicator", indicator_holds},
    {"gwNotBefore", has_begun},
    {"gwNotAfter", has_not_ended},
    {"gwSchedule", schedule_holds},
};

/* The i-th of the conditions; those that a rule does not name hold, but ... */
static bool
condition_holds(const struct reference_entry *rule, size_t i,
    const struct reference_ask *ask)
{
	const char *name = conditions[i].name;
	bool absent = true;

	/* ... it is about CONNECT then ... */
	if (strcmp(name, "gwCommand") == 0)
		absent = strcmp(ask->command, "connect") == 0;
	/* ... and a permission for who was authenticated. */
	if (strcmp(name, "gwMethod") == 0)
		absent = strcmp(ask->method, "none") != 0 ||
			 some(rule, "gwAction", false, denies, ask);
	if (strcmp(name, "gwIndicator") == 0 && ask->principal == NULL)
		return !some(rule, name, false, is_there, ask);
	return some(rule, name, absent, conditions[i].holds, ask);
}

static bool
conditions_hold(
    const struct reference_entry *rule, const struct reference_ask *ask)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		if (!condition_holds(rule, i, ask))
			return false;
	return true;
}

/* Would it be hit at any port? */
static bool
is_hit_but_for_port(const struct reference_entry *entries, size_t count,
    const struct reference_entry *rule, const struct reference_ask *ask)
{
	for (size_t i = 0; i < rule->count; i++) {
		const char *value = rule->values[i].value;

		if (strcmp(rule->values[i].attribute, "gwDestination") == 0 &&
		    destination_hit(value, ask) != HIT_NO)
			return true;
		if (strcmp(rule->values[i].attribute, "gwDestinationSet") != 0)
			continue;
		for (size_t j = 0; j < count; j++)
			if (strcmp(entries[j].dn, value) == 0 &&
			    is_hit_but_for_port(entries, 0, &entries[j], ask))
				return true;
	}
	return false;
}

static bool
subject_fails(const struct reference_entry *rule, const char *attribute,
    const struct reference_ask *ask)
{
	if (!some(rule, attribute, false, is_there, ask))
		return false;
	if (ask->principal == NULL)
		return true;
	if (strcmp(attribute, "gwPrincipal") == 0)
		return !some(rule, attribute, false, principal_holds, ask);
	return ask->subject_known &&
	       !some(rule, attribute, false,
		   strcmp(attribute, "gwUser") == 0 ? user_holds : group_holds,
		   ask);
}

static bool
fails(const struct reference_entry *entries, size_t count,
    const struct reference_entry *rule, const char *attribute,
    const struct reference_ask *ask)
{
	bool is_reached = is_hit_but_for_port(entries, count, rule, ask);

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		if (strcmp(conditions[i].name, attribute) == 0)
			return !condition_holds(rule, i, ask);
	if (strcmp(attribute, "gwDestination") == 0)
		return !is_reached;
	if (strcmp(attribute, "gwPort") == 0)
		return is_reached &&
		       rule_hit(entries, count, rule, ask) == HIT_NO;
	return subject_fails(rule, attribute, ask) && subject(rule, ask) == 0;
}

bool
reference_fails(const struct reference_entry *entries, size_t count,
    const char *cn, const char *attribute, const struct reference_ask *ask)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].is_rule && strcmp(name_of(&entries[i]), cn) == 0)
			return fails(
			    entries, count, &entries[i], attribute, ask);
	return false;
}

struct reference_verdict
reference_judge(const struct reference_entry *entries, size_t count,
    const struct reference_ask *ask)
{
	struct bits address = bits_of(ask->address);
	const char *reason = "denied_no_rule", *reported = "";

	for (size_t i = 0; i < count; i++) {
		const struct reference_entry *rule = &entries[i];
		bool denial = some(rule, "gwAction", false, denies, ask);
		enum hit hit;
		int who;

		if (!rule->is_rule || !conditions_hold(rule, ask))
			continue;
		hit = rule_hit(entries, count, rule, ask);
		who = subject(rule, ask);
		if (hit == HIT_NO || who == 0)
			continue;
		if (some(rule, "gwReportOnly", false, is_true, ask)) {
			if (*reported == '\0' && who > 0 &&
			    (denial || hit == HIT_YES))
				reported = name_of(rule);
			continue;
		}
		if (who < 0)
			return (struct reference_verdict){
			    "directory_unavailable", name_of(rule), reported};
		if (denial)
			return (struct reference_verdict){
			    "denied_rule", name_of(rule), reported};
		if (hit == HIT_YES)
			return (struct reference_verdict){
			    "ok", name_of(rule), reported};
		if (bits_to_open(&address, ask) > 0)
			reason = "denied_special";
	}
	return (struct reference_verdict){reason, "", reported};
}

static bool
has_value(const struct reference_entry *entry, const char *attribute,
    const char *value)
{
	for (size_t i = 0; i < entry->count; i++)
		if (strcmp(entry->values[i].attribute, attribute) == 0 &&
		    (value == NULL ||
			strcmp(entry->values[i].value, value) == 0))
			return true;
	return false;
}

static bool
leads_everywhere(const struct reference_entry *entries, size_t count,
    const struct reference_entry *rule)
{
	if (has_value(rule, "gwPort", NULL))
		return false;
	if (has_value(rule, "gwDestination", "*"))
		return true;
	for (size_t i = 0; i < count; i++)
		if (has_value(rule, "gwDestinationSet", entries[i].dn) &&
		    has_value(&entries[i], "gwDestination", "*") &&
		    !has_value(&entries[i], "gwPort", NULL))
			return true;
	return false;
}

struct reference_verdict
reference_judge_command(const struct reference_entry *entries, size_t count,
    const struct reference_ask *ask)
{
	struct reference_verdict verdict = {"denied_no_rule", "", ""};

	for (size_t i = 0; i < count; i++) {
		const struct reference_entry *rule = &entries[i];
		bool denial = some(rule, "gwAction", false, denies, ask);
		bool everywhere = leads_everywhere(entries, count, rule);
		int who = subject(rule, ask);

		if (!rule->is_rule || !conditions_hold(rule, ask) || who == 0 ||
		    some(rule, "gwReportOnly", false, is_true, ask))
			continue;
		if (who > 0 && !denial)
			return (struct reference_verdict){
			    "ok", name_of(rule), ""};
		if (*verdict.rule == '\0' && (!denial || everywhere))
			verdict = (struct reference_verdict){
			    who < 0 ? "directory_unavailable" : "denied_rule",
			    name_of(rule), ""};
		if (everywhere)
			break;
	}
	return verdict;
}
