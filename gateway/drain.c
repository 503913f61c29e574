/* SPDX-License-Identifier: ISC */
/* Waits in the gateway's main thread for the last session's end. */
#include "gateway/drain.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/must.h"
#include "gateway/budgets.h"
#include "gateway/worker.h"

#define LOOK_US	   50000
#define TELL_LOOKS 100 /* between two lines of the log */

struct drain {
	struct shared *shared;
	size_t workers;
	struct event *look;
	unsigned looks;
	void (*done)(void *arg);
	void *arg;
};

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct drain *drain = arg;
	bool is_shut = atomic_load(&drain->shared->closed) >= drain->workers;
	uint64_t left = budgets_sessions(drain->shared->budgets);

	(void)fd;
	(void)what;
	if (is_shut && left == 0) {
		(void)event_del(drain->look);
		drain->done(drain->arg);
	} else if (drain->looks++ % TELL_LOOKS == 0) {
		log_info(NULL, "draining: %" PRIu64 " sessions are left", left);
	}
}

struct drain *
drain_start(struct event_base *base, struct shared *shared,
    struct worker **workers, size_t count, void (*done)(void *arg), void *arg)
{
	const struct timeval often = {.tv_usec = LOOK_US};
	struct drain *drain = must_alloc(1, sizeof(*drain));

	drain->shared = shared;
	drain->workers = count;
	drain->done = done;
	drain->arg = arg;
	drain->look = event_new(base, -1, EV_PERSIST, on_look, drain);
	if (drain->look == NULL || event_add(drain->look, &often) != 0)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		struct mail mail = {.kind = MAIL_DRAIN};

		worker_mail(workers[i], &mail);
	}
	return drain;
}

void
drain_cancel(struct drain *drain)
{
	if (drain == NULL)
		return;
	event_free(drain->look);
	free(drain);
}
