/* SPDX-License-Identifier: ISC */
/* Whether a rule's conditions hold for a request, its destination aside. */
#include "policy/condition.h"

#include <string.h>

#include "base/request.h"
#include "policy/judge.h"
#include "policy/principal.h"
#include "policy/rule.h"
#include "policy/subject.h"

static bool
command_holds(const struct rule *rule, const struct request *request)
{
	return (rule->commands & RULE_BIT(request->command)) != 0;
}

static bool
method_holds(const struct rule *rule, const struct request *request)
{
	enum method method = METHOD_NONE;

	if (request->identity != NULL)
		method = request->identity->method;
	return (rule->methods & RULE_BIT(method)) != 0;
}

static bool
protection_holds(const struct rule *rule, const struct request *request)
{
	return protection_satisfies(request->protection, rule->protection);
}

static bool
client_holds(const struct rule *rule, const struct request *request)
{
	for (size_t i = 0; i < rule->client_count; i++)
		if (network_has(&rule->clients[i], &request->client.address))
			return true;
	return rule->client_count == 0;
}

static bool
listener_holds(const struct rule *rule, const struct request *request)
{
	for (size_t i = 0; i < rule->listeners.count; i++)
		if (strcmp(rule->listeners.texts[i], request->listener) == 0)
			return true;
	return rule->listeners.count == 0;
}

/* Is the text one of the words? */
static bool
has_word(const char *words, const char *text)
{
	size_t len = strlen(text);

	for (const char *word = words; *word != '\0';) {
		size_t word_len = strcspn(word, " ");

		if (word_len == len && memcmp(word, text, len) == 0)
			return true;
		word += word_len;
		word += *word == ' ';
	}
	return false;
}

static bool
indicator_holds(const struct rule *rule, const struct request *request)
{
	for (size_t i = 0;
	     request->identity != NULL && i < rule->indicators.count; i++)
		if (has_word(request->identity->indicators,
			rule->indicators.texts[i]))
			return true;
	return rule->indicators.count == 0;
}

const char *
condition_failed(const struct rule *rule, const struct request *request)
{
	if (!command_holds(rule, request))
		return "gwCommand";
	if (!method_holds(rule, request))
		return "gwMethod";
	if (!protection_holds(rule, request))
		return "gwProtection";
	if (!client_holds(rule, request))
		return "gwClient";
	if (!listener_holds(rule, request))
		return "gwListener";
	return indicator_holds(rule, request) ? NULL : "gwIndicator";
}

static void
lower(int64_t *until, int64_t to, int64_t now)
{
	if (to > now && to < *until)
		*until = to;
}

static bool
schedules_hold(const struct rule *rule, int64_t now, int64_t *until)
{
	bool holds = rule->schedule_count == 0;

	for (size_t i = 0; i < rule->schedule_count; i++) {
		const struct schedule *schedule = &rule->schedules[i];

		holds |= schedule_holds(schedule, now);
		lower(until, schedule_next_change(schedule, now), now);
	}
	return holds;
}

const char *
condition_time_failed(const struct rule *rule, int64_t now, int64_t *until)
{
	bool is_scheduled = schedules_hold(rule, now, until);

	lower(until, rule->not_before, now);
	lower(until, rule->not_after, now);
	if (now < rule->not_before)
		return "gwNotBefore";
	if (now >= rule->not_after)
		return "gwNotAfter";
	return is_scheduled ? NULL : "gwSchedule";
}

static bool
is_principal(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->principals.count; i++)
		if (principal_matches(rule->principals.texts[i], name))
			return true;
	return false;
}

static bool
is_in_directory_as(const struct rule *rule, const struct subject *subject)
{
	for (size_t i = 0; i < rule->users.count; i++)
		if (subject->dn != NULL &&
		    strcmp(rule->users.texts[i], subject->dn) == 0)
			return true;
	for (size_t i = 0; i < rule->groups.count; i++)
		if (subject_is_member(subject, rule->groups.texts[i]))
			return true;
	return false;
}

/* The three attributes that name subjects are alternatives. */
enum condition
condition_subject(const struct rule *rule, const struct judge_context *context,
    const struct request *request)
{
	bool asks_directory = rule->users.count > 0 || rule->groups.count > 0;

	if (!asks_directory && rule->principals.count == 0)
		return CONDITION_HOLDS;
	if (request->identity == NULL)
		return CONDITION_FAILS;
	if (is_principal(rule, request->identity->name))
		return CONDITION_HOLDS;
	if (!asks_directory)
		return CONDITION_FAILS;
	if (context->subject == NULL)
		return CONDITION_UNKNOWN;
	return is_in_directory_as(rule, context->subject) ? CONDITION_HOLDS
							  : CONDITION_FAILS;
}
