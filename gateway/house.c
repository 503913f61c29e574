/* SPDX-License-Identifier: ISC */
/*
 * The life of the whole house: all programs start together, a dead one comes
 * back, a reload is taken by all or by none, and the end has an order.
 */
#include "gateway/house.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#include "gateway/interfaces.h"
#include "gateway/notify.h"
#include "gateway/plan.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/state_folders.h"
#include "gateway/supervisor.h"
#include "gateway/wiring.h"

#include "config.h"

#define WHY_SIZE	   512
#define BOOT_ID_SIZE	   37
#define AUDITOR_STATE_SIZE 4096
#define START_LIMIT_S	   60
#define RELOAD_LIMIT_S	   30
#define FLUSH_LOOK_MS	   10 /* between two looks whether records are out */

/* In this order; STOPPING_* is the house's end, from the gateway, which
 * still has something to write down, to the auditor, which writes. */
enum phase {
	FORKING,
	STARTING,
	RUNNING,
	RELOADING_HELPERS,
	RELOADING_GATEWAY,
	STOPPING_GATEWAY,
	STOPPING_HELPERS,
	FLUSHING,
	STOPPING_AUDITOR,
	ENDED
};

struct house {
	const char *settings_path;
	struct event_base *base;
	enum phase phase;
	int exit_status;
	struct plan *now;
	struct plan *next; /* while reloading */
	uint64_t last_generation;
	bool wants_reload; /* asked for while it could not be */
	struct supervisor *supervisor;
	struct interfaces *interfaces;
	struct audit_sender *audit;
	int auditor_state;
	char boot_id[BOOT_ID_SIZE];
	struct event reload, terminate, interrupt;
	struct event deadline; /* of the phase */
	struct event flushed;
};

/* ---- records ---- */

static void printf_like(4, 5) record(struct house *house,
    enum audit_event event, bool failed, const char *format, ...)
{
	struct audit_record entry = {.event = event, .failed = failed};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(entry.detail, sizeof(entry.detail), format, args);
	va_end(args);
	audit_sender_write(house->audit, &entry);
}

/* ---- phases ---- */

static void
enter(struct house *house, enum phase phase, time_t limit_s)
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
	    .auditor_state = house->auditor_state,
	    .boot_id = house->boot_id,
	};

	extras.addresses =
	    interfaces_encoded(house->interfaces, &extras.addresses_len);
	plan_tell(plan, &extras, child);
}

static bool
is_helper(const struct child *child)
{
	return child_role(child) != ROLE_GATEWAY;
}

static bool
is_gateway(const struct child *child)
{
	return child_role(child) == ROLE_GATEWAY;
}

static bool
is_auditor(const struct child *child)
{
	return child_role(child) == ROLE_AUDITOR;
}

static bool
is_other_helper(const struct child *child)
{
	return is_helper(child) && !is_auditor(child);
}

static bool
is_any(const struct child *child)
{
	(void)child;
	return true;
}

typedef bool choice_fn(const struct child *child);

static bool
all_have(const struct house *house, choice_fn *is_chosen, uint64_t generation)
{
	const struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) && child_generation(child) != generation)
			return false;
	}
	return true;
}

static void
tell_chosen(struct house *house, choice_fn *is_chosen, const struct plan *plan)
{
	struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) &&
		    child_generation(child) != plan->generation)
			tell(house, plan, child);
	}
}

/* ---- the end ---- */

static void
send_stop(struct house *house, choice_fn *is_chosen)
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
is_running(const struct house *house, choice_fn *is_chosen)
{
	const struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child) && child_pid(child) != 0)
			return true;
	}
	return false;
}

static void
kill_chosen(struct house *house, choice_fn *is_chosen)
{
	struct child *child = NULL;

	while ((child = supervisor_next(house->supervisor, child)) != NULL) {
		if (is_chosen(child))
			child_kill(child, "it does not stop");
	}
}

/* Who ends in which step, and within how many seconds. */
static const struct stop_step {
	choice_fn *is_chosen;
	time_t limit_s;
} stop_steps[] = {
    [STOPPING_GATEWAY] = {is_gateway, 10},
    [STOPPING_HELPERS] = {is_other_helper, 3},
    [FLUSHING] = {NULL, 3},
    [STOPPING_AUDITOR] = {is_auditor, 5},
};

static bool
is_flushed(const struct house *house)
{
	return audit_sender_pending(house->audit) == 0 ||
	       !is_running(house, is_auditor);
}

