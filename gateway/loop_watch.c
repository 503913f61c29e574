/* SPDX-License-Identifier: ISC */
/* Watches whether a worker's event loop turns. */
#include "gateway/loop_watch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/counters.h"

#define BEAT_US 100000 /* between two looks */
#define LATE_US 10000
#define MINUTE	600 /* beats */

struct loop_watch {
	struct counters *counters;
	struct event *timer;
	uint64_t due_us;
	_Atomic uint64_t beats;
	_Atomic uint64_t worst_us, worst_before_us; /* of a minute */
	unsigned minute_beats;
	/* Of the thread that checks. */
	uint64_t beats_seen;
	unsigned silent_checks;
};

static void
arm(struct loop_watch *watch)
{
	struct timeval beat = {0, BEAT_US};

	watch->due_us = clock_monotonic_us() + BEAT_US;
	(void)evtimer_add(watch->timer, &beat);
}

static void
keep_worst(struct loop_watch *watch, uint64_t late_us)
{
	if (++watch->minute_beats == MINUTE) {
		watch->minute_beats = 0;
		atomic_store(&watch->worst_before_us,
		    atomic_exchange(&watch->worst_us, 0));
	}
	if (late_us > atomic_load(&watch->worst_us))
		atomic_store(&watch->worst_us, late_us);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;
	uint64_t now_us = clock_monotonic_us();
	uint64_t late_us = now_us > watch->due_us ? now_us - watch->due_us : 0;

	(void)fd;
	(void)what;
	keep_worst(watch, late_us);
	if (late_us > LATE_US)
		counters_add(watch->counters, COUNTER_LOOP_LATE);
	atomic_fetch_add(&watch->beats, 1);
	arm(watch);
}

struct loop_watch *
loop_watch_new(struct event_base *base, struct counters *counters)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->counters = counters;
	watch->timer = evtimer_new(base, on_beat, watch);
	if (watch->timer == NULL) {
		free(watch);
		return NULL;
	}
	arm(watch);
	return watch;
}

void
loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->timer);
	free(watch);
}

unsigned
loop_watch_check(struct loop_watch *watch, unsigned slot)
{
	uint64_t beats = atomic_load(&watch->beats);

	if (beats != watch->beats_seen)
		watch->silent_checks = 0;
	else if (++watch->silent_checks == 2)
		log_warning(NULL,
		    "the event loop of worker %u has not turned for a second",
		    slot);
	watch->beats_seen = beats;
	return watch->silent_checks;
}

uint64_t
loop_watch_worst_us(const struct loop_watch *watch)
{
	uint64_t now_us = atomic_load(&watch->worst_us);
	uint64_t before_us = atomic_load(&watch->worst_before_us);

	return now_us > before_us ? now_us : before_us;
}
