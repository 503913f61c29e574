/* SPDX-License-Identifier: ISC */
/*
 * The life of the whole house: all programs start together, a dead one comes
 * back, a reload is taken by all or by none, and the end has an order.
 */
#include "gateway/house.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/audit_sender.h"
#include "gateway/capacity.h"
#include "gateway/house_private.h"
#include "gateway/interfaces.h"
#include "gateway/listeners.h"
#include "gateway/notify.h"
#include "gateway/plan.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/state_folders.h"
#include "gateway/supervisor.h"
#include "gateway/wiring.h"

#include "config.h"

#define START_LIMIT_S 60

/* ---- records ---- */

void
house_record(struct house *house, enum audit_event event, bool failed,
    const char *format, ...)
{
	struct audit_record entry = {.event = event, .failed = failed};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(entry.detail, sizeof(entry.detail), format, args);
	va_end(args);
	audit_sender_write(house->audit, &entry);
}

/* ---- phases ---- */

void
house_enter(struct house *house, enum phase phase, time_t limit_s)
{
	const struct timeval limit = {.tv_sec = limit_s};

	house->phase = phase;
	(void)evtimer_del(&house->deadline);
	if (limit_s > 0)
		(void)evtimer_add(&house->deadline, &limit);
}

static const struct plan *
plan_for_new(const struct house *house)
{
	return house->next != NULL ? house->next : house->now;
}

static void
tell(struct house *house, const struct plan *plan, struct child *child)
{
	struct plan_extras extras = {
	    .boot_id = house->boot_id,
	};

	extras.addresses =
	    interfaces_encoded(house->interfaces, &extras.addresses_len);
	plan_tell(plan, &extras, child);
	/* New settings bring a level of their own. */
	if (house->next == NULL)
		house_tell_log_level(house, child);
}

bool
house_is_helper(const struct child *child)
{
	return child_role(child) != ROLE_GATEWAY;
}

bool
house_is_gateway(const struct child *child)
{
	return child_role(child) == ROLE_GATEWAY;
}

bool
house_is_auditor(const struct child *child)
{
	return child_role(child) == ROLE_AUDITOR;
}

bool
house_is_any(const struct child *child)
{
	(void)child;
	return true;
}

bool
house_all_have(
    const struct house *house, house_choice_fn *is_chosen, uint64_t generation)
{
	const struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) && child_generation(child) != generation)
			return false;
	}
	return true;
}

void
house_tell(
    struct house *house, house_choice_fn *is_chosen, const struct plan *plan)
{
	struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) &&
		    child_generation(child) != plan->generation)
			tell(house, plan, child);
	}
}

bool
house_is_stopping(const struct house *house)
{
	return house->phase >= PHASE_STOPPING_GATEWAY;
}

bool
house_is_ending(const struct house *house)
{
	return house->phase >= PHASE_DRAINING;
}

void
house_take_log_level(struct house *house)
{
	house->has_level = false;
	if (log_level_parse(house->now->settings->log_level, &house->level))
		log_init("gatewarden", house->level);
}

void
house_tell_log_level(const struct house *house, struct child *child)
{
	const uint8_t level = (uint8_t)house->level;

	if (house->has_level && child_pid(child) != 0)
		(void)child_send(
		    child, CONTROL_LOG_LEVEL, 0, &level, sizeof(level), -1);
}

/* ---- signals ---- */

static void
on_reload(evutil_socket_t number, short what, void *arg)
{
	struct house *house = arg;

	(void)number;
	(void)what;
	house_reload_ask(house);
}

/* Sessions end at once: who has something to lose asks with gatewardenctl. */
static void
on_restart(evutil_socket_t number, short what, void *arg)
{
	struct house *house = arg;
	char why[HOUSE_WHY_SIZE] = "";

	(void)number;
	(void)what;
	if (!house_may_restart(house, why)) {
		log_error(NULL, "the restart is refused: %s", why);
		return;
	}
	log_info(NULL, "restarting, asked by SIGUSR2");
	house_restart(house, 0);
}

static void
on_terminate(evutil_socket_t number, short what, void *arg)
{
	struct house *house = arg;

	(void)number;
	(void)what;
	if (house_is_stopping(house)) {
		house_stop_hasten(house);
		return;
	}
	if (house->phase == PHASE_DRAINING) {
		log_info(NULL, "stopping at once");
		house_stop(house, EXIT_SUCCESS);
		return;
	}
	log_info(NULL, "stopping");
	house_drain(house, house->now->settings->drain_timeout);
}

/* ---- the start ---- */

static void
finish_start(struct house *house)
{
	house_enter(house, PHASE_RUNNING, 0);
	log_info(NULL, "gatewarden %s is ready", PACKAGE_VERSION);
	house_record(house, AUDIT_START, false, "gatewarden %s is ready",
	    PACKAGE_VERSION);
	listeners_store(house->now->listeners, NULL);
	notify_ready("Running");
	house_reload_if_wanted(house);
}

static void
fail_start(
    struct house *house, int exit_status, const char *who, const char *why)
{
	log_error(NULL, "the start has failed: %s: %s", who, why);
	house_stop(house, exit_status);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;

