/* SPDX-License-Identifier: ISC */
/* Answers what rules are in force. */
#include "gateway/control_commands.h"

#include <stdlib.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/control_server.h"
#include "gateway/judging.h"
#include "gateway/worker.h"
#include "policy/rule.h"
#include "policy/ruleset.h"

struct listing {
	struct ruleset *rules; /* a reference */
	size_t next;
};

void
control_policy_say(struct control_call *call, const struct ruleset *rules,
    bool is_stale, bool is_expired)
{
	const struct control_world *world = control_call_world(call);
	struct options *line = control_line_begin("policy");

	options_add_u64(line, "generation", ruleset_generation(rules));
	options_add_u64(line, "count", ruleset_count(rules));
	options_add_u64(line, "confirmed",
	    atomic_load(&world->shared->confirmed_us) / 1000000);
	options_add(line, "stale", ctl_yes(is_stale));
	options_add(line, "expired", ctl_yes(is_expired));
	control_line_end(call, line);
}

void
control_policy_say_now(struct control_call *call, const struct ruleset *rules)
{
	const struct control_world *world = control_call_world(call);
	const struct judging judging = {
	    .shared = world->shared,
	    .settings = world->settings,
	    .rules = rules,
	};
	bool is_stale;
	struct judge_context context =
	    judging_context(&judging, NULL, &is_stale);

	control_policy_say(call, rules, is_stale, context.rules == NULL);
}

static void *
start(struct control_call *call)
{
	const struct control_world *world = control_call_world(call);
	struct listing *listing;

	if (world->rules == NULL) {
		control_call_fail(call, CTL_UNAVAILABLE,
		    "no rules are in force: none have been read yet");
		return NULL;
	}
	listing = must_alloc(1, sizeof(*listing));
	listing->rules = ruleset_ref(world->rules);
	control_call_holds(call, listing->rules);
	control_policy_say_now(call, listing->rules);
	control_call_pump(call);
	return listing;
}

static bool
pump(struct control_call *call, void *state)
{
	struct listing *listing = state;
	const struct rule *rule;
	struct options *line;

	if (listing->next == ruleset_count(listing->rules)) {
		control_call_done(call);
		return false;
	}
	rule = ruleset_rule(listing->rules, listing->next++);
	line = control_line_begin("rule");
	options_add(line, "name", rule->name);
	options_add_u64(line, "order", rule->order);
	options_add(line, "action", rule->permits ? "permit" : "deny");
	options_add(line, "report_only", ctl_yes(rule->is_report_only));
	options_add(line, "dn", rule->dn);
	control_line_end(call, line);
	return true;
}

static void
end(void *state)
{
	struct listing *listing = state;

	if (listing == NULL)
		return;
	ruleset_unref(listing->rules);
	free(listing);
}

const struct control_command control_rules = {
    .name = "rules",
    .start = start,
    .pump = pump,
    .end = end,
};
