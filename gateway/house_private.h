/* SPDX-License-Identifier: ISC */
/* What house.c, house_reload.c and house_stop.c share. */
#ifndef GATEWAY_HOUSE_PRIVATE_H
#define GATEWAY_HOUSE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/compiler.h"
#include "base/log.h"

struct audit_sender;
struct child;
struct control_request;
struct event_base;
struct interfaces;
struct plan;
struct supervisor;

#define HOUSE_WHY_SIZE	    512
#define HOUSE_BOOT_ID_SIZE  37
#define HOUSE_ASKED_BY_SIZE 64

/* In this order; sessions may end by themselves in PHASE_DRAINING;
 * PHASE_STOPPING_* is the house's end, from the gateway, which
 * still has something to write down, to the auditor, which writes. */
enum phase {
	PHASE_FORKING,
	PHASE_STARTING,
	PHASE_RUNNING,
	PHASE_RELOADING_HELPERS,
	PHASE_RELOADING_GATEWAY,
	PHASE_DRAINING,
	PHASE_STOPPING_GATEWAY,
	PHASE_STOPPING_HELPERS,
	PHASE_FLUSHING,
	PHASE_STOPPING_AUDITOR,
	PHASE_ENDED
};

/* An administrator who waits for a reload's outcome. */
struct reload_asker {
	STAILQ_ENTRY(reload_asker) entry;
	struct child *child; /* that asked for him */
	uint64_t id;
	uint32_t uid, pid;
};
STAILQ_HEAD(reload_askers, reload_asker);

struct house {
	const char *settings_path;
	struct event_base *base;
	enum phase phase;
	int exit_status;
	struct plan *now;
	struct plan *next; /* while reloading */
	uint64_t last_generation;
	bool wants_reload; /* asked for while it could not be */
	/* Who asked for the reload that goes on, and for the next one. */
	struct reload_askers reload_askers, next_askers;
	struct supervisor *supervisor;
	struct interfaces *interfaces;
	struct audit_sender *audit;
	bool has_level; /* an administrator's, until the next settings */
	enum log_level level;
	bool returns; /* at the end, as a new program in this process */
	char boot_id[HOUSE_BOOT_ID_SIZE];
	struct event reload, restart, terminate, interrupt;
	struct event deadline; /* of the phase */
	struct event flushed;
	struct event feed; /* of the watchdog */
	struct event door; /* when what was on its way in is in */
};

/* Whether a program is one of those that are meant. */
typedef bool house_choice_fn(const struct child *child);
bool house_is_any(const struct child *child);
bool house_is_gateway(const struct child *child);
bool house_is_helper(const struct child *child); /* any but the gateway */
bool house_is_auditor(const struct child *child);

/* Begins a phase; its deadline comes after limit_s seconds, unless that is 0.
 */
void house_enter(struct house *house, enum phase phase, time_t limit_s);
bool house_is_stopping(const struct house *house);
/* It drains or stops. */
bool house_is_ending(const struct house *house);

/* Writes an audit record of the house itself. */
void house_record(struct house *house, enum audit_event event, bool failed,
    const char *format, ...) printf_like(4, 5);

/* Whether that generation is in force in all of them. */
bool house_all_have(
    const struct house *house, house_choice_fn *is_chosen, uint64_t generation);
/* Tells the plan to those of them that do not have it. */
void house_tell(
    struct house *house, house_choice_fn *is_chosen, const struct plan *plan);
void house_take_log_level(struct house *house);
/* To a program that runs, if it is not that of the settings. */
void house_tell_log_level(const struct house *house, struct child *child);

/* An administrator asks, through a child.  He is answered. */
void house_asked(void *house, struct child *child, uint64_t id,
    const struct control_request *request);

/* What the reload that goes on has come to, to those who asked for it. */
void house_asked_tell(struct house *house, bool is_done, const char *sentence);
/* Who asked for it, in words: "SIGHUP", "uid 0, pid 12". */
const char *
house_asked_by(const struct house *house, char text[HOUSE_ASKED_BY_SIZE]);
/* Nobody is answered any more. */
void house_asked_forget(struct house *house);

/* NULL after complaints in the log, the first of them in why. */
struct settings *
house_load_settings(const char *path, char why[HOUSE_WHY_SIZE]) must_check;

/* Feeds the service manager's watchdog from now on, if there is one. */
void house_watchdog_start(struct house *house);
/* Between a program's answer and the next question. */
unsigned house_watchdog_ping_ms(void);

/* Reads the settings again and begins to hand them round; later, if that
 * cannot be now. */
void house_reload_ask(struct house *house);
void house_reload(struct house *house);
/* If somebody asked for it while it could not be. */
void house_reload_if_wanted(struct house *house);
/* One more program has taken the settings. */
void house_reload_go_on(struct house *house);
/* One has not: whoever has gets the old ones again. */
void house_reload_roll_back(struct house *house, const char *why);

/* Lets nobody in any more and gives sessions that long; then the end begins.
 */
void house_drain(struct house *house, uint64_t seconds);
/* The same, but who comes meanwhile waits for the program that is executed
 * then. */
void house_restart(struct house *house, uint64_t seconds);
/* False, with a sentence in why, if it could not start as things are. */
bool house_may_restart(
    const struct house *house, char why[HOUSE_WHY_SIZE]) must_check;
void house_drain_on_door(evutil_socket_t fd, short what, void *house);
void house_drained(void *house);
void house_drain_is_over(struct house *house); /* its time is */

/* Begins the end; nothing if it has begun. */
void house_stop(struct house *house, int exit_status);
/* One more program has ended. */
void house_stop_go_on(struct house *house);
/* Time is up, or somebody asks again: the step's programs are killed. */
void house_stop_hasten(struct house *house);
void house_stop_on_look(evutil_socket_t fd, short what, void *house);

#endif
