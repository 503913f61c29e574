/* SPDX-License-Identifier: ISC */
/* How many sessions there may be. */
#include "gateway/budgets.h"

#include <sys/tree.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "gateway/settings.h"

/*
 * A source or an identity, as long as a session of it is open: there are
 * never more of them than sessions.  In a tree and not in a hash table:
 * clients choose where they come from.
 */
struct holder {
	RB_ENTRY(holder) node;
	uint64_t sessions;
	uint64_t unproved; /* of a source: those among them */
	size_t key_len;
	uint8_t key[];
};

RB_HEAD(holder_tree, holder);

struct budgets {
	uint64_t ceiling;
	pthread_mutex_t lock;
	uint64_t sessions; /* this and below: locked */
	uint64_t unproved;
	uint64_t wide; /* sessions that take the place of two */
	struct holder_tree sources, identities;
};

static int
compare(struct holder *a, struct holder *b)
{
	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	return memcmp(a->key, b->key, a->key_len);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    holder_tree, holder, node, compare, static __attribute__((unused)))

struct budgets *
budgets_new(uint64_t ceiling)
{
	struct budgets *budgets = calloc(1, sizeof(*budgets));

	if (budgets == NULL)
		return NULL;
	budgets->ceiling = ceiling;
	must(pthread_mutex_init(&budgets->lock, NULL) == 0);
	RB_INIT(&budgets->sources);
	RB_INIT(&budgets->identities);
	return budgets;
}

void
budgets_free(struct budgets *budgets)
{
	if (budgets == NULL)
		return;
	must(budgets->sessions == 0 && RB_EMPTY(&budgets->sources) &&
	     RB_EMPTY(&budgets->identities));
	(void)pthread_mutex_destroy(&budgets->lock);
	free(budgets);
}

static void
lock(struct budgets *budgets)
{
	must(pthread_mutex_lock(&budgets->lock) == 0);
}

static void
unlock(struct budgets *budgets)
{
	must(pthread_mutex_unlock(&budgets->lock) == 0);
}

/* ---- in total, and before the proof */

enum reason
budgets_enter(struct budgets *budgets, const struct settings *settings,
    struct budget_share *share)
{
	enum reason reason = REASON_OK;

	lock(budgets);
	if (budgets->sessions >= settings->sessions_max ||
	    budgets->sessions + budgets->wide >= budgets->ceiling) {
		reason = REASON_OVERLOADED;
	} else if (budgets->unproved >= settings->unproved_max) {
		reason = REASON_TOO_MANY_UNPROVED;
	} else {
		budgets->sessions++;
		budgets->unproved++;
		share->is_counted = share->is_unproved = true;
	}
	unlock(budgets);
	return reason;
}

enum reason
budgets_widen(struct budgets *budgets, struct budget_share *share)
{
	enum reason reason = REASON_NO_DESCRIPTORS;

	lock(budgets);
	if (budgets->sessions + budgets->wide < budgets->ceiling) {
		reason = REASON_OK;
		budgets->wide++;
		share->is_wide = true;
	}
	unlock(budgets);
	return reason;
}

/* ---- of one source, of one identity */

/* Finds or makes the holder of that key; NULL without memory. */
static struct holder *
hold(struct holder_tree *tree, const void *key, size_t key_len)
{
	struct holder *made = calloc(1, sizeof(*made) + key_len), *found;

	if (made == NULL)
		return NULL;
	made->key_len = key_len;
	memcpy(made->key, key, key_len);
	found = RB_INSERT(holder_tree, tree, made);
	if (found == NULL)
		return made;
	free(made);
	return found;
}

/* One session of it less; the last one takes it along. */
static void
let_go(struct holder_tree *tree, struct holder *holder)
{
	if (--holder->sessions > 0)
		return;
	(void)RB_REMOVE(holder_tree, tree, holder);
	free(holder);
}

static enum reason
take_source(struct budgets *budgets, const struct settings *settings,
    const struct address *client, struct budget_share *share)
{
	/* Who has an IPv6 network at all has at least a /64. */
	struct holder *source = hold(&budgets->sources, client->bytes,
	    client->family == ADDRESS_IPV4 ? 4 : 8);

	if (source == NULL)
		return REASON_NO_MEMORY;
	/* A new holder has none, and no limit is below one. */
	if (source->sessions >= settings->source_max ||
	    source->unproved >= settings->source_unproved_max)
		return REASON_TOO_MANY_FROM_SOURCE;
	source->sessions++;
	source->unproved++;
	share->source = source;
	return REASON_OK;
}

enum reason
budgets_locate(struct budgets *budgets, const struct settings *settings,
    const struct address *client, struct budget_share *share)
{
	enum reason reason;

	lock(budgets);
	reason = take_source(budgets, settings, client, share);
	unlock(budgets);
	return reason;
}

static void
be_proved(struct budgets *budgets, struct budget_share *share)
{
	if (!share->is_unproved)
		return;
	share->is_unproved = false;
	budgets->unproved--;
	if (share->source != NULL)
		share->source->unproved--;
}

static enum reason
take_identity(struct budgets *budgets, const struct settings *settings,
    const char *name, struct budget_share *share)
{
	struct holder *identity =
	    hold(&budgets->identities, name, strlen(name));

	if (identity == NULL)
		return REASON_NO_MEMORY;
	if (identity->sessions >= settings->identity_max)
		return REASON_TOO_MANY_OF_IDENTITY;
	identity->sessions++;
	share->identity = identity;
	be_proved(budgets, share);
	return REASON_OK;
}

enum reason
budgets_prove(struct budgets *budgets, const struct settings *settings,
    const char *identity, struct budget_share *share)
{
	enum reason reason;

	lock(budgets);
	reason = take_identity(budgets, settings, identity, share);
	unlock(budgets);
	return reason;
}

/* ---- the end */

void
budgets_leave(struct budgets *budgets, struct budget_share *share)
{
	lock(budgets);
	be_proved(budgets, share);
	if (share->source != NULL)
		let_go(&budgets->sources, share->source);
	if (share->identity != NULL)
		let_go(&budgets->identities, share->identity);
	if (share->is_counted)
		budgets->sessions--;
	if (share->is_wide)
		budgets->wide--;
	unlock(budgets);
	*share = (struct budget_share){.is_counted = false};
}

uint64_t
budgets_sessions(struct budgets *budgets)
{
	uint64_t count;

	lock(budgets);
	count = budgets->sessions;
	unlock(budgets);
	return count;
}

uint64_t
budgets_unproved(struct budgets *budgets)
{
	uint64_t count;

	lock(budgets);
	count = budgets->unproved;
	unlock(budgets);
	return count;
}
