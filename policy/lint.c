/* SPDX-License-Identifier: ISC */
/*
 * What can be said against rules that are good.
 *
 * A rule is compared with those before it that could take one of its
 * destinations: found by the rule set's own index at one point of the
 * destination, or by their subjects, whichever are fewer.
 */
#include "policy/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/method.h"
#include "policy/candidates.h"
#include "policy/coverage.h"
#include "policy/prospect.h"
#include "policy/rivals.h"
#include "policy/rule.h"
#include "policy/ruleset_private.h"
#include "policy/subsume.h"

/* A destination is compared with so many rules at most, and all of them
 * together with so many values: some seconds. */
#define COMPARED_MAX 2048
#define EFFORT_MAX   500000000

/* Schedules look nine days ahead; an hour that a shift of the clocks skips
 * is there a week later. */
#define LOOK_STEP_S   (8 * INT64_C(86400))
#define LOOK_WITHIN_S (60 * INT64_C(86400))

struct lint {
	const struct ruleset *rules;
	const struct lint_facts *facts;
	lint_fn *tell;
	void *arg;
	struct rivals *rivals;
	size_t effort;
	bool is_cut_short;
};

static const struct {
	const char *name;
	bool is_mistake;
	const char *sentence;
} kinds[LINT_COUNT] = {
#define L(enumerator, name, is_mistake, sentence) {name, is_mistake, sentence},
#include "policy/lint.def"
#undef L
};

const char *
lint_name(enum lint_kind kind)
{
	return kinds[kind].name;
}

bool
lint_is_mistake(enum lint_kind kind)
{
	return kinds[kind].is_mistake;
}

const char *
lint_sentence(enum lint_kind kind)
{
	return kinds[kind].sentence;
}

static void
tell_of(const struct lint *lint, enum lint_kind kind, const struct rule *rule,
    const struct target_set *set)
{
	const struct lint_finding finding = {
	    .kind = kind, .rule = rule, .set = set};

	lint->tell(lint->arg, &finding);
}

/* ---- who takes a destination */

/* One destination of a rule, for all its subjects or for one, and the best
 * that was found for it. */
struct errand {
	struct lint *lint;
	const struct rule *rule;
	uint32_t place;
	size_t list;
	const struct destination *destination;
	const struct subject_part *part; /* NULL: of all subjects */
	size_t compared;
	enum coverage best;
	const struct rule *by;
};

/* False: look no further. */
static bool
compare(struct errand *errand, const struct rule *earlier)
{
	struct lint *lint = errand->lint;
	enum subsumed subsumed;
	enum coverage coverage;

	if (errand->compared++ == COMPARED_MAX || lint->effort > EFFORT_MAX) {
		lint->is_cut_short = true;
		return false;
	}
	lint->effort++;
	subsumed = earlier->is_report_only
		       ? SUBSUMED_NOT
		       : subsume(earlier, errand->rule, errand->part);
	if (subsumed == SUBSUMED_NOT)
		return true;
	coverage = coverage_of(earlier, errand->rule, errand->list,
	    errand->destination, lint->facts->own, &lint->effort);
	if (coverage == COVERAGE_WHOLE && subsumed == SUBSUMED_PROVED)
		coverage = COVERAGE_ORDINARY;
	if (coverage > errand->best) {
		errand->best = coverage;
		errand->by = earlier;
	}
	return errand->best != COVERAGE_WHOLE;
}

static void
ask_rivals(struct errand *errand, const struct rivals_found *found)
{
	const struct ruleset *rules = errand->lint->rules;

	for (size_t i = 0; i < found->count; i++) {
		const struct rule_list *list = found->lists[i];

		for (size_t j = 0; j < list->count; j++) {
			if (list->places[j] >= errand->place)
				break;
			if (!compare(errand, rules->rules[list->places[j]]))
				return;
		}
	}
}

/* A (name, address) that the destination matches; false if no name is so
 * long. */
static bool
find_point(const struct destination *destination, struct endpoint *asked,
    struct address *address)
{
	/* No rule is about it in particular. */
	static const struct address somewhere = {ADDRESS_IPV4, {192, 0, 2, 1}};
	const char *below = destination->kind == DESTINATION_SUFFIX ? "x" : "";

	*address = somewhere;
	if (destination->kind == DESTINATION_NETWORK)
		*address = destination->network.base;
	*asked = endpoint_from_address(address, 0);
	if (destination->kind == DESTINATION_NETWORK ||
	    destination->kind == DESTINATION_ANY)
		return true;
	if (strlen(below) + strlen(destination->name) > HOST_NAME_MAX_LEN)
		return false;
	asked->kind = ENDPOINT_NAME;
	memcpy(asked->name, below, strlen(below));
	memcpy(asked->name + strlen(below), destination->name,
	    strlen(destination->name) + 1);
	return true;
}