static void
begin_flush(struct house *house)
{
	const struct timeval look = {.tv_usec = FLUSH_LOOK_MS * 1000};

	record(house, AUDIT_STOP, house->exit_status != 0,
	    "gatewarden %s stops", PACKAGE_VERSION);
	(void)event_add(&house->flushed, &look);
}

static bool
is_step_done(const struct house *house)
{
	choice_fn *is_chosen = stop_steps[house->phase].is_chosen;

	return is_chosen != NULL ? !is_running(house, is_chosen)
				 : is_flushed(house);
}

static void
begin_step(struct house *house, enum phase phase)
{
	enter(house, phase, stop_steps[phase].limit_s);
	if (stop_steps[phase].is_chosen != NULL)
		send_stop(house, stop_steps[phase].is_chosen);
	else
		begin_flush(house);
}

static void
go_on_stopping(struct house *house)
{
	while (house->phase != ENDED && is_step_done(house)) {
		if (house->phase == STOPPING_AUDITOR) {
			enter(house, ENDED, 0);
			(void)event_base_loopbreak(house->base);
		} else {
			begin_step(house, house->phase + 1);
		}
	}
}

static bool
is_stopping(const struct house *house)
{
	return house->phase >= STOPPING_GATEWAY;
}

static void
stop(struct house *house, int exit_status)
{
	if (is_stopping(house))
		return;
	house->exit_status = exit_status;
	notify_stopping();
	supervisor_retire(house->supervisor);
	begin_step(house, STOPPING_GATEWAY);
	go_on_stopping(house);
}

/* Time is up, or somebody asks again. */
static void
hasten(struct house *house)
{
	if (house->phase == ENDED)
		return;
	if (stop_steps[house->phase].is_chosen != NULL)
		kill_chosen(house, stop_steps[house->phase].is_chosen);
	else
		begin_step(house, STOPPING_AUDITOR);
	go_on_stopping(house);
}

static void
on_flush_look(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;

	(void)fd;
	(void)what;
	if (house->phase == FLUSHING)
		go_on_stopping(house);
	else
		(void)event_del(&house->flushed);
}

static void
on_terminate(evutil_socket_t number, short what, void *arg)
{
	struct house *house = arg;

	(void)number;
	(void)what;
	if (is_stopping(house)) {
		hasten(house);
		return;
	}
	log_info(NULL, "stopping");
	stop(house, EXIT_SUCCESS);
}

/* ---- reloading ---- */

static void
refuse_reload(struct house *house, const char *why)
{
	log_error(
	    NULL, "the reload is refused, the old settings stay: %s", why);
	record(house, AUDIT_RELOAD, true, "settings refused: %s", why);
	notify_ready();
}

/* Text of several lines: all to the log, the first to *why. */
static void
log_lines(char *text, char why[WHY_SIZE])
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		log_error(NULL, "%s", line);
		if (why[0] == '\0')
			(void)strlcpy(why, line, WHY_SIZE);
	}
}

static struct settings *
load_settings(const char *path, char why[WHY_SIZE])
{
	struct settings *settings;
	char *text = NULL;
	size_t len = 0;
	FILE *errors = open_memstream(&text, &len);

	if (errors == NULL) {
		(void)strlcpy(why, strerror(errno), WHY_SIZE);
		return NULL;
	}
	settings = settings_load(path, errors);
	(void)fclose(errors);
	if (settings == NULL)
		log_lines(text, why);
	free(text);
	return settings;
}

static struct plan *
open_next(struct house *house, char why[WHY_SIZE])
{
	struct settings *settings = load_settings(house->settings_path, why);
	const char *fixed;

	if (settings == NULL)
		return NULL;
	fixed = settings_restart_needed(house->now->settings, settings);
	if (fixed != NULL) {
		(void)snprintf(
		    why, WHY_SIZE, "%s takes effect at a restart only", fixed);
		settings_unref(settings);
		return NULL;
	}
	return plan_open(
	    settings, ++house->last_generation, house->now, why, WHY_SIZE);
}

static void
begin_reload(struct house *house)
{
	char why[WHY_SIZE] = "";

	house->wants_reload = false;
	notify_reloading();
	house->next = open_next(house, why);
	if (house->next == NULL) {
		refuse_reload(house, why);
		return;
	}
	enter(house, RELOADING_HELPERS, RELOAD_LIMIT_S);
	tell_chosen(house, is_helper, house->next);
}

