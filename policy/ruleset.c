/* SPDX-License-Identifier: ISC */
/* A rule set: checked as a whole, immutable, shared between threads. */
#include "policy/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "policy/candidates.h"
#include "policy/rule_parse.h"
#include "policy/ruleset_private.h"

#define SHOWN_DN_SIZE 256

/* The set in the making; rules and sets in the order in which they came. */
struct ruleset_builder {
	struct ruleset *ruleset;
};

static void
free_ruleset(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->rule_count; i++)
		rule_free(ruleset->rules[i]);
	for (size_t i = 0; i < ruleset->set_count; i++)
		target_set_free(ruleset->sets[i]);
	free(ruleset->rules);
	free(ruleset->sets);
	rule_index_free(ruleset->index);
	free(ruleset->network_rules.places);
	for (size_t i = 0; i < ARRAY_COUNT(ruleset->command_rules); i++)
		free(ruleset->command_rules[i].places);
	free(ruleset);
}

struct ruleset_builder *
ruleset_builder_new(void)
{
	struct ruleset_builder *builder = calloc(1, sizeof(*builder));

	if (builder == NULL)
		return NULL;
	builder->ruleset = calloc(1, sizeof(*builder->ruleset));
	if (builder->ruleset == NULL) {
		free(builder);
		return NULL;
	}
	atomic_init(&builder->ruleset->references, 1);
	return builder;
}

void
ruleset_builder_free(struct ruleset_builder *builder)
{
	if (builder == NULL)
		return;
	free_ruleset(builder->ruleset);
	free(builder);
}

/* Each takes what it adds.  0, or -1 when there is no memory. */
static int
add_rule(struct ruleset *ruleset, struct rule *rule)
{
	struct rule **grown = reallocarray(
	    ruleset->rules, ruleset->rule_count + 1, sizeof(*grown));

	if (grown == NULL) {
		rule_free(rule);
		return -1;
	}
	ruleset->rules = grown;
	grown[ruleset->rule_count++] = rule;
	return 0;
}

static int
add_set(struct ruleset *ruleset, struct target_set *set)
{
	struct target_set **grown =
	    reallocarray(ruleset->sets, ruleset->set_count + 1, sizeof(*grown));

	if (grown == NULL) {
		target_set_free(set);
		return -1;
	}
	ruleset->sets = grown;
	grown[ruleset->set_count++] = set;
	return 0;
}

int
ruleset_builder_add(struct ruleset_builder *builder, const struct entry *entry,
    char *why, size_t why_size)
{
	struct rule *rule;
	struct target_set *set;

	if (rule_parse(entry, &rule, &set, why, why_size) != 0)
		return -1;
	if (rule != NULL)
		return add_rule(builder->ruleset, rule);
	return set == NULL ? 0 : add_set(builder->ruleset, set);
}

static int
compare_names(const void *a, const void *b)
{
	struct rule *const *left = a, *const *right = b;

	return strcasecmp((*left)->name, (*right)->name);
}

static int
compare_dns(const void *a, const void *b)
{
	struct rule *const *left = a, *const *right = b;

	return strcmp((*left)->normalised_dn, (*right)->normalised_dn);
}

static int
compare_set_dns(const void *a, const void *b)
{
	struct target_set *const *left = a, *const *right = b;

	return strcmp((*left)->normalised_dn, (*right)->normalised_dn);
}

/* Disabled rules are asked never, so they come last. */
static int
compare_rules(const void *a, const void *b)
{
	const struct rule *left = *(struct rule *const *)a;
	const struct rule *right = *(struct rule *const *)b;

	if (left->is_disabled != right->is_disabled)
		return left->is_disabled ? 1 : -1;
	return rule_compare(left, right);
}

/* Who is told what is wrong with the set. */
struct telling {
	ruleset_wrong_fn *wrong;
	void *arg;
};

static void
complain(const struct telling *telling, const char *dn, const char *what,
    const char *other)
{
	char shown[SHOWN_DN_SIZE], shown_other[SHOWN_DN_SIZE];
	char why[2 * SHOWN_DN_SIZE + 128];

	text_quote(shown, sizeof(shown), dn, strlen(dn));
	text_quote(shown_other, sizeof(shown_other), other, strlen(other));
	snprintf(why, sizeof(why), "%s: %s %s", shown, what, shown_other);
	telling->wrong(telling->arg, why);
}

/* qsort takes no NULL, not even with nothing behind it. */
static void
sort(void *items, size_t count, size_t size,
    int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(items, count, size, compare);
}

/* Sorts; 0 if no two rules are the same to `compare`. */
static int
check_rules_differ(struct ruleset *ruleset,
    int (*compare)(const void *, const void *), const char *what,
    const struct telling *telling)
{
	struct rule **rules = ruleset->rules;
	int result = 0;

	sort(rules, ruleset->rule_count, sizeof(*rules), compare);
	for (size_t i = 1; i < ruleset->rule_count; i++) {
		if (compare(&rules[i - 1], &rules[i]) != 0)
			continue;
		complain(telling, rules[i]->dn, what, rules[i - 1]->dn);
		result = -1;
	}
	return result;
}

