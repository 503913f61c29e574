/* SPDX-License-Identifier: ISC */
/*
 * Whether a rule's conditions hold wherever another's do.
 *
 * Each function mirrors one of condition.c, for all requests at once.
 */
#include "policy/subsume.h"

#include <stdint.h>
#include <string.h>

#include "base/method.h"
#include "policy/networks.h"
#include "policy/principal.h"
#include "policy/rule.h"
#include "policy/zone.h"

#define DAY_MINUTES  1440
#define DAYS	     7
#define WEEK_MINUTES (DAYS * DAY_MINUTES)

static bool
protection_is_within(const struct rule *wide, const struct rule *narrow)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (protection_satisfies(
			(enum protection)i, narrow->protection) &&
		    !protection_satisfies((enum protection)i, wide->protection))
			return false;
	return true;
}

/* Both sorted by strcmp. */
static bool
texts_are_within(const struct rule_texts *wide, const struct rule_texts *narrow)
{
	size_t at = 0;

	for (size_t i = 0; i < narrow->count; i++, at++) {
		while (at < wide->count &&
		       strcmp(wide->texts[at], narrow->texts[i]) < 0)
			at++;
		if (at == wide->count ||
		    strcmp(wide->texts[at], narrow->texts[i]) != 0)
			return false;
	}
	return true;
}

/* Of attributes that match everything where they are not there. */
static bool
list_is_within(const struct rule_texts *wide, const struct rule_texts *narrow)
{
	return wide->count == 0 ||
	       (narrow->count > 0 && texts_are_within(wide, narrow));
}

/* ---- clients */

static bool
is_in_one(const struct rule *wide, const struct network *network)
{
	for (size_t i = 0; i < wide->client_count; i++)
		if (wide->clients[i].prefix_len <= network->prefix_len &&
		    network_has(&wide->clients[i], &network->base))
			return true;
	return false;
}

static bool
are_in_all_together(const struct rule *wide, const struct rule *narrow)
{
	bool are_within = true;

	for (size_t i = 0; i < narrow->client_count && are_within; i++) {
		struct networks all = {0};

		for (size_t j = 0; j < wide->client_count; j++)
			networks_add(&all, &wide->clients[j]);
		are_within =
		    networks_cover(&all, &narrow->clients[i], NETWORKS_PLAINLY);
		networks_fini(&all);
	}
	return are_within;
}

static bool
clients_are_within(const struct rule *wide, const struct rule *narrow)
{
	bool are_in_ones = true;

	if (wide->client_count == 0)
		return true;
	if (narrow->client_count == 0)
		return false;
	for (size_t i = 0; i < narrow->client_count; i++)
		are_in_ones &= is_in_one(wide, &narrow->clients[i]);
	return are_in_ones ||
	       (wide->client_count > 1 && are_in_all_together(wide, narrow));
}

/* ---- subjects */

bool
subsume_asks_directory(const struct rule *rule)
{
	return rule->users.count > 0 || rule->groups.count > 0;
}

bool
subsume_part(const struct rule *rule, size_t i, struct subject_part *part)
{
	const struct rule_texts *const lists[] = {
	    [SUBJECT_USER] = &rule->users,
	    [SUBJECT_GROUP] = &rule->groups,
	    [SUBJECT_PRINCIPAL] = &rule->principals,
	};

	for (size_t kind = 0; kind < ARRAY_COUNT(lists); kind++) {
		if (i < lists[kind]->count) {
			part->kind = (enum subject_kind)kind;
			part->text = lists[kind]->texts[i];
			return true;
		}
		i -= lists[kind]->count;
	}
	return false;
}

/* A pattern lies within another if the other matches its text: a star is
 * matched by nothing but a star. */
static bool
has_principal(const struct rule *rule, const char *principal)
{
	for (size_t i = 0; i < rule->principals.count; i++)
		if (principal_matches(rule->principals.texts[i], principal))
			return true;
	return false;
}

static bool
has_text(const struct rule_texts *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->texts[i], text) == 0)
			return true;
	return false;
}

static bool
has_part(const struct rule *wide, const struct subject_part *part)
{
	switch (part->kind) {
	case SUBJECT_USER:
		return has_text(&wide->users, part->text);
	case SUBJECT_GROUP:
		return has_text(&wide->groups, part->text);
	case SUBJECT_PRINCIPAL:
		break;
	}
	return has_principal(wide, part->text);
}

