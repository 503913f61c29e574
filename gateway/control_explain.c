/* SPDX-License-Identifier: ISC */
/*
 * Explains a decision: judges as a session would be judged now, by the same
 * code, and says what each rule had to do with it.
 *
 * The story is a session's: what the directory knows of the client; judged by
 * name; resolved, where an address can matter; each address judged.
 */
#include "gateway/control_commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "gateway/control_server.h"
#include "gateway/explain_private.h"
#include "gateway/judging.h"
#include "gateway/settings.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "relay/resolver.h"

/* Rules that are looked through at a time. */
#define RULES_AT_ONCE 256

_Static_assert(RESOLVER_ADDRESSES_MAX <= EXPLANATION_ADDRESSES_MAX,
    "all that a name has is explained");

/* ---- the end */

static void
end(void *state)
{
	struct explain *explain = state;

	if (explain == NULL)
		return;
	control_who_cancel(explain->lookup);
	resolution_cancel(explain->resolution);
	control_who_fini(&explain->who);
	ruleset_unref(explain->rules);
	settings_unref(explain->settings);
	free((void *)(uintptr_t)explain->own.addresses);
	free((void *)(uintptr_t)explain->own.ports);
	free(explain->group_used);
	free(explain);
}

static void
enter(struct explain *explain, enum explain_step step)
{
	explain->step = step;
	explain->next = 0;
}

/* Everything is known: from here on it is said. */
static void
conclude(struct explain *explain)
{
	size_t groups = explain->subject == NULL ? 0 : explain->subject->count;

	explain->group_used =
	    must_alloc(groups + 1, sizeof(*explain->group_used));
	enter(explain, STEP_MARK_GROUPS);
	explain_say_question(explain);
	if (explain->rules != NULL)
		control_policy_say(explain->call, explain->rules,
		    explain->is_stale, explain->found.context.rules == NULL);
	explain_say_subject(explain);
	control_call_pump(explain->call);
}

/* ---- judging */

/* A stream has the first permission's verdict; datagrams have the one of where
 * they go. */
static void
take_lead(struct explain *explain)
{
	const struct explanation *found = &explain->found;
	struct address permitted[EXPLANATION_ADDRESSES_MAX];
	const struct address nowhere = {.family = ADDRESS_NONE};
	size_t count = 0;

	if (found->request.command != COMMAND_UDP ||
	    found->verdict.decision != DECISION_PERMIT)
		return;
	for (size_t i = 0; i < found->count; i++)
		if (found->addresses[i].verdict.decision == DECISION_PERMIT)
			permitted[count++] = found->addresses[i].address;
	explanation_lead(
	    &explain->found, judging_choose(permitted, count, &nowhere));
}

static void
on_resolved(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct explain *explain = arg;

	explain->resolution = NULL;
	explain->is_resolved = true;
	explain->resolution_reason = reason;
	if (reason == REASON_OK) {
		explanation_judge(&explain->found, addresses, count);
		take_lead(explain);
	} else {
		explanation_unresolved(&explain->found, reason);
	}
	conclude(explain);
}

static void
resolve(struct explain *explain)
{
	explain->resolution =
	    resolution_start(control_call_world(explain->call)->resolver,
		explain->question.destination.name, on_resolved, explain);
	if (explain->resolution == NULL)
		control_call_fail(
		    explain->call, CTL_UNAVAILABLE, "no memory is left");
}

static const struct rule *
next_rule(struct explain *explain)
{
	if (explain->rules == NULL ||
	    explain->next == ruleset_count(explain->rules))
		return NULL;
	return ruleset_rule(explain->rules, explain->next++);
}

/* Without the client: are there clients to whom an address might be permitted?
 * True as long as it is not known. */
static bool
look(struct explain *explain)
{
	const struct rule *rule;

	for (unsigned i = 0; i < RULES_AT_ONCE; i++) {
		enum explanation_hint hint = HINT_CLOSED;

		rule = next_rule(explain);
		if (rule != NULL)
			hint = explanation_look(&explain->found, rule);
		if (hint == HINT_CLOSED)
			conclude(explain);
		else if (hint == HINT_RESOLVE)
			resolve(explain);
		if (hint != HINT_NONE)
			return hint == HINT_CLOSED;
	}
	return true;
}

/* What a session is refused before anybody is asked. */
static enum reason
unserved(const struct explain *explain)
{
	const struct explain_question *question = &explain->question;

	if (question->command != COMMAND_BIND &&
	    question->destination.port == 0)
		return REASON_PORT_ZERO;
	if (question->command == COMMAND_UDP && !question->has_seal &&
	    !question->listener->allow_clear_udp)
		return REASON_UDP_CLEAR;
	return REASON_OK;
}

/* No rule is asked. */
static void
refuse(struct explain *explain, enum reason reason)
{
	explain->found.verdict = (struct verdict){
	    .decision = DECISION_DENY,
	    .reason = reason,
	    .rule = "",
	    .valid_until_us = UINT64_MAX,
	    .reported = "",
	};
	conclude(explain);
}