	(void)fd;
	(void)what;
	if (house_is_stopping(house))
		house_stop_hasten(house);
	else if (house->phase == PHASE_DRAINING)
		house_drain_is_over(house);
	else if (house->next != NULL)
		house_reload_roll_back(
		    house, "a program has not answered in time");
	else
		fail_start(house, EXIT_FAILURE, "a program",
		    "it has not answered in time");
}

/* ---- what happens to programs ---- */

static void
on_ready(void *arg, struct child *child, bool is_first)
{
	struct house *house = arg;

	if (house_is_stopping(house))
		return;
	if (house->phase == PHASE_STARTING) {
		if (house_all_have(house, house_is_any, house->now->generation))
			finish_start(house);
		return;
	}
	if (is_first) {
		log_info(NULL, "%s is back", child_name(child));
		house_record(house, AUDIT_DEPENDENCY, false, "%s is back",
		    child_name(child));
	}
	if (house->next != NULL)
		house_reload_go_on(house);
}

static void
on_failed(void *arg, struct child *child, const char *why)
{
	struct house *house = arg;
	char text[HOUSE_WHY_SIZE];

	(void)snprintf(text, sizeof(text), "%s: %s", child_name(child), why);
	if (house_is_stopping(house))
		return;
	if (house->phase == PHASE_STARTING) {
		fail_start(house, EX_CONFIG, child_name(child), why);
		return;
	}
	if (house->next != NULL) {
		house_reload_roll_back(house, text);
		return;
	}
	house_record(house, AUDIT_DEPENDENCY, true, "%s", text);
	child_kill(child, why);
}

static const struct child_functions child_functions = {
    .ready = on_ready,
    .failed = on_failed,
    .asked = house_asked,
    .drained = house_drained,
};

static void
on_started(void *arg, struct child *child)
{
	struct house *house = arg;
	int fd;

	wiring_connect(
	    house->supervisor, child, capacity_workers(house->now->settings));
	if (house_is_auditor(child)) {
		fd = wiring_join(child, ROLE_MASTER);
		if (fd >= 0)
			audit_sender_link(house->audit, fd);
	}
	/* At the start nobody is configured before all have their links. */
	if (house->phase != PHASE_FORKING)
		tell(house, plan_for_new(house), child);
}

static bool
on_died(void *arg, struct child *child, const char *how, bool by_itself,
    unsigned delay_ms)
{
	struct house *house = arg;

	if (house_is_stopping(house)) {
		house_stop_go_on(house);
		return false;
	}
	if (house->phase == PHASE_DRAINING && house_is_gateway(child)) {
		log_error(NULL, "%s %s", child_name(child), how);
		house_stop(house, EXIT_FAILURE);
		return false;
	}
	if (house->phase <= PHASE_STARTING && by_itself) {
		fail_start(house, EXIT_FAILURE, child_name(child), how);
		return false;
	}
	log_error(NULL, "%s %s; starting it again in %u ms", child_name(child),
	    how, delay_ms);
	house_record(
	    house, AUDIT_DEPENDENCY, true, "%s %s", child_name(child), how);
	return true;
}

static const struct supervisor_functions supervisor_functions = {
    .started = on_started,
    .died = on_died,
};

static void
on_addresses(void *arg)
{
	struct house *house = arg;
	struct child *child = NULL;
	const uint8_t *data;
	size_t len;

	log_info(NULL, "the addresses of this host have changed");
	data = interfaces_encoded(house->interfaces, &len);
	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (house_is_gateway(child))
			(void)child_send(
			    child, CONTROL_ADDRESSES, 0, data, len, -1);
	}
}

/* ---- building the house ---- */

static const enum role start_order[] = {
    ROLE_AUDITOR,
    ROLE_AUTHENTICATOR,
    ROLE_PASSWORD_CHECKER,
    ROLE_DIRECTORY_WATCH,
    ROLE_DIRECTORY_LOOKUP,
    ROLE_GATEWAY,
};

static void
add_programs(struct house *house, enum role role, const char *libexecdir)
{
	const struct settings *settings = house->now->settings;
	char *path = programs_path(role, libexecdir);
	struct child_spec spec = {
	    .role = role,
	    .path = path,
	    .krb5_config = settings->krb5_config,
	    .needs_descriptors = role == ROLE_GATEWAY,
	    .hang_ms = programs_hang_ms(role, settings),
	    .ping_ms = house_watchdog_ping_ms(),
	};

	if (geteuid() == 0 &&
	    sandbox_user_find(programs_user(role, settings), &spec.user) < 0)
		die("there is no user %s", programs_user(role, settings));
	for (; spec.index < programs_count(role, settings); spec.index++)
		supervisor_add(house->supervisor,
		    child_new(house->base, &spec, &child_functions, house));
	free(path);
}

/* A sequence of records begins with each start of the house, and has a name
 * of its own: a random UUID (RFC 9562 section 5.4). */
