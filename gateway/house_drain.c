/* SPDX-License-Identifier: ISC */
/*
 * Before the end: nobody is let in any more, and who is in may finish.
 *
 * A listening socket that is closed resets whoever waits there.  So no new
 * handshake begins for a moment, those that have begun come to their end, the
 * gateway accepts them, and only then the sockets are closed.  Those that the
 * service manager keeps, and all at a restart, stay open: who comes waits for
 * the next start.
 */
#include "gateway/house_private.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/log.h"
#include "gateway/child.h"
#include "gateway/listeners.h"
#include "gateway/notify.h"
#include "gateway/plan.h"
#include "gateway/settings.h"
#include "gateway/supervisor.h"

#define DOOR_US	    300000 /* for the last step of a handshake */
#define ORDERLY_S   25	   /* for the steps of house_stop.c */
#define SECONDS_MAX 86400

static void
abandon_reload(struct house *house)
{
	if (house->next == NULL)
		return;
	house_asked_tell(house, false, "the gateway is stopping");
	plan_close(house->next);
	house->next = NULL;
}

void
house_drain(struct house *house, uint64_t seconds)
{
	const struct timeval door = {.tv_usec = DOOR_US};

	if (house_is_ending(house))
		return;
	abandon_reload(house);
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	if (seconds == 0 || house->phase < PHASE_RUNNING) {
		house_stop(house, EXIT_SUCCESS);
		return;
	}
	log_info(NULL, "draining: sessions have %llu s to end",
	    (unsigned long long)seconds);
	if (!house->returns)
		notify_stopping(seconds + ORDERLY_S);
	house_enter(house, PHASE_DRAINING, (time_t)seconds);
	if (!house->returns)
		listeners_shut(house->now->listeners);
	(void)evtimer_add(&house->door, &door);
}

bool
house_may_restart(const struct house *house, char why[HOUSE_WHY_SIZE])
{
	struct settings *settings;

	if (house->phase < PHASE_RUNNING || house_is_ending(house)) {
		(void)strlcpy(
		    why, "the gateway is starting or stopping", HOUSE_WHY_SIZE);
		return false;
	}
	if (listeners_count(house->now->listeners) > LISTENERS_BEQUEATH_MAX) {
		(void)strlcpy(why, "there are too many listeners to keep",
		    HOUSE_WHY_SIZE);
		return false;
	}
	settings = house_load_settings(house->settings_path, why);
	if (settings == NULL)
		return false;
	settings_unref(settings);
	return true;
}

void
house_restart(struct house *house, uint64_t seconds)
{
	house->returns = true;
	house_drain(house, seconds);
}

void
house_drain_on_door(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;
	struct child *child = NULL;

	(void)fd;
	(void)what;
	if (house->phase != PHASE_DRAINING)
		return;
	while ((child = supervisor_next(house->supervisor, child)) != NULL)
		if (house_is_gateway(child))
			(void)child_send(child, CONTROL_DRAIN, 0, NULL, 0, -1);
	if (!house->returns)
		listeners_leave(house->now->listeners);
}

void
house_drained(void *arg)
{
	struct house *house = arg;

	if (house->phase != PHASE_DRAINING)
		return;
	log_info(NULL, "drained: the last session has ended");
	house_stop(house, EXIT_SUCCESS);
}

void
house_drain_is_over(struct house *house)
{
	log_info(NULL, "the time to drain is over");
	house_stop(house, EXIT_SUCCESS);
}