static void
judge(struct explain *explain)
{
	const struct control_world *world = control_call_world(explain->call);
	const struct judging judging = {
	    .shared = world->shared,
	    .settings = explain->settings,
	    .rules = explain->rules,
	    .own = &explain->own,
	};
	enum reason why = unserved(explain);

	explain->found.context =
	    judging_context(&judging, explain->subject, &explain->is_stale);
	explain->found.request.time_us = explain->question.has_time
					     ? explain->question.time_us
					     : clock_wall_us();
	if (why != REASON_OK) {
		refuse(explain, why);
		return;
	}
	explanation_begin(&explain->found);
	if (explain->found.verdict.decision == DECISION_DEPENDS)
		resolve(explain);
	else if (explanation_has_look(&explain->found))
		control_call_pump(explain->call);
	else
		conclude(explain);
}

/* ---- beginning */

static void
on_subject(void *arg, struct control_who *who)
{
	struct explain *explain = arg;

	explain->lookup = NULL;
	explain->who = *who;
	*who = (struct control_who){.subject = NULL};
	explain->subject = explain->who.subject;
	explain->subject_reason =
	    explain->subject != NULL ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE;
	judge(explain);
}

static void
look_up(struct explain *explain)
{
	explain->lookup = control_who_start(control_call_world(explain->call),
	    explain->question.identity.name, on_subject, explain);
	if (explain->lookup == NULL)
		control_call_fail(
		    explain->call, CTL_UNAVAILABLE, "no memory is left");
}

static void *
copy(const void *data, size_t count, size_t size)
{
	void *made = must_alloc(count + 1, size);

	if (count > 0)
		memcpy(made, data, count * size);
	return made;
}

static void
take_world(struct explain *explain, const struct control_world *world)
{
	explain->settings = settings_ref(world->settings);
	if (world->rules != NULL)
		explain->rules = ruleset_ref(world->rules);
	explain->own = world->own;
	explain->own.addresses = copy(world->own.addresses, world->own.count,
	    sizeof(*world->own.addresses));
	explain->own.ports = copy(
	    world->own.ports, world->own.port_count, sizeof(*world->own.ports));
	control_call_holds(explain->call, explain->rules);
	explain->needs_subject =
	    judging_needs_subject(explain->settings, explain->rules);
}

static void
make_request(struct explain *explain)
{
	const struct explain_question *question = &explain->question;

	explain->found.request = (struct request){
	    .identity = &question->identity,
	    .command = question->command,
	    .destination = question->destination,
	    .client = question->client,
	    .listener = question->listener->name,
	    .protection = question->protection,
	};
}

static void *
start(struct control_call *call)
{
	struct explain *explain = must_alloc(1, sizeof(*explain));
	char why[CTL_SENTENCE_SIZE];

	explain->call = call;
	take_world(explain, control_call_world(call));
	if (!explain_question_read(control_call_asked(call), explain->settings,
		&explain->question, why, sizeof(why))) {
		control_call_fail(call, CTL_BAD_QUESTION, "%s", why);
		return explain;
	}
	make_request(explain);
	if (explain->needs_subject)
		look_up(explain);
	else
		judge(explain);
	return explain;
}

/* ---- saying */

static int
compare_texts(const void *key, const void *member)
{
	return strcmp(key, *(char *const *)member);
}

/* Marks those of the subject's groups that the rule names. */
static void
mark_used(struct explain *explain, const struct rule *rule)
{
	const struct subject *subject = explain->subject;

	/* bsearch takes no NULL, of nothing either. */
	for (size_t i = 0; subject->count > 0 && i < rule->groups.count; i++) {
		char **found = bsearch(rule->groups.texts[i], subject->groups,
		    subject->count, sizeof(*subject->groups), compare_texts);

		if (found != NULL)
			explain->group_used[found - subject->groups] = true;
	}
}

static void
mark_groups(struct explain *explain)
{
	const struct rule *rule = NULL;

	for (unsigned i = 0; i < RULES_AT_ONCE; i++) {
		rule = explain->subject == NULL ? NULL : next_rule(explain);
		if (rule == NULL) {
			enter(explain, STEP_GROUPS);
			return;
		}
		mark_used(explain, rule);
	}
}

static void
say_group(struct explain *explain)
{
	if (explain->subject != NULL &&
	    explain->next < explain->subject->count) {
		explain_say_group(explain, explain->next++);
		return;
	}
	explain_say_addresses(explain);
	enter(explain,
	    explanation_asks_rules(&explain->found) ? STEP_RULES : STEP_END);
}

static void
say_rule(struct explain *explain)
{
	struct explanation_bearing bearings[EXPLANATION_ADDRESSES_MAX];
	const struct rule *rule = next_rule(explain);

	if (rule != NULL && explanation_ask(&explain->found, rule, bearings)) {
		explain_say_rule(explain, rule, bearings);
		return;
	}
	if (rule != NULL) /* this one, and what is behind it */
		explain->not_asked =
		    ruleset_count(explain->rules) - (explain->next - 1);
	enter(explain, STEP_END);
}

static bool
pump(struct control_call *call, void *state)
{
	struct explain *explain = state;

	switch (explain->step) {
	case STEP_LOOK:
		return look(explain);
	case STEP_MARK_GROUPS:
		mark_groups(explain);
		return true;
	case STEP_GROUPS:
		say_group(explain);
		return true;
	case STEP_RULES:
		say_rule(explain);
		return true;
	case STEP_END:
		break;
	}
	explain_say_decision(explain);
	control_call_done(call);
	return false;
}

/* As explain_question_read has them. */
static const char *const arguments[] = {"user", "do", "destination", "from",
    "listener", "method", "protection", "at", "indicator", NULL};

const struct control_command control_explain = {
    .name = "explain",
    .arguments = arguments,
    .start = start,
    .pump = pump,
    .end = end,
};