static void
begin_wanted_reload(struct house *house)
{
	if (house->wants_reload)
		begin_reload(house);
}

static void
take_log_level(const struct plan *plan)
{
	enum log_level level;

	if (log_level_parse(plan->settings->log_level, &level))
		log_init("gatewarden", level);
}

static void
finish_reload(struct house *house)
{
	plan_close(house->now);
	house->now = house->next;
	house->next = NULL;
	enter(house, RUNNING, 0);
	take_log_level(house->now);
	log_info(NULL, "the settings were reloaded");
	record(house, AUDIT_RELOAD, false, "settings taken, generation %llu",
	    (unsigned long long)house->now->generation);
	notify_ready();
	begin_wanted_reload(house);
}

/* Whoever has taken the new settings gets the old ones again. */
static void
roll_back(struct house *house, const char *why)
{
	plan_close(house->next);
	house->next = NULL;
	house->now->generation = ++house->last_generation;
	enter(house, RUNNING, 0);
	tell_chosen(house, is_any, house->now);
	refuse_reload(house, why);
	begin_wanted_reload(house);
}

static void
go_on_reloading(struct house *house)
{
	uint64_t generation = house->next->generation;

	if (house->phase == RELOADING_HELPERS &&
	    all_have(house, is_helper, generation)) {
		enter(house, RELOADING_GATEWAY, RELOAD_LIMIT_S);
		tell_chosen(house, is_gateway, house->next);
	}
	if (house->phase == RELOADING_GATEWAY &&
	    all_have(house, is_any, generation))
		finish_reload(house);
}

static void
on_reload(evutil_socket_t number, short what, void *arg)
{
	struct house *house = arg;

	(void)number;
	(void)what;
	if (house->phase == RUNNING)
		begin_reload(house);
	else
		house->wants_reload = true;
}

/* ---- the start ---- */

static void
finish_start(struct house *house)
{
	enter(house, RUNNING, 0);
	log_info(NULL, "gatewarden %s is ready", PACKAGE_VERSION);
	record(house, AUDIT_START, false, "gatewarden %s is ready",
	    PACKAGE_VERSION);
	notify_ready();
	begin_wanted_reload(house);
}

static void
fail_start(
    struct house *house, int exit_status, const char *who, const char *why)
{
	log_error(NULL, "the start has failed: %s: %s", who, why);
	stop(house, exit_status);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct house *house = arg;

	(void)fd;
	(void)what;
	if (is_stopping(house))
		hasten(house);
	else if (house->next != NULL)
		roll_back(house, "a program has not answered in time");
	else
		fail_start(house, EXIT_FAILURE, "a program",
		    "it has not answered in time");
}

/* ---- what happens to programs ---- */

static void
on_ready(void *arg, struct child *child, bool is_first)
{
	struct house *house = arg;

	if (is_stopping(house))
		return;
	if (house->phase == STARTING) {
		if (all_have(house, is_any, house->now->generation))
			finish_start(house);
		return;
	}
	if (is_first) {
		log_info(NULL, "%s is back", child_name(child));
		record(house, AUDIT_DEPENDENCY, false, "%s is back",
		    child_name(child));
	}
	if (house->next != NULL)
		go_on_reloading(house);
}

static void
on_failed(void *arg, struct child *child, const char *why)
{
	struct house *house = arg;
	char text[WHY_SIZE];

	(void)snprintf(text, sizeof(text), "%s: %s", child_name(child), why);
	if (is_stopping(house))
		return;
	if (house->phase == STARTING) {
		fail_start(house, EX_CONFIG, child_name(child), why);
		return;
	}
	if (house->next != NULL) {
		roll_back(house, text);
		return;
	}
	record(house, AUDIT_DEPENDENCY, true, "%s", text);
	child_kill(child, why);
}

static const struct child_functions child_functions = {
    .ready = on_ready,
    .failed = on_failed,
};

static void
on_started(void *arg, struct child *child)
{
	struct house *house = arg;
	int fd;

	wiring_connect(
	    house->supervisor, child, programs_workers(house->now->settings));
	if (is_auditor(child)) {
		fd = wiring_join(child);
		if (fd >= 0)
			audit_sender_link(house->audit, fd);
	}
	/* At the start nobody is configured before all have their links. */
	if (house->phase != FORKING)
		tell(house, plan_for_new(house), child);
}