static int
check_sets_differ(struct ruleset *ruleset, const struct telling *telling)
{
	struct target_set **sets = ruleset->sets;
	int result = 0;

	sort(sets, ruleset->set_count, sizeof(*sets), compare_set_dns);
	for (size_t i = 1; i < ruleset->set_count; i++) {
		if (compare_set_dns(&sets[i - 1], &sets[i]) != 0)
			continue;
		complain(telling, sets[i]->dn,
		    "this entry is there twice, also as", sets[i - 1]->dn);
		result = -1;
	}
	return result;
}

static struct target_set *
find_set(const struct ruleset *ruleset, char *normalised_dn)
{
	struct target_set wanted = {.normalised_dn = normalised_dn};
	const struct target_set *key = &wanted;
	struct target_set **found = NULL;

	if (ruleset->set_count > 0)
		found = bsearch(&key, ruleset->sets, ruleset->set_count,
		    sizeof(*ruleset->sets), compare_set_dns);
	return found == NULL ? NULL : *found;
}

static int
resolve_sets(const struct ruleset *ruleset, struct rule *rule,
    const struct telling *telling)
{
	int result = 0;

	if (rule->set_dns.count == 0)
		return 0;
	rule->sets = calloc(rule->set_dns.count, sizeof(*rule->sets));
	if (rule->sets == NULL) {
		telling->wrong(telling->arg, "");
		return -1;
	}
	for (size_t i = 0; i < rule->set_dns.count; i++) {
		rule->sets[i] = find_set(ruleset, rule->set_dns.texts[i]);
		if (rule->sets[i] == NULL) {
			complain(telling, rule->dn,
			    "gwDestinationSet: there is no entry",
			    rule->set_dns.texts[i]);
			result = -1;
		}
	}
	return result;
}

static int
resolve_all_sets(const struct ruleset *ruleset, const struct telling *telling)
{
	int result = 0;

	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (resolve_sets(ruleset, ruleset->rules[i], telling) != 0)
			result = -1;
	return result;
}

static void
count_enabled(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct rule *rule = ruleset->rules[i];

		if (rule->is_disabled)
			continue;
		ruleset->enabled_count++;
		if (rule->users.count > 0 || rule->groups.count > 0)
			ruleset->needs_subject = true;
	}
}

/* An entry that is there twice has one name, too: that is not said again. */
static int
check(struct ruleset *ruleset, const struct telling *telling)
{
	int result = check_rules_differ(ruleset, compare_dns,
	    "this entry is there twice, also as", telling);

	if (result == 0)
		result = check_rules_differ(ruleset, compare_names,
		    "cn: has the same name as", telling);
	if (check_sets_differ(ruleset, telling) != 0)
		result = -1;
	return resolve_all_sets(ruleset, telling) != 0 ? -1 : result;
}

static int
finish(struct ruleset *ruleset, const struct telling *telling)
{
	if (check(ruleset, telling) != 0)
		return -1;
	sort(ruleset->rules, ruleset->rule_count, sizeof(*ruleset->rules),
	    compare_rules);
	count_enabled(ruleset);
	if (candidates_index(ruleset) == 0)
		return 0;
	telling->wrong(telling->arg, "");
	return -1;
}

struct ruleset *
ruleset_build_telling(struct ruleset_builder *builder, uint64_t generation,
    ruleset_wrong_fn *wrong, void *arg)
{
	const struct telling telling = {wrong, arg};
	struct ruleset *ruleset = builder->ruleset;

	free(builder);
	ruleset->generation = generation;
	if (finish(ruleset, &telling) != 0) {
		free_ruleset(ruleset);
		return NULL;
	}
	return ruleset;
}

/* The first thing that was told. */
struct first {
	char *why;
	size_t why_size;
	bool was_told;
};

static void
keep_first(void *arg, const char *why)
{
	struct first *first = arg;

	if (!first->was_told)
		(void)snprintf(first->why, first->why_size, "%s", why);
	first->was_told = true;
}

struct ruleset *
ruleset_build(struct ruleset_builder *builder, uint64_t generation, char *why,
    size_t why_size)
{
	struct first first = {why, why_size, false};

	why[0] = '\0';
	return ruleset_build_telling(builder, generation, keep_first, &first);
}

struct ruleset *
ruleset_ref(struct ruleset *ruleset)
{
	atomic_fetch_add_explicit(
	    &ruleset->references, 1, memory_order_relaxed);
	return ruleset;
}

void
ruleset_unref(struct ruleset *ruleset)
{
	if (ruleset != NULL && atomic_fetch_sub_explicit(&ruleset->references,
				   1, memory_order_acq_rel) == 1)
		free_ruleset(ruleset);
}

bool
ruleset_is_shared(const struct ruleset *ruleset)
{
	return atomic_load_explicit(
		   &ruleset->references, memory_order_acquire) > 1;
}

uint64_t
ruleset_generation(const struct ruleset *ruleset)
{
	return ruleset->generation;
}

size_t
ruleset_count(const struct ruleset *ruleset)
{
	return ruleset->enabled_count;
}

const struct rule *
ruleset_rule(const struct ruleset *ruleset, size_t i)
{
	return i < ruleset->enabled_count ? ruleset->rules[i] : NULL;
}

const struct target_set *
ruleset_set(const struct ruleset *ruleset, size_t i)
{
	return i < ruleset->set_count ? ruleset->sets[i] : NULL;
}

bool
ruleset_needs_subject(const struct ruleset *ruleset)
{
	return ruleset->needs_subject;
}
