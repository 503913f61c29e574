/* SPDX-License-Identifier: ISC */
/* The end of the house, which has an order. */
#include "gateway/house_private.h"

#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/log.h"
#include "gateway/audit_sender.h"
#include "gateway/child.h"
#include "gateway/notify.h"
#include "gateway/supervisor.h"

#include "config.h"

#define STOP_LIMIT_S  25 /* for all steps, with some to spare */
#define FLUSH_LOOK_MS 10 /* between two looks whether records are out */

static bool
is_other_helper(const struct child *child)
{
	return house_is_helper(child) && !house_is_auditor(child);
}

static void
send_stop(struct house *house, house_choice_fn *is_chosen)
{
	struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (!is_chosen(child) || child_pid(child) == 0)
			continue;
		/* One that was never configured has nothing to finish. */
		if (child_generation(child) == 0)
			(void)kill(child_pid(child), SIGKILL);
		else
			(void)child_send(child, CONTROL_STOP, 0, NULL, 0, -1);
	}
}

static bool
is_running(const struct house *house, house_choice_fn *is_chosen)
{
	const struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) && child_pid(child) != 0)
			return true;
	}
	return false;
}

static void
kill_chosen(struct house *house, house_choice_fn *is_chosen)
{
	struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child))
			child_kill(child, "it does not stop");
	}
}

/* Who ends in which step, and within how many seconds. */
static const struct stop_step {
	house_choice_fn *is_chosen;
	time_t limit_s;
} stop_steps[] = {
    [PHASE_STOPPING_GATEWAY] = {house_is_gateway, 10},
    [PHASE_STOPPING_HELPERS] = {is_other_helper, 3},
    [PHASE_FLUSHING] = {NULL, 3},
    [PHASE_STOPPING_AUDITOR] = {house_is_auditor, 5},
};

/* An auditor that is dead or was never configured writes nothing. */
static bool
is_flushed(const struct house *house)
{
	return audit_sender_pending(house->audit) == 0 ||
	       house_all_have(house, house_is_auditor, 0);
}

static void
begin_flush(struct house *house)
{
	const struct timeval look = {.tv_usec = FLUSH_LOOK_MS * 1000};

	house_record(house, AUDIT_STOP, house->exit_status != 0,
	    "gatewarden %s stops", PACKAGE_VERSION);
	(void)event_add(&house->flushed, &look);
}

static bool
is_step_done(const struct house *house)
{
	house_choice_fn *is_chosen = stop_steps[house->phase].is_chosen;

	return is_chosen != NULL ? !is_running(house, is_chosen)
				 : is_flushed(house);
}

static void
begin_step(struct house *house, enum phase phase)
{
	house_enter(house, phase, stop_steps[phase].limit_s);
	if (stop_steps[phase].is_chosen != NULL)
		send_stop(house, stop_steps[phase].is_chosen);
	else
		begin_flush(house);
}

void
house_stop_go_on(struct house *house)
{
	while (house->phase != PHASE_ENDED && is_step_done(house)) {
		if (house->phase == PHASE_STOPPING_AUDITOR) {
			house_enter(house, PHASE_ENDED, 0);
			(void)event_base_loopbreak(house->base);
		} else {
			begin_step(house, house->phase + 1);
		}
	}
}

void
house_stop(struct house *house, int exit_status)
{
	if (house_is_stopping(house))
		return;
	house->exit_status = exit_status;
	if (exit_status != EXIT_SUCCESS)
		house->returns = false;
	if (house->returns)
		notify_reloading();
	else
		notify_stopping(STOP_LIMIT_S);
	supervisor_retire(house->supervisor);
	begin_step(house, PHASE_STOPPING_GATEWAY);
	house_stop_go_on(house);
}

void
house_stop_hasten(struct house *house)
{
	if (house->phase == PHASE_ENDED)
		return;
	if (stop_steps[house->phase].is_chosen != NULL)
		kill_chosen(house, stop_steps[house->phase].is_chosen);
	else
		begin_step(house, PHASE_STOPPING_AUDITOR);
	house_stop_go_on(house);
}

void
house_stop_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;

	(void)fd;
	(void)what;
	if (house->phase == PHASE_FLUSHING)
		house_stop_go_on(house);
	else
		(void)event_del(&house->flushed);
}
