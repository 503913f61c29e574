/* SPDX-License-Identifier: ISC */
/*
 * Tells the service manager that the house is alive, as often as it wants to
 * hear it, and only while every program answers when it is asked for its
 * pulse; the gateway's answer stands for its workers' loops, too
 * (gateway/loop_watch.h).
 */
#include "gateway/house_private.h"

#include <event2/event.h>

#include "base/must.h"
#include "base/timeval.h"
#include "gateway/child.h"
#include "gateway/notify.h"
#include "gateway/supervisor.h"

/* Of the time that it gives us. */
#define FEEDINGS 3
#define SILENCES 2

unsigned
house_watchdog_ping_ms(void)
{
	uint64_t ms = notify_watchdog_us() / 1000 / 4;

	return ms == 0 || ms > CHILD_PING_MS ? CHILD_PING_MS : (unsigned)ms;
}

/* One that is dead is not stuck: it comes back. */
static bool
all_answer(const struct house *house, uint64_t patience_us)
{
	const struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL)
		if (child_pid(child) != 0 &&
		    child_silence_us(child) > patience_us)
			return false;
	return true;
}

static void
on_feed(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;

	(void)fd;
	(void)what;
	if (all_answer(house, notify_watchdog_us() / SILENCES))
		notify_alive();
}

void
house_watchdog_start(struct house *house)
{
	const struct timeval pause =
	    timeval_us(notify_watchdog_us() / FEEDINGS + 1);

	must(event_assign(&house->feed, house->base, -1, EV_PERSIST, on_feed,
		 house) == 0);
	if (notify_watchdog_us() > 0)
		(void)event_add(&house->feed, &pause);
}