static size_t
count_candidates(const struct candidates *candidates)
{
	size_t count = 0;

	for (size_t i = 0; i < candidates->count; i++)
		count += (size_t)(candidates->lists[i].end -
				  candidates->lists[i].next);
	return candidates->is_scan ? SIZE_MAX : count;
}

static void
ask_candidates(struct errand *errand, struct candidates *candidates)
{
	const struct rule *rule;

	while ((rule = candidates_next(candidates)) != NULL &&
	       rule != errand->rule)
		if (!compare(errand, rule))
			return;
}

static void
cover(struct errand *errand, const struct rivals_found *found)
{
	struct candidates candidates;
	struct endpoint asked;
	struct address address;

	if (!find_point(errand->destination, &asked, &address))
		return;
	candidates_of_address(
	    &candidates, errand->lint->rules, &asked, &address);
	if (count_candidates(&candidates) < found->total)
		ask_candidates(errand, &candidates);
	else
		ask_rivals(errand, found);
}

/* ---- shadows */

static void
note_by(struct lint_finding *finding, const struct rule *by)
{
	for (size_t i = 0; i < finding->by_count; i++)
		if (finding->by[i] == by)
			return;
	if (finding->by_count < LINT_BY_MAX)
		finding->by[finding->by_count++] = by;
}

/* Where no rule takes it from all subjects, one may for each of them. */
static enum coverage
cover_parts(const struct errand *whole, struct lint_finding *finding)
{
	enum coverage least = COVERAGE_WHOLE;
	struct subject_part part;

	if (!subsume_part(whole->rule, 1, &part))
		return COVERAGE_NONE;
	for (size_t i = 0;
	     least != COVERAGE_NONE && subsume_part(whole->rule, i, &part);
	     i++) {
		struct errand errand = {whole->lint, whole->rule, whole->place,
		    whole->list, whole->destination, &part, 0, COVERAGE_NONE,
		    NULL};
		struct rivals_found found;

		rivals_find(whole->lint->rivals, whole->rule, &part, &found);
		cover(&errand, &found);
		least = errand.best < least ? errand.best : least;
		if (errand.by != NULL)
			note_by(finding, errand.by);
	}
	return least;
}

static enum coverage
cover_destination(struct errand *errand, const struct rivals_found *found,
    struct lint_finding *finding)
{
	cover(errand, found);
	if (errand->best == COVERAGE_NONE)
		return cover_parts(errand, finding);
	note_by(finding, errand->by);
	return errand->best;
}

/* How much of all its destinations is taken, and by whom. */
static enum coverage
cover_all(struct lint *lint, const struct rule *rule, uint32_t place,
    struct lint_finding *finding)
{
	enum coverage least = COVERAGE_WHOLE;
	const struct target_list *list;
	struct rivals_found found;
	unsigned port;

	rivals_find(lint->rivals, rule, NULL, &found);
	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++) {
		if (!coverage_find_port(rule, i, &port))
			continue;
		for (size_t j = 0; j < list->destination_count; j++) {
			struct errand errand = {lint, rule, place, i,
			    &list->destinations[j], NULL, 0, COVERAGE_NONE,
			    NULL};
			enum coverage coverage =
			    cover_destination(&errand, &found, finding);

			if (coverage == COVERAGE_NONE)
				return COVERAGE_NONE;
			least = coverage < least ? coverage : least;
		}
	}
	return least;
}

static void
look_for_shadow(struct lint *lint, const struct rule *rule, uint32_t place)
{
	struct lint_finding finding = {.rule = rule};
	enum coverage coverage = cover_all(lint, rule, place, &finding);

	if (finding.by_count == 0 || coverage == COVERAGE_NONE)
		return;
	finding.kind =
	    coverage == COVERAGE_WHOLE ? LINT_SHADOWED : LINT_OVERTAKEN;
	lint->tell(lint->arg, &finding);
}

/* ---- time */

/* Some schedule holds at some moment in [from, until). */
static bool
comes(const struct schedule *schedule, int64_t from, int64_t until)
{
	int64_t end = until;

	if (until > from + LOOK_WITHIN_S)
		end = from + LOOK_WITHIN_S;
	while (from < end) {
		int64_t change;

		if (schedule_holds(schedule, from))
			return true;
		change = schedule_next_change(schedule, from);
		from = change != INT64_MAX ? change : from + LOOK_STEP_S;
	}
	return end < until; /* what comes so late is not looked for */
}

