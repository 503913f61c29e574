/* SPDX-License-Identifier: ISC */
/* Rule sets that are or were in force, until nobody else has them. */
#include "gateway/rules_in_use.h"

#include <sys/queue.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/must.h"
#include "policy/ruleset.h"

#define LOOK_EVERY_S 1

struct kept {
	SLIST_ENTRY(kept) entry;
	struct ruleset *rules;
};

struct rules_in_use {
	struct event *timer;
	SLIST_HEAD(, kept) sets;
};

static void
let_go(struct rules_in_use *in_use, struct kept *kept)
{
	SLIST_REMOVE(&in_use->sets, kept, kept, entry);
	ruleset_unref(kept->rules);
	free(kept);
}

/* References are made of references, so that a set that is ours alone stays
 * so. */
static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct rules_in_use *in_use = arg;
	struct kept *kept, *next;

	(void)fd;
	(void)what;
	SLIST_FOREACH_SAFE(kept, &in_use->sets, entry, next)
	if (!ruleset_is_shared(kept->rules))
		let_go(in_use, kept);
}

struct rules_in_use *
rules_in_use_new(struct event_base *base)
{
	const struct timeval often = {.tv_sec = LOOK_EVERY_S};
	struct rules_in_use *in_use = calloc(1, sizeof(*in_use));

	if (in_use == NULL)
		return NULL;
	SLIST_INIT(&in_use->sets);
	in_use->timer = event_new(base, -1, EV_PERSIST, on_look, in_use);
	if (in_use->timer == NULL || event_add(in_use->timer, &often) != 0) {
		rules_in_use_free(in_use);
		return NULL;
	}
	return in_use;
}

void
rules_in_use_free(struct rules_in_use *in_use)
{
	if (in_use == NULL)
		return;
	while (!SLIST_EMPTY(&in_use->sets))
		let_go(in_use, SLIST_FIRST(&in_use->sets));
	if (in_use->timer != NULL)
		event_free(in_use->timer);
	free(in_use);
}

void
rules_in_use_add(struct rules_in_use *in_use, struct ruleset *rules)
{
	struct kept *kept = must_alloc(1, sizeof(*kept));

	kept->rules = ruleset_ref(rules);
	SLIST_INSERT_HEAD(&in_use->sets, kept, entry);
}