static bool
on_died(void *arg, struct child *child, const char *how, bool by_itself,
    unsigned delay_ms)
{
	struct house *house = arg;

	if (is_stopping(house)) {
		go_on_stopping(house);
		return false;
	}
	if (house->phase <= STARTING && by_itself) {
		fail_start(house, EXIT_FAILURE, child_name(child), how);
		return false;
	}
	log_error(NULL, "%s %s; starting it again in %u ms", child_name(child),
	    how, delay_ms);
	record(house, AUDIT_DEPENDENCY, true, "%s %s", child_name(child), how);
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
		if (is_gateway(child))
			(void)child_send(
			    child, CONTROL_ADDRESSES, 0, data, len, -1);
	}
}

/* ---- building the house ---- */

static const enum role start_order[] = {
    ROLE_AUDITOR,
    ROLE_AUTHENTICATOR,
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
	};

	if (geteuid() == 0 &&
	    sandbox_user_find(programs_user(role, settings), &spec.user) < 0)
		die("there is no user %s", programs_user(role, settings));
	for (; spec.index < programs_count(role, settings); spec.index++)
		supervisor_add(house->supervisor,
		    child_new(house->base, &spec, &child_functions, house));
	free(path);
}

static void
read_boot_id(char id[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, id, BOOT_ID_SIZE - 1);

	id[len < 0 ? 0 : len] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

static int
make_auditor_state(void)
{
	int fd = memfd_create("auditor.state", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, AUDITOR_STATE_SIZE) < 0)
		die("no memory for the auditor's state: %s", strerror(errno));
	return fd;
}

static void
watch_signals(struct house *house)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	must(sigaction(SIGPIPE, &ignore, NULL) == 0);
	must(evsignal_assign(
		 &house->reload, house->base, SIGHUP, on_reload, house) == 0);
	must(evsignal_assign(&house->terminate, house->base, SIGTERM,
		 on_terminate, house) == 0);
	must(evsignal_assign(&house->interrupt, house->base, SIGINT,
		 on_terminate, house) == 0);
	if (evsignal_add(&house->reload, NULL) < 0 ||
	    evsignal_add(&house->terminate, NULL) < 0 ||
	    evsignal_add(&house->interrupt, NULL) < 0)
		die("cannot watch for signals");
}

/* No other sender of records has this number: the gateway's have the second
 * in their upper part, too, and small lower parts. */
static uint64_t
audit_source(void)
{
	return (clock_wall_us() / 1000000) << 24 | 0xffffff;
}

static void
build(struct house *house)
{
	house->base = event_base_new();
	if (house->base == NULL)
		die("no event loop: %s", strerror(errno));
	must(evtimer_assign(
		 &house->deadline, house->base, on_deadline, house) == 0);
	must(event_assign(&house->flushed, house->base, -1, EV_PERSIST,
		 on_flush_look, house) == 0);
	watch_signals(house);
	house->audit = audit_sender_new(house->base, audit_source());
	house->interfaces = interfaces_new(house->base, on_addresses, house);
	if (house->audit == NULL || house->interfaces == NULL)
		die("cannot watch this host's addresses: %s", strerror(errno));
	house->auditor_state = make_auditor_state();
	read_boot_id(house->boot_id);
	house->supervisor =
	    supervisor_new(house->base, &supervisor_functions, house);
}

static void
demolish(struct house *house)
{
	supervisor_free(house->supervisor);
	interfaces_free(house->interfaces);
	audit_sender_free(house->audit);
	plan_close(house->next);
	plan_close(house->now);
	(void)close(house->auditor_state);
	(void)evsignal_del(&house->reload);
	(void)evsignal_del(&house->terminate);
	(void)evsignal_del(&house->interrupt);
	(void)evtimer_del(&house->deadline);
	(void)event_del(&house->flushed);
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
	enter(house, STARTING, START_LIMIT_S);
	tell_chosen(house, is_any, house->now);
}

int
house_run(const struct house_spec *spec)
{
	struct house house = {.settings_path = spec->settings_path};
	char why[WHY_SIZE] = "";

	house.now = plan_open(
	    spec->settings, ++house.last_generation, NULL, why, sizeof(why));
	if (house.now == NULL ||
	    !state_folders_make(house.now->settings, why, sizeof(why))) {
		log_error(NULL, "the start has failed: %s", why);
		plan_close(house.now);
		return EX_CONFIG;
	}
	take_log_level(house.now);
	build(&house);
	start(&house, spec->libexecdir);
	(void)event_base_dispatch(house.base);
	demolish(&house);
	return house.exit_status;
}
