/* SPDX-License-Identifier: ISC */
/* What a rule leaves to each identity. */
#include "gateway/rule_uses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "base/must.h"
#include "policy/rule.h"
#include "relay/rate.h"

struct rule_use {
	RB_ENTRY(rule_use) entry;
	const char *rule, *identity; /* behind the struct, or borrowed */
	uint64_t sessions; /* 0: it rests until its rate is full again */
	TAILQ_ENTRY(rule_use) resting;
	struct rate *rate; /* NULL: not limited */
};

RB_HEAD(rule_use_tree, rule_use);
TAILQ_HEAD(rule_use_list, rule_use);

struct rule_uses {
	pthread_mutex_t lock;
	struct rule_use_tree tree; /* this and below: locked */
	struct rule_use_list resting;
};

static int
compare(const struct rule_use *a, const struct rule_use *b)
{
	int order = strcmp(a->identity, b->identity);

	return order != 0 ? order : strcmp(a->rule, b->rule);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    rule_use_tree, rule_use, entry, compare, __attribute__((unused)) static)

struct rule_uses *
rule_uses_new(void)
{
	struct rule_uses *uses = calloc(1, sizeof(*uses));

	if (uses == NULL)
		return NULL;
	must(pthread_mutex_init(&uses->lock, NULL) == 0);
	RB_INIT(&uses->tree);
	TAILQ_INIT(&uses->resting);
	return uses;
}

static void
forget(struct rule_uses *uses, struct rule_use *use)
{
	(void)RB_REMOVE(rule_use_tree, &uses->tree, use);
	rate_free(use->rate);
	free(use);
}

void
rule_uses_free(struct rule_uses *uses)
{
	struct rule_use *use;

	if (uses == NULL)
		return;
	while ((use = TAILQ_FIRST(&uses->resting)) != NULL) {
		TAILQ_REMOVE(&uses->resting, use, resting);
		forget(uses, use);
	}
	must(RB_EMPTY(&uses->tree));
	(void)pthread_mutex_destroy(&uses->lock);
	free(uses);
}

static struct rule_use *
rule_use_new(const char *rule, const char *identity)
{
	size_t rule_size = strlen(rule) + 1, size = strlen(identity) + 1;
	struct rule_use *use = calloc(1, sizeof(*use) + rule_size + size);
	char *texts;

	if (use == NULL)
		return NULL;
	texts = (char *)(use + 1);
	use->rule = memcpy(texts, rule, rule_size);
	use->identity = memcpy(texts + rule_size, identity, size);
	return use;
}

/* Nobody uses it.  Were it forgotten now, who comes again would have a full
 * rate each time. */
static void
rest(struct rule_uses *uses, struct rule_use *use)
{
	if (use->rate == NULL || rate_is_full(use->rate))
		forget(uses, use);
	else
		TAILQ_INSERT_TAIL(&uses->resting, use, resting);
}

/* Looks at more of them than come to it. */
static void
sweep(struct rule_uses *uses)
{
	struct rule_use *use;

	for (int i = 0; i < 2; i++) {
		use = TAILQ_FIRST(&uses->resting);
		if (use == NULL)
			return;
		TAILQ_REMOVE(&uses->resting, use, resting);
		rest(uses, use);
	}
}

/* Sessions of this use hold its rate: where the rule has lost its limit
 * it stays, wide open. */
static enum reason
set_rate(struct rule_use *use, const struct rule_limits *limits)
{
	if (limits->max_rate != 0 && use->rate == NULL) {
		use->rate = rate_new(limits->max_rate);
		if (use->rate == NULL)
			return REASON_NO_MEMORY;
	} else if (use->rate != NULL) {
		rate_set(use->rate,
		    limits->max_rate != 0 ? limits->max_rate : RATE_MAX);
	}
	return REASON_OK;
}

static enum reason
add_session(struct rule_use *use, const struct rule_limits *limits)
{
	enum reason reason;

	if (limits->max_sessions != 0 && use->sessions >= limits->max_sessions)
		return REASON_TOO_MANY_OF_RULE;
	reason = set_rate(use, limits);
	if (reason == REASON_OK)
		use->sessions++;
	return reason;
}

/* Locked. */
static enum reason
take(struct rule_uses *uses, const char *rule, const char *identity,
    const struct rule_limits *limits, struct rule_use **use)
{
	struct rule_use key = {.rule = rule, .identity = identity};
	struct rule_use *found = RB_FIND(rule_use_tree, &uses->tree, &key);
	enum reason reason;

	if (found == NULL) {
		found = rule_use_new(rule, identity);
		if (found == NULL)
			return REASON_NO_MEMORY;
		(void)RB_INSERT(rule_use_tree, &uses->tree, found);
	} else if (found->sessions == 0) {
		TAILQ_REMOVE(&uses->resting, found, resting);
	}
	reason = add_session(found, limits);
	if (reason == REASON_OK)
		*use = found;
	else if (found->sessions == 0)
		rest(uses, found);
	return reason;
}

enum reason
rule_uses_take(struct rule_uses *uses, const char *rule, const char *identity,
    const struct rule_limits *limits, struct rule_use **use)
{
	enum reason reason;

	*use = NULL;
	if (limits->max_sessions == 0 && limits->max_rate == 0)
		return REASON_OK;
	must(pthread_mutex_lock(&uses->lock) == 0);
	sweep(uses);
	reason = take(uses, rule, identity, limits, use);
	must(pthread_mutex_unlock(&uses->lock) == 0);
	return reason;
}

void
rule_uses_adjust(struct rule_uses *uses, struct rule_use *use,
    const struct rule_limits *limits)
{
	enum reason no_memory;

	must(pthread_mutex_lock(&uses->lock) == 0);
	no_memory = set_rate(use, limits);
	(void)no_memory; /* then what was so far goes on */
	must(pthread_mutex_unlock(&uses->lock) == 0);
}

void
rule_uses_give(struct rule_uses *uses, struct rule_use *use)
{
	if (use == NULL)
		return;
	must(pthread_mutex_lock(&uses->lock) == 0);
	if (--use->sessions == 0)
		rest(uses, use);
	must(pthread_mutex_unlock(&uses->lock) == 0);
}

size_t
rule_uses_count(struct rule_uses *uses)
{
	struct rule_use *use;
	size_t count = 0;

	must(pthread_mutex_lock(&uses->lock) == 0);
	RB_FOREACH (use, rule_use_tree, &uses->tree)
		count++;
	must(pthread_mutex_unlock(&uses->lock) == 0);
	return count;
}

struct rate *
rule_uses_rate(struct rule_uses *uses, struct rule_use *use)
{
	struct rate *rate;

	if (use == NULL)
		return NULL;
	must(pthread_mutex_lock(&uses->lock) == 0);
	rate = use->rate;
	must(pthread_mutex_unlock(&uses->lock) == 0);
	return rate;
}
