/* SPDX-License-Identifier: ISC */
/* What was counted, written into the diagnostic log from time to time. */
#include "gateway/statistics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "gateway/budgets.h"
#include "gateway/worker.h"

struct statistics {
	struct shared *shared;
	struct event *timer;
	char last[COUNTERS_TEXT_SIZE]; /* what the last line said */
};

static void
write_line(struct statistics *statistics)
{
	struct shared *shared = statistics->shared;
	char text[COUNTERS_TEXT_SIZE];

	counters_print(&shared->counters, text);
	if (strcmp(text, statistics->last) == 0)
		return;
	(void)strlcpy(statistics->last, text, sizeof(statistics->last));
	log_info(NULL,
	    "statistics: sessions=%" PRIu64 " unproved=%" PRIu64 " %s",
	    budgets_sessions(shared->budgets),
	    budgets_unproved(shared->budgets), text);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_line(arg);
}

struct statistics *
statistics_new(struct event_base *base, struct shared *shared)
{
	struct statistics *statistics = calloc(1, sizeof(*statistics));

	if (statistics == NULL)
		return NULL;
	statistics->shared = shared;
	statistics->timer =
	    event_new(base, -1, EV_PERSIST, on_timer, statistics);
	if (statistics->timer == NULL) {
		free(statistics);
		return NULL;
	}
	return statistics;
}

void
statistics_set_interval(struct statistics *statistics, uint64_t seconds)
{
	struct timeval interval = {.tv_sec = (time_t)seconds};

	(void)event_del(statistics->timer);
	if (seconds > 0)
		(void)event_add(statistics->timer, &interval);
}

void
statistics_free(struct statistics *statistics)
{
	if (statistics == NULL)
		return;
	write_line(statistics);
	event_free(statistics->timer);
	free(statistics);
}
