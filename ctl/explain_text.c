/* SPDX-License-Identifier: ISC */
/* An explained decision for people. */
#include "ctl/explain_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/moment_text.h"
#include "ctl/table.h"

#define TEXT_SIZE 2048

/* What stands there; "" if nothing does. */
static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static bool
is_yes(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static uint64_t
number_of(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* "  title     what", made safe to show. */
static void printf_like(2, 3) say(const char *title, const char *format, ...)
{
	char text[TEXT_SIZE], quoted[TEXT_QUOTED_SIZE(TEXT_SIZE)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)text_quote(quoted, sizeof(quoted), text, strlen(text));
	(void)printf("  %-10s %s\n", title, quoted);
}

static const char *
verb(const char *command)
{
	if (strcmp(command, "bind") == 0)
		return "be called by";
	return strcmp(command, "udp") == 0 ? "exchange datagrams with"
					   : "connect to";
}

static void
print_headline(const json_t *question, const json_t *decision)
{
	const char *outcome = text_of(decision, "decision");
	const char *may = strcmp(outcome, "permit") == 0 ? "may"
			  : strcmp(outcome, "deny") == 0 ? "may not"
							 : "would";
	char text[TEXT_SIZE], quoted[TEXT_QUOTED_SIZE(TEXT_SIZE)];

	(void)snprintf(text, sizeof(text), "%s: %s %s %s %s", outcome,
	    text_of(question, "identity"), may,
	    verb(text_of(question, "command")),
	    text_of(question, "destination"));
	(void)text_quote(quoted, sizeof(quoted), text, strlen(text));
	(void)puts(quoted);
}

static void
print_limits(const json_t *decision)
{
	static const struct {
		const char *name, *of;
	} limits[] = {
	    {"max_sessions", "sessions at a time"},
	    {"max_rate", "octets a second"},
	    {"max_duration", "s for a session"},
	    {"idle_timeout", "s without an octet"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		uint64_t value = number_of(decision, limits[i].name);

		if (value != 0)
			say("limit", "%llu %s", (unsigned long long)value,
			    limits[i].of);
	}
	if (text_of(decision, "egress")[0] != '\0')
		say("egress", "%s", text_of(decision, "egress"));
}

/* Of a decision that depends, what it is for those whom no rule names. */
static void
print_reason(const json_t *decision)
{
	const char *reason = text_of(decision, "reason");
	bool depends = strcmp(text_of(decision, "decision"), "depends") == 0;

	if (depends)
		say("depends", "a rule names clients: say with --from where "
			       "this one is");
	if (depends || strcmp(reason, "ok") != 0)
		say(depends ? "otherwise" : "reason", "%s: %s", reason,
		    text_of(decision, "sentence"));
}

static void
print_decision(const json_t *decision)
{
	char moment[MOMENT_TEXT_SIZE];

	print_reason(decision);
	if (text_of(decision, "rule")[0] != '\0')
		say("rule", "%s", text_of(decision, "rule"));
	if (number_of(decision, "valid_until") != 0)
		say("until", "%s",
		    moment_text_print(
			number_of(decision, "valid_until"), moment));
	print_limits(decision);
	if (text_of(decision, "report")[0] != '\0')
		say("dry run", "rule %s would %s", text_of(decision, "report"),
		    text_of(decision, "report_action"));
}

static void
print_question(const json_t *question)
{
	const char *from = text_of(question, "from");
	const char *indicators = text_of(question, "indicators");
	char moment[MOMENT_TEXT_SIZE];

	say("judged", "listener %s, method %s, protection %s%s",
	    text_of(question, "listener"), text_of(question, "method"),
	    text_of(question, "protection"),
	    is_yes(question, "protection_assumed")
		? " (the most that the listener grants)"
		: "");
	say("", "from %s, at %s%s%s%s",
	    from[0] != '\0' ? from : "anywhere (not said)",
	    moment_text_print(number_of(question, "at"), moment),
	    is_yes(question, "now") ? " (now)" : "",
	    indicators[0] != '\0' ? ", with indicators " : "", indicators);
}

static void
print_policy(const json_t *policy)
{
	if (policy == NULL)
		say("policy", "none has been read yet");
	else
		say("policy", "generation %llu%s",
		    (unsigned long long)number_of(policy, "generation"),
		    is_yes(policy, "expired")
			? ", too old: the directory is silent"
		    : is_yes(policy, "stale")
			? ", stale: the directory is silent"
			: "");
}

/* And where it comes from, but from the cache. */
static void
print_group(const char *title, const json_t *group)
{
	const char *origin = text_of(group, "origin");
	const char *through = text_of(group, "through");

	say(title, "%s %s%s%s%s%s", is_yes(group, "used") ? "*" : " ",
	    text_of(group, "dn"), origin[0] != '\0' ? ", by " : "", origin,
	    through[0] != '\0' ? " through " : "", through);
}

static void
print_subject(const json_t *subject, const json_t *groups)
{
	const char *dn = text_of(subject, "dn");
	const char *account = text_of(subject, "account");
	const char *silence = text_of(subject, "silence");
	const json_t *group;
	bool is_known;
	size_t i;

	if (!is_yes(subject, "asked")) {
		say("user", "not looked up: no rule has gwUser or gwGroup, and "
			    "accounts are not checked");
		return;
	}
	is_known = strcmp(account, "unknown") != 0;
	if (dn[0] == '\0')
		dn = is_known ? "not in the directory" : "not known";
	say("user", "%s; account %s", dn, account);
	if (silence[0] != '\0')
		say("", "the directory does not say: %s%s", silence,
		    is_known ? "; this is what it said before" : "");
	json_array_foreach(groups, i, group)
	{
		print_group(i == 0 ? "groups" : "", group);
	}
	if (json_array_size(groups) > 0)
		say("", "(* some rule names it)");
}

static void
print_addresses(const json_t *resolution, const json_t *addresses)
{
	const json_t *address;
	size_t i;

	if (resolution != NULL && !is_yes(resolution, "asked"))
		say("addresses", "not resolved: every outcome is a denial");
	json_array_foreach(addresses, i, address)
	{
		const char *rule = text_of(address, "rule");

		say(i == 0 ? "addresses" : "", "%s: %s, %s%s%s%s",
		    text_of(address, "address"), text_of(address, "decision"),
		    text_of(address, "reason"),
		    rule[0] != '\0' ? ", rule " : "", rule,
		    is_yes(address, "special") ? " (a special address)" : "");
	}
}

static enum outcome
end(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return outcome_say(
		    OUTCOME_LOCAL, "standard output cannot be written");
	return OUTCOME_OK;
}

static enum outcome
print_rules(const json_t *rules, uint64_t not_asked)
{
	static const char *const headings[] = {
	    "ORDER", "RULE", "ACTION", "ADDRESS", "WHAT IT DID"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	const json_t *rule;
	enum outcome outcome;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		char order[24], did[64];
		const char *address = text_of(rule, "address");
		const char *failed = text_of(rule, "failed");
		const char *const cells[] = {order, text_of(rule, "name"),
		    text_of(rule, "action"),
		    address[0] != '\0' ? address : "any", did};

		(void)snprintf(order, sizeof(order), "%llu",
		    (unsigned long long)number_of(rule, "order"));
		(void)snprintf(did, sizeof(did), "%s%s%s",
		    text_of(rule, "part"), failed[0] != '\0' ? ": " : "",
		    failed);
		table_add(table, cells);
	}
	outcome = table_print(table);
	table_free(table);
	if (outcome != OUTCOME_OK || not_asked == 0)
		return outcome;
	(void)printf("%llu behind %s not asked\n",
	    (unsigned long long)not_asked, not_asked == 1 ? "was" : "were");
	return end();
}

enum outcome
explain_text_print(const json_t *document)
{
	const json_t *question = json_object_get(document, "question");
	const json_t *decision = json_object_get(document, "decision");
	const json_t *rules = json_object_get(document, "rules");

	print_headline(question, decision);
	print_decision(decision);
	print_question(question);
	print_policy(json_object_get(document, "policy"));
	print_subject(json_object_get(document, "subject"),
	    json_object_get(document, "groups"));
	print_addresses(json_object_get(document, "resolution"),
	    json_object_get(document, "addresses"));
	if (json_array_size(rules) == 0) {
		say("rules", "none was asked");
		return end();
	}
	(void)fputc('\n', stdout);
	return print_rules(rules, number_of(decision, "rules_not_asked"));
}
