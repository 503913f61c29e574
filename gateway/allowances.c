/* SPDX-License-Identifier: ISC */
/* What a rule leaves to each identity. */
#include "gateway/allowances.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"
#include "policy/rule.h"
#include "relay/rate.h"

struct allowance {
	RB_ENTRY(allowance) entry;
	const char *rule, *identity; /* behind the struct, or borrowed */
	uint64_t sessions;
	struct rate *rate; /* NULL: not limited */
};

RB_HEAD(allowance_tree, allowance);

struct allowances {
	pthread_mutex_t lock;
	struct allowance_tree tree;
};

static int
compare(const struct allowance *a, const struct allowance *b)
{
	int order = strcmp(a->identity, b->identity);

	return order != 0 ? order : strcmp(a->rule, b->rule);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    allowance_tree, allowance, entry, compare, __attribute__((unused)) static)

struct allowances *
allowances_new(void)
{
	struct allowances *allowances = calloc(1, sizeof(*allowances));

	if (allowances == NULL)
		return NULL;
	must(pthread_mutex_init(&allowances->lock, NULL) == 0);
	RB_INIT(&allowances->tree);
	return allowances;
}

void
allowances_free(struct allowances *allowances)
{
	if (allowances == NULL)
		return;
	must(RB_EMPTY(&allowances->tree));
	(void)pthread_mutex_destroy(&allowances->lock);
	free(allowances);
}

static struct allowance *
allowance_new(const char *rule, const char *identity)
{
	size_t rule_size = strlen(rule) + 1, size = strlen(identity) + 1;
	struct allowance *allowance =
	    calloc(1, sizeof(*allowance) + rule_size + size);
	char *texts;

	if (allowance == NULL)
		return NULL;
	texts = (char *)(allowance + 1);
	allowance->rule = memcpy(texts, rule, rule_size);
	allowance->identity = memcpy(texts + rule_size, identity, size);
	return allowance;
}

static void
allowance_free(struct allowance *allowance)
{
	rate_free(allowance->rate);
	free(allowance);
}

/* Sessions of this allowance hold its rate: where the rule has lost its limit
 * it stays, wide open. */
static enum reason
set_rate(struct allowance *allowance, const struct rule_limits *limits)
{
	if (limits->max_rate != 0 && allowance->rate == NULL) {
		allowance->rate = rate_new(limits->max_rate);
		if (allowance->rate == NULL)
			return REASON_NO_MEMORY;
	} else if (allowance->rate != NULL) {
		rate_set(allowance->rate,
		    limits->max_rate != 0 ? limits->max_rate : RATE_MAX);
	}
	return REASON_OK;
}

static enum reason
add_session(struct allowance *allowance, const struct rule_limits *limits)
{
	enum reason reason;

	if (limits->max_sessions != 0 &&
	    allowance->sessions >= limits->max_sessions)
		return REASON_TOO_MANY_OF_RULE;
	reason = set_rate(allowance, limits);
	if (reason == REASON_OK)
		allowance->sessions++;
	return reason;
}

/* Locked. */
static enum reason
take(struct allowances *allowances, const char *rule, const char *identity,
    const struct rule_limits *limits, struct allowance **allowance)
{
	struct allowance key = {.rule = rule, .identity = identity};
	struct allowance *found =
	    RB_FIND(allowance_tree, &allowances->tree, &key);
	enum reason reason;

	if (found == NULL) {
		found = allowance_new(rule, identity);
		if (found == NULL)
			return REASON_NO_MEMORY;
		(void)RB_INSERT(allowance_tree, &allowances->tree, found);
	}
	reason = add_session(found, limits);
	if (reason == REASON_OK) {
		*allowance = found;
	} else if (found->sessions == 0) {
		(void)RB_REMOVE(allowance_tree, &allowances->tree, found);
		allowance_free(found);
	}
	return reason;
}

enum reason
allowances_take(struct allowances *allowances, const char *rule,
    const char *identity, const struct rule_limits *limits,
    struct allowance **allowance)
{
	enum reason reason;

	*allowance = NULL;
	if (limits->max_sessions == 0 && limits->max_rate == 0)
		return REASON_OK;
	must(pthread_mutex_lock(&allowances->lock) == 0);
	reason = take(allowances, rule, identity, limits, allowance);
	must(pthread_mutex_unlock(&allowances->lock) == 0);
	return reason;
}

void
allowances_adjust(struct allowances *allowances, struct allowance *allowance,
    const struct rule_limits *limits)
{
	enum reason no_memory;

	must(pthread_mutex_lock(&allowances->lock) == 0);
	no_memory = set_rate(allowance, limits);
	(void)no_memory; /* then what was so far goes on */
	must(pthread_mutex_unlock(&allowances->lock) == 0);
}

void
allowances_give(struct allowances *allowances, struct allowance *allowance)
{
	bool is_last;

	if (allowance == NULL)
		return;
	must(pthread_mutex_lock(&allowances->lock) == 0);
	is_last = --allowance->sessions == 0;
	if (is_last)
		(void)RB_REMOVE(allowance_tree, &allowances->tree, allowance);
	must(pthread_mutex_unlock(&allowances->lock) == 0);
	if (is_last)
		allowance_free(allowance);
}

struct rate *
allowances_rate(struct allowances *allowances, struct allowance *allowance)
{
	struct rate *rate;

	if (allowance == NULL)
		return NULL;
	must(pthread_mutex_lock(&allowances->lock) == 0);
	rate = allowance->rate;
	must(pthread_mutex_unlock(&allowances->lock) == 0);
	return rate;
}
