/* SPDX-License-Identifier: ISC */
/* Listeners of a gateway that has just started: wait for the rules. */
#include "gateway/opening.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/must.h"
#include "base/timeval.h"
#include "gateway/worker.h"

struct waiting {
	STAILQ_ENTRY(waiting) entry;
	struct mail listener;
};

struct opening {
	opening_fn *hand;
	void *arg;
	bool is_open;
	struct event *patience;
	STAILQ_HEAD(, waiting) waiting;
};

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct opening *opening = arg;

	(void)fd;
	(void)what;
	log_warning(NULL,
	    "no word about the rules yet: clients are let in all the same");
	opening_open(opening);
}

struct opening *
opening_new(
    struct event_base *base, unsigned patience_ms, opening_fn *hand, void *arg)
{
	const struct timeval after = timeval_us(patience_ms * UINT64_C(1000));
	struct opening *opening = must_alloc(1, sizeof(*opening));

	opening->hand = hand;
	opening->arg = arg;
	STAILQ_INIT(&opening->waiting);
	opening->patience = evtimer_new(base, on_patience, opening);
	if (opening->patience == NULL ||
	    evtimer_add(opening->patience, &after) != 0)
		die("out of memory");
	return opening;
}

void
opening_free(struct opening *opening)
{
	if (opening == NULL)
		return;
	opening_forget(opening);
	event_free(opening->patience);
	free(opening);
}

void
opening_put(struct opening *opening, const struct mail *listener)
{
	struct waiting *waiting;

	if (opening->is_open) {
		opening->hand(opening->arg, listener);
		return;
	}
	waiting = must_alloc(1, sizeof(*waiting));
	waiting->listener = *listener;
	STAILQ_INSERT_TAIL(&opening->waiting, waiting, entry);
}

static struct waiting *
take_first(struct opening *opening)
{
	struct waiting *first = STAILQ_FIRST(&opening->waiting);

	if (first != NULL)
		STAILQ_REMOVE_HEAD(&opening->waiting, entry);
	return first;
}

void
opening_forget(struct opening *opening)
{
	struct waiting *waiting;

	while ((waiting = take_first(opening)) != NULL) {
		(void)close(waiting->listener.fd);
		free(waiting->listener.name);
		free(waiting);
	}
}

void
opening_open(struct opening *opening)
{
	struct waiting *waiting;

	opening->is_open = true;
	(void)evtimer_del(opening->patience);
	while ((waiting = take_first(opening)) != NULL) {
		opening->hand(opening->arg, &waiting->listener);
		free(waiting);
	}
}