static bool
subjects_are_within(const struct rule *wide, const struct rule *narrow,
    const struct subject_part *part)
{
	bool is_anybody =
	    !subsume_asks_directory(wide) && wide->principals.count == 0;

	if (is_anybody)
		return true;
	if (part != NULL)
		return has_part(wide, part);
	if (!subsume_asks_directory(narrow) && narrow->principals.count == 0)
		return false;
	for (size_t i = 0; i < narrow->principals.count; i++)
		if (!has_principal(wide, narrow->principals.texts[i]))
			return false;
	return texts_are_within(&wide->users, &narrow->users) &&
	       texts_are_within(&wide->groups, &narrow->groups);
}

/* ---- time */

/* The minutes of a week, from Sunday on, by the clocks of a zone. */
struct week {
	uint8_t minutes[WEEK_MINUTES / 8];
};

static void
add_minutes(struct week *week, unsigned from, unsigned until)
{
	for (unsigned minute = from; minute < until; minute++)
		week->minutes[minute % WEEK_MINUTES / 8] |=
		    (uint8_t)(1U << minute % WEEK_MINUTES % 8);
}

static void
add_schedule(struct week *week, const struct schedule *schedule)
{
	for (unsigned day = 0; day < DAYS; day++) {
		unsigned midnight = day * DAY_MINUTES;
		unsigned until = midnight + schedule->end;

		if ((schedule->days & 1U << day) == 0)
			continue;
		if (schedule->end <= schedule->start)
			until += DAY_MINUTES;
		add_minutes(week, midnight + schedule->start, until);
	}
}

static bool
is_zone_the_same(const struct schedule *a, const struct schedule *b)
{
	return zone_compare(a->zone, b->zone) == 0;
}

/* Together with the others of its zone it is always. */
static bool
is_in_week(const struct rule *wide, const struct schedule *zone,
    const struct schedule *narrow)
{
	struct week covered = {{0}}, asked = {{0}};

	for (size_t i = 0; i < wide->schedule_count; i++)
		if (is_zone_the_same(&wide->schedules[i], zone))
			add_schedule(&covered, &wide->schedules[i]);
	if (narrow != NULL && is_zone_the_same(zone, narrow))
		add_schedule(&asked, narrow);
	else
		add_minutes(&asked, 0, WEEK_MINUTES);
	for (size_t i = 0; i < sizeof(asked.minutes); i++)
		if ((asked.minutes[i] & ~covered.minutes[i]) != 0)
			return false;
	return true;
}

/* NULL: at any time. */
static bool
schedule_is_within(const struct rule *wide, const struct schedule *narrow)
{
	for (size_t i = 0; i < wide->schedule_count; i++)
		if (narrow != NULL &&
		    schedule_compare(&wide->schedules[i], narrow) == 0)
			return true;
	for (size_t i = 0; i < wide->schedule_count; i++)
		if (is_in_week(wide, &wide->schedules[i], narrow))
			return true;
	return wide->schedule_count == 0;
}

static bool
time_is_within(const struct rule *wide, const struct rule *narrow)
{
	if (wide->not_before > narrow->not_before ||
	    wide->not_after < narrow->not_after)
		return false;
	if (wide->schedule_count == 0)
		return true;
	for (size_t i = 0; i < narrow->schedule_count; i++)
		if (!schedule_is_within(wide, &narrow->schedules[i]))
			return false;
	return narrow->schedule_count > 0 || schedule_is_within(wide, NULL);
}

/* A denial without gwMethod is about those who proved nothing, too, and a
 * permission is not. */
static enum subsumed
subsume_methods(const struct rule *wide, const struct rule *narrow)
{
	const unsigned nothing = RULE_BIT(METHOD_NONE);
	unsigned more = narrow->methods & ~wide->methods;

	if (more == 0)
		return SUBSUMED_WHOLE;
	return more == nothing && narrow->methods != nothing ? SUBSUMED_PROVED
							     : SUBSUMED_NOT;
}

/* What costs least is asked first. */
enum subsumed
subsume(const struct rule *wide, const struct rule *narrow,
    const struct subject_part *part)
{
	enum subsumed by_methods = subsume_methods(wide, narrow);

	if (by_methods == SUBSUMED_NOT ||
	    (narrow->commands & ~wide->commands) != 0 ||
	    !protection_is_within(wide, narrow) ||
	    !list_is_within(&wide->listeners, &narrow->listeners) ||
	    !list_is_within(&wide->indicators, &narrow->indicators) ||
	    !subjects_are_within(wide, narrow, part) ||
	    !clients_are_within(wide, narrow) || !time_is_within(wide, narrow))
		return SUBSUMED_NOT;
	return by_methods;
}
