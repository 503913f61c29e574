/* SPDX-License-Identifier: ISC */
/* What the gateway's main thread looks after once a second. */
#include "gateway/housekeeping.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/must.h"
#include "gateway/budgets.h"
#include "gateway/loop_watch.h"
#include "gateway/worker.h"

/* Fewer sessions leave nothing behind that is worth the walk. */
#define CROWD 256

struct housekeeping {
	struct event *timer;
	struct shared *shared;
	struct worker **workers;
	size_t count;
	uint64_t most; /* sessions since memory was given back */
};

/* A worker that hangs holds its sessions for ever; the next gateway does
 * not. */
static void
watch_loops(const struct housekeeping *housekeeping)
{
	for (unsigned i = 0; i < housekeeping->count; i++)
		if (loop_watch_check(housekeeping->workers[i]->watch, i + 1) >=
		    LOOP_WATCH_DEAD_AFTER)
			die("the event loop of worker %u hangs", i + 1);
}

/* The allocator keeps what was freed between what was not.  It gives the
 * pages back when asked, which holds its locks for milliseconds: so only when
 * half of a crowd has gone. */
static void
give_memory_back(struct housekeeping *housekeeping)
{
	uint64_t now = budgets_sessions(housekeeping->shared->budgets);

	if (now > housekeeping->most)
		housekeeping->most = now;
	if (housekeeping->most < CROWD || now > housekeeping->most / 2)
		return;
	log_debug(NULL, "of %" PRIu64 " sessions %" PRIu64 " are left",
	    housekeeping->most, now);
	housekeeping->most = now;
	(void)malloc_trim(0);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	watch_loops(arg);
	give_memory_back(arg);
}

struct housekeeping *
housekeeping_new(struct event_base *base, struct shared *shared,
    struct worker **workers, size_t count)
{
	const struct timeval often = {.tv_sec = LOOP_WATCH_CHECK_MS / 1000};
	struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));

	if (housekeeping == NULL)
		return NULL;
	housekeeping->shared = shared;
	housekeeping->workers = workers;
	housekeeping->count = count;
	housekeeping->timer =
	    event_new(base, -1, EV_PERSIST, on_second, housekeeping);
	if (housekeeping->timer == NULL ||
	    event_add(housekeeping->timer, &often) != 0) {
		housekeeping_free(housekeeping);
		return NULL;
	}
	return housekeeping;
}

void
housekeeping_free(struct housekeeping *housekeeping)
{
	if (housekeeping == NULL)
		return;
	if (housekeeping->timer != NULL)
		event_free(housekeeping->timer);
	free(housekeeping);
}
