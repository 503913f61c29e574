/* SPDX-License-Identifier: ISC */
/* Whether what rules name is there. */
#include "ctl/lint_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/realm_line.h"
#include "ctl/daemon.h"
#include "ctl/lint_report.h"
#include "policy/rule.h"
#include "policy/ruleset.h"

/* Questions at a time: a gateway has room for 16, others' too. */
#define ASKERS 4
/* Each is a question of its own, and on record. */
#define THINGS_MAX 20000

enum kind { KIND_USER, KIND_GROUP, KIND_NAME, KIND_LISTENER, KIND_REALM };

static const struct {
	const char *kind, *sentence;
	bool is_mistake;
} kinds[] = {
    [KIND_USER] = {"no_user", "the directory has no such user (gwUser)", true},
    [KIND_GROUP] = {"no_group", "the directory has no such group (gwGroup)",
	true},
    [KIND_NAME] = {"no_name", "the name does not resolve (gwDestination)",
	true},
    [KIND_LISTENER] = {"no_listener",
	"the gateway has no such listener (gwListener)", true},
    [KIND_REALM] = {"no_realm",
	"no setting names its realm, which must be the keytab's (gwPrincipal)",
	false},
};

/* Something that a rule or a set names. */
struct reference {
	enum kind kind;
	const char *value, *name, *dn;
};

/* Something that is named once or more. */
struct thing {
	enum kind kind;
	const char *value;
	bool is_missing;
};

struct world {
	const char *socket;
	size_t reference_count, reference_room;
	struct reference *references;
	size_t thing_count;
	struct thing *things;
	atomic_size_t next;  /* to be asked about */
	atomic_bool is_over; /* nobody answers any more */
	atomic_bool has_unresolved;
	pthread_mutex_t lock; /* of why */
	char why[DAEMON_SILENCE_SIZE];
};

/* ---- what is named */

static void
add(struct world *world, enum kind kind, const char *value, const char *name,
    const char *dn)
{
	if (world->reference_count == world->reference_room) {
		world->reference_room = 2 * world->reference_room + 64;
		world->references = reallocarray(world->references,
		    world->reference_room, sizeof(*world->references));
		if (world->references == NULL)
			die("out of memory");
	}
	world->references[world->reference_count++] = (struct reference){
	    .kind = kind, .value = value, .name = name, .dn = dn};
}

static void
add_texts(struct world *world, enum kind kind, const struct rule_texts *texts,
    const struct rule *rule)
{
	for (size_t i = 0; i < texts->count; i++)
		add(world, kind, texts->texts[i], rule->name, rule->dn);
}

static void
add_hosts(struct world *world, const struct target_list *list, const char *name,
    const char *dn)
{
	for (size_t i = 0; i < list->destination_count; i++)
		if (list->destinations[i].kind == DESTINATION_NAME)
			add(world, KIND_NAME, list->destinations[i].name, name,
			    dn);
}

static void
gather(struct world *world, const struct ruleset *rules)
{
	const struct rule *rule;
	const struct target_set *set;

	for (size_t i = 0; (rule = ruleset_rule(rules, i)) != NULL; i++) {
		add_texts(world, KIND_USER, &rule->users, rule);
		add_texts(world, KIND_GROUP, &rule->groups, rule);
		add_hosts(world, &rule->targets, rule->name, rule->dn);
	}
	for (size_t i = 0; (set = ruleset_set(rules, i)) != NULL; i++)
		if (set->rules.count > 0)
			add_hosts(world, &set->targets, set->name, set->dn);
}

static int
compare(const void *a, const void *b)
{
	const struct thing *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->value, right->value);
}

/* One thing for all references to it. */
static void
make_things(struct world *world)
{
	size_t count = world->reference_count, kept = 0;
	struct thing *things = must_alloc(count + 1, sizeof(*things));

	for (size_t i = 0; i < count; i++)
		things[i] = (struct thing){.kind = world->references[i].kind,
		    .value = world->references[i].value};
	if (count > 1)
		qsort(things, count, sizeof(*things), compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare(&things[kept - 1], &things[i]) != 0)
			things[kept++] = things[i];
	world->things = things;
	world->thing_count = kept;
}

static bool
is_missing(const struct world *world, const struct reference *reference)
{
	const struct thing wanted = {
	    .kind = reference->kind, .value = reference->value};
	const struct thing *found = bsearch(&wanted, world->things,
	    world->thing_count, sizeof(wanted), compare);

	return found != NULL && found->is_missing;
}

/* ---- asking */

static void
stop(struct world *world, const char *why)
{
	(void)pthread_mutex_lock(&world->lock);
	if (!atomic_exchange(&world->is_over, true))
		(void)strlcpy(world->why, why, sizeof(world->why));
	(void)pthread_mutex_unlock(&world->lock);
}

static void
ask_entry(struct world *world, struct thing *thing)
{
	char silence[DAEMON_SILENCE_SIZE] = "";
	enum daemon_entry entry;

	if (daemon_ask_entry(world->socket, thing->value, &entry, silence) !=
	    OUTCOME_OK)
		stop(world, "the gateway does not answer");
	else if (entry == DAEMON_ENTRY_UNKNOWN)
		stop(world, silence);
	else
		thing->is_missing = entry == DAEMON_ENTRY_MISSING;
}