static void
make_boot_id(char id[HOUSE_BOOT_ID_SIZE])
{
	uint8_t octet[16];
	size_t at = 0;

	if (getrandom(octet, sizeof(octet), 0) != sizeof(octet))
		die("no random octets: %s", strerror(errno));
	octet[6] = (uint8_t)((octet[6] & 0x0f) | 0x40);
	octet[8] = (uint8_t)((octet[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(octet); i++)
		at += (size_t)snprintf(id + at, HOUSE_BOOT_ID_SIZE - at,
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
		    octet[i]);
}

static void
watch_signals(struct house *house)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	must(sigaction(SIGPIPE, &ignore, NULL) == 0);
	must(evsignal_assign(
		 &house->reload, house->base, SIGHUP, on_reload, house) == 0);
	must(evsignal_assign(&house->restart, house->base, SIGUSR2, on_restart,
		 house) == 0);
	must(evsignal_assign(&house->terminate, house->base, SIGTERM,
		 on_terminate, house) == 0);
	must(evsignal_assign(&house->interrupt, house->base, SIGINT,
		 on_terminate, house) == 0);
	if (evsignal_add(&house->reload, NULL) < 0 ||
	    evsignal_add(&house->restart, NULL) < 0 ||
	    evsignal_add(&house->terminate, NULL) < 0 ||
	    evsignal_add(&house->interrupt, NULL) < 0)
		die("cannot watch for signals");
}

/* No other sender of records has this number: the gateway's have the time in
 * their upper part, too, and small lower parts. */
static uint64_t
audit_source(void)
{
	return clock_wall_us() << 8 | 0xff;
}

static void
build(struct house *house)
{
	house->base = event_base_new();
	if (house->base == NULL)
		die("no event loop: %s", strerror(errno));
	must(evtimer_assign(
		 &house->deadline, house->base, on_deadline, house) == 0);
	must(evtimer_assign(
		 &house->door, house->base, house_drain_on_door, house) == 0);
	must(event_assign(&house->flushed, house->base, -1, EV_PERSIST,
		 house_stop_on_look, house) == 0);
	watch_signals(house);
	house->audit = audit_sender_new(house->base, audit_source());
	house->interfaces = interfaces_new(house->base, on_addresses, house);
	if (house->audit == NULL || house->interfaces == NULL)
		die("cannot watch this host's addresses: %s", strerror(errno));
	make_boot_id(house->boot_id);
	house->supervisor =
	    supervisor_new(house->base, &supervisor_functions, house);
}

static void
demolish(struct house *house)
{
	house_asked_forget(house);
	supervisor_free(house->supervisor);
	interfaces_free(house->interfaces);
	audit_sender_free(house->audit);
	plan_close(house->next);
	plan_close(house->now);
	(void)evsignal_del(&house->reload);
	(void)evsignal_del(&house->restart);
	(void)event_del(&house->feed);
	(void)evsignal_del(&house->terminate);
	(void)evsignal_del(&house->interrupt);
	(void)evtimer_del(&house->deadline);
	(void)event_del(&house->flushed);
	(void)evtimer_del(&house->door);
	event_base_free(house->base);
}

static void
start(struct house *house, const char *libexecdir)
{
	int status;

	for (size_t i = 0; i < ARRAY_COUNT(start_order); i++)
		add_programs(house, start_order[i], libexecdir);
	status = supervisor_start(house->supervisor);
	if (status < 0)
		die("a program cannot be started: %s", strerror(-status));
	house_enter(house, PHASE_STARTING, START_LIMIT_S);
	house_tell(house, house_is_any, house->now);
	house_watchdog_start(house);
}

/* With the sockets that were handed over to us. */
static struct plan *
open_first(
    struct house *house, struct settings *settings, char *why, size_t why_size)
{
	struct plan given = {.listeners = listeners_inherit(why, why_size)};
	struct plan *plan = NULL;

	if (given.listeners == NULL ||
	    !listeners_fit(given.listeners, settings, why, why_size)) {
		settings_unref(settings);
	} else {
		plan = plan_open(
		    settings, ++house->last_generation, &given, why, why_size);
	}
	listeners_close(given.listeners);
	return plan;
}

int
house_run(const struct house_spec *spec)
{
	struct house house = {.settings_path = spec->settings_path};
	struct listeners *kept = NULL;
	char why[HOUSE_WHY_SIZE] = "";

	STAILQ_INIT(&house.reload_askers);
	STAILQ_INIT(&house.next_askers);
	house.now = open_first(&house, spec->settings, why, sizeof(why));
	if (house.now == NULL ||
	    !state_folders_make(house.now->settings, why, sizeof(why))) {
		log_error(NULL, "the start has failed: %s", why);
		plan_close(house.now);
		return EX_CONFIG;
	}
	house_take_log_level(&house);
	build(&house);
	start(&house, spec->libexecdir);
	(void)event_base_dispatch(house.base);
	if (house.returns)
		kept = listeners_copy(house.now->listeners);
	demolish(&house);
	if (kept == NULL)
		return house.exit_status;
	listeners_bequeath(kept);
	return HOUSE_RETURNS;
}