static bool
is_never(const struct rule *rule, int64_t now)
{
	int64_t from = rule->not_before > now ? rule->not_before : now;

	for (size_t i = 0; i < rule->schedule_count; i++)
		if (comes(&rule->schedules[i], from, rule->not_after))
			return false;
	return rule->schedule_count > 0;
}

/* False: it can never match from now on. */
static bool
look_at_time(const struct lint *lint, const struct rule *rule)
{
	int64_t now = lint->facts->now;

	if (now >= rule->not_after) {
		tell_of(lint, LINT_EXPIRED, rule, NULL);
		return false;
	}
	if (is_never(rule, now)) {
		tell_of(lint, LINT_NEVER, rule, NULL);
		return false;
	}
	if (now < rule->not_before)
		tell_of(lint, LINT_NOT_YET, rule, NULL);
	return true;
}

/* ---- conditions that exclude each other */

/* By no method that it names is somebody proved whom its other conditions may
 * hold for: who proved nothing has no name, and only tickets carry
 * indicators. */
static bool
is_contradictory(const struct rule *rule)
{
	unsigned methods = rule->methods;

	if (subsume_asks_directory(rule) || rule->principals.count > 0)
		methods &= ~RULE_BIT(METHOD_NONE);
	if (rule->indicators.count > 0)
		methods &= RULE_BIT(METHOD_GSSAPI);
	return methods == 0;
}

/* False: it can never match. */
static bool
look_at_conditions(const struct lint *lint, const struct rule *rule)
{
	if (!is_contradictory(rule))
		return true;
	tell_of(lint, LINT_CONTRADICTORY, rule, NULL);
	return false;
}

/* ---- destinations of its own */

/* Some list matches at a port, and each that does names only networks of which
 * no address is permitted. */
static bool
is_closed(const struct lint *lint, const struct rule *rule)
{
	bool was_asked = false;
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++) {
		struct endpoint asked = {.kind = ENDPOINT_ADDRESS};
		struct prospect prospect;
		enum prospect_outcome outcome;
		unsigned port;

		if (list->network_first > 0)
			return false;
		if (!coverage_find_port(rule, i, &port))
			continue;
		asked.port = (uint16_t)port;
		prospect_init(&prospect, &asked, lint->facts->own);
		outcome = prospect_add(&prospect, rule, false);
		prospect_fini(&prospect);
		if (outcome == PROSPECT_OPEN)
			return false;
		was_asked = true;
	}
	return was_asked;
}

/* False: it matches at no port at all. */
static bool
look_at_ports(const struct lint *lint, const struct rule *rule)
{
	bool has_port = rule->targets.destination_count > 0;
	unsigned port;

	for (size_t i = 1; rule_targets(rule, i) != NULL; i++) {
		if (coverage_find_port(rule, i, &port))
			has_port = true;
		else
			tell_of(lint, LINT_NO_PORT, rule, rule->sets[i - 1]);
	}
	return has_port;
}

/* ---- the whole */

static void
look_at(struct lint *lint, const struct rule *rule, uint32_t place)
{
	if (rule->is_report_only)
		tell_of(lint, LINT_REPORT_ONLY, rule, NULL);
	if (!look_at_time(lint, rule) || !look_at_conditions(lint, rule) ||
	    !look_at_ports(lint, rule))
		return;
	if (rule->permits && is_closed(lint, rule))
		tell_of(lint, LINT_CLOSED, rule, NULL);
	look_for_shadow(lint, rule, place);
}

enum lint_outcome
lint_rules(const struct ruleset *rules, const struct lint_facts *facts,
    lint_fn *tell, void *arg)
{
	struct lint lint = {
	    .rules = rules, .facts = facts, .tell = tell, .arg = arg};

	lint.rivals = rivals_new(rules);
	if (lint.rivals == NULL)
		return LINT_NO_MEMORY;
	for (size_t i = 0; i < rules->enabled_count; i++)
		look_at(&lint, rules->rules[i], (uint32_t)i);
	for (size_t i = rules->enabled_count; i < rules->rule_count; i++)
		tell_of(&lint, LINT_DISABLED, rules->rules[i], NULL);
	for (size_t i = 0; i < rules->set_count; i++)
		if (rules->sets[i]->rules.count == 0)
			tell_of(&lint, LINT_UNUSED_SET, NULL, rules->sets[i]);
	rivals_free(lint.rivals);
	return lint.is_cut_short ? LINT_CUT_SHORT : LINT_DONE;
}