/* Of a name for which no server answers nothing is known. */
static void
ask_name(struct world *world, struct thing *thing)
{
	struct daemon_name name = {.reason = REASON_OK};

	if (daemon_ask_name(world->socket, thing->value, &name) != OUTCOME_OK)
		stop(world, "the gateway does not answer");
	else
		thing->is_missing = name.reason == REASON_NAME_UNKNOWN;
	if (name.reason != REASON_OK && name.reason != REASON_NAME_UNKNOWN)
		atomic_store(&world->has_unresolved, true);
}

static void *
ask(void *arg)
{
	struct world *world = arg;
	size_t i;

	while (!atomic_load(&world->is_over) &&
	       (i = atomic_fetch_add(&world->next, 1)) < world->thing_count) {
		struct thing *thing = &world->things[i];

		if (i >= THINGS_MAX)
			stop(world, "there are too many");
		else if (thing->kind == KIND_NAME)
			ask_name(world, thing);
		else
			ask_entry(world, thing);
	}
	return NULL;
}

static void
ask_all(struct world *world)
{
	pthread_t askers[ASKERS];
	size_t count = 0;

	while (count < ASKERS &&
	       pthread_create(&askers[count], NULL, ask, world) == 0)
		count++;
	if (count == 0)
		(void)ask(world);
	while (count > 0)
		(void)pthread_join(askers[--count], NULL);
}

/* ---- telling */

static void
tell(struct lint_report *report, enum kind kind, const char *value,
    const char *name, const char *dn)
{
	const struct lint_remark remark = {
	    .kind = kinds[kind].kind,
	    .sentence = kinds[kind].sentence,
	    .is_mistake = kinds[kind].is_mistake,
	    .name = name,
	    .dn = dn,
	    .value = value,
	};

	lint_report_add(report, &remark);
}

static void
tell_all(const struct world *world, struct lint_report *report)
{
	for (size_t i = 0; i < world->reference_count; i++) {
		const struct reference *reference = &world->references[i];

		if (is_missing(world, reference))
			tell(report, reference->kind, reference->value,
			    reference->name, reference->dn);
	}
	if (atomic_load(&world->has_unresolved))
		lint_report_omit(
		    report, "some names: the name servers give no answer");
	if (atomic_load(&world->is_over)) {
		char text[DAEMON_SILENCE_SIZE + 64];

		(void)snprintf(text, sizeof(text),
		    "some users, groups and names: %s", world->why);
		lint_report_omit(report, text);
	}
}

static bool
is_listener(const struct daemon_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->listener_count; i++)
		if (strcmp(facts->listeners[i].name, name) == 0)
			return true;
	return false;
}

static void
look_at_listeners(const struct daemon_facts *facts, const struct ruleset *rules,
    struct lint_report *report)
{
	const struct rule *rule;

	for (size_t i = 0; (rule = ruleset_rule(rules, i)) != NULL; i++)
		for (size_t j = 0; j < rule->listeners.count; j++)
			if (!is_listener(facts, rule->listeners.texts[j]))
				tell(report, KIND_LISTENER,
				    rule->listeners.texts[j], rule->name,
				    rule->dn);
}

/* ---- realms */

static bool
is_realm(const struct daemon_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->realm_count; i++)
		if (strcmp(facts->realms[i], name) == 0)
			return true;
	return false;
}

/* The realm of one of the rule's principals; NULL if the settings name it, or
 * it has none. */
static const char *
strange_realm(
    const struct daemon_facts *facts, const struct rule *rule, size_t i)
{
	const char *realm = realm_of(rule->principals.texts[i]);

	return *realm == '\0' || is_realm(facts, realm) ? NULL : realm;
}

/*
 * The realms of the keytab, whose principals are accepted too, are not among
 * the facts.  It mostly has one: a realm that is alone in being named by no
 * setting is taken for it.
 */
static bool
are_realms_strange(
    const struct daemon_facts *facts, const struct ruleset *rules)
{
	const struct rule *rule;
	const char *first = NULL, *realm;

	for (size_t i = 0; (rule = ruleset_rule(rules, i)) != NULL; i++) {
		for (size_t j = 0; j < rule->principals.count; j++) {
			realm = strange_realm(facts, rule, j);
			if (first == NULL)
				first = realm;
			else if (realm != NULL && strcmp(first, realm) != 0)
				return true;
		}
	}
	return false;
}

static void
look_at_realms(const struct daemon_facts *facts, const struct ruleset *rules,
    struct lint_report *report)
{
	const struct rule *rule;

	if (!are_realms_strange(facts, rules))
		return;
	for (size_t i = 0; (rule = ruleset_rule(rules, i)) != NULL; i++)
		for (size_t j = 0; j < rule->principals.count; j++)
			if (strange_realm(facts, rule, j) != NULL)
				tell(report, KIND_REALM,
				    rule->principals.texts[j], rule->name,
				    rule->dn);
}

void
lint_world(const char *socket, const struct daemon_facts *facts,
    const struct ruleset *rules, struct lint_report *report)
{
	struct world world = {
	    .socket = socket, .lock = PTHREAD_MUTEX_INITIALIZER};

	look_at_listeners(facts, rules, report);
	look_at_realms(facts, rules, report);
	gather(&world, rules);
	make_things(&world);
	ask_all(&world);
	tell_all(&world, report);
	free(world.references);
	free(world.things);
}
