/* SPDX-License-Identifier: ISC */
/* What went by each rule since the program's start. */
#include "gateway/rule_totals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"

struct total {
	RB_ENTRY(total) entry;
	uint64_t sessions, to_target, to_client;
	char rule[];
};

RB_HEAD(total_tree, total);

struct rule_totals {
	pthread_mutex_t lock;
	struct total_tree tree; /* this and below: locked */
	size_t count;
	struct total *rest; /* of those that have no room */
};

static int
compare(const struct total *a, const struct total *b)
{
	return strcmp(a->rule, b->rule);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    total_tree, total, entry, compare, __attribute__((unused)) static)

static struct total *
total_new(const char *rule)
{
	struct total *total = calloc(1, sizeof(*total) + strlen(rule) + 1);

	if (total != NULL)
		memcpy(total->rule, rule, strlen(rule) + 1);
	return total;
}

struct rule_totals *
rule_totals_new(void)
{
	struct rule_totals *totals = calloc(1, sizeof(*totals));
	struct total *rest = total_new("");

	if (totals == NULL || rest == NULL) {
		free(totals);
		free(rest);
		return NULL;
	}
	must(pthread_mutex_init(&totals->lock, NULL) == 0);
	RB_INIT(&totals->tree);
	totals->rest = rest;
	return totals;
}

void
rule_totals_free(struct rule_totals *totals)
{
	struct total *total;

	if (totals == NULL)
		return;
	while ((total = RB_MIN(total_tree, &totals->tree)) != NULL) {
		(void)RB_REMOVE(total_tree, &totals->tree, total);
		free(total);
	}
	(void)pthread_mutex_destroy(&totals->lock);
	free(totals->rest);
	free(totals);
}

/* The rule's own, or that of the rest. */
static struct total *
find(struct rule_totals *totals, const char *rule)
{
	struct total *at = RB_ROOT(&totals->tree), *new;
	int order;

	while (at != NULL && (order = strcmp(rule, at->rule)) != 0)
		at = order < 0 ? RB_LEFT(at, entry) : RB_RIGHT(at, entry);
	if (at != NULL)
		return at;
	new = totals->count < RULE_TOTALS_MAX ? total_new(rule) : NULL;
	if (new == NULL)
		return totals->rest;
	must(RB_INSERT(total_tree, &totals->tree, new) == NULL);
	totals->count++;
	return new;
}

void
rule_totals_add(struct rule_totals *totals, const char *rule,
    uint64_t to_target, uint64_t to_client)
{
	struct total *total;

	must(pthread_mutex_lock(&totals->lock) == 0);
	total = find(totals, rule);
	total->sessions++;
	total->to_target += to_target;
	total->to_client += to_client;
	must(pthread_mutex_unlock(&totals->lock) == 0);
}

/* Of one total, and the next (NULL: the first is meant); none ever goes away.
 */
static struct total *
look(struct rule_totals *totals, struct total *at, struct total *seen)
{
	struct total *next;

	must(pthread_mutex_lock(&totals->lock) == 0);
	if (at != NULL) {
		seen->sessions = at->sessions;
		seen->to_target = at->to_target;
		seen->to_client = at->to_client;
	}
	if (at == NULL)
		next = RB_MIN(total_tree, &totals->tree);
	else if (at == totals->rest)
		next = NULL;
	else
		next = RB_NEXT(total_tree, &totals->tree, at);
	must(pthread_mutex_unlock(&totals->lock) == 0);
	return next;
}

void
rule_totals_each(struct rule_totals *totals, rule_totals_fn *each, void *arg)
{
	struct total *total = look(totals, NULL, NULL), *next;
	struct total seen;

	while (total != NULL) {
		next = look(totals, total, &seen);
		each(arg, total->rule, seen.sessions, seen.to_target,
		    seen.to_client);
		total = next;
	}
	(void)look(totals, totals->rest, &seen);
	if (seen.sessions > 0)
		each(arg, "", seen.sessions, seen.to_target, seen.to_client);
}
