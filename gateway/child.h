/* SPDX-License-Identifier: ISC */
/*
 * One program that the master has started: its process, its control link,
 * its pulse.  What it is told and when it is started again is decided by
 * others.
 */
#ifndef GATEWAY_CHILD_H
#define GATEWAY_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/role.h"
#include "base/sandbox.h"

struct child;
struct control_request;
struct event_base;

#define CHILD_PING_MS                                                          \
	5000 /* between an answer and the next question, at most */
#define CHILD_HANG_MS 20000 /* a pulse that stays out so long is a hang */

struct child_spec {
	enum role role;
	uint32_t index; /* among its kind */
	const char *path;
	struct sandbox_user user;
	const char *krb5_config; /* "" for the system's */
	bool needs_descriptors;	 /* as many as it may have */
	unsigned hang_ms;
	unsigned ping_ms; /* between an answer and the next question */
};

struct child_functions {
	/* The configuration of child_generation is in force; is_first: it is
	 * the first of this process. */
	void (*ready)(void *arg, struct child *child, bool is_first);
	/* The configuration was not taken. */
	void (*failed)(void *arg, struct child *child, const char *why);
	/* It asks for something, for an administrator; child_answer, now or
	 * later.  NULL: what asks is killed. */
	void (*asked)(void *arg, struct child *child, uint64_t id,
	    const struct control_request *request);
	/* What was asked by CONTROL_DRAIN has come; may be NULL. */
	void (*drained)(void *arg);
};

/* Nothing runs yet.  The spec and its texts are copied; `functions` is
 * borrowed for ever.  Dies without memory. */
struct child *child_new(struct event_base *base, const struct child_spec *spec,
    const struct child_functions *functions, void *arg) must_check;
/* Kills it if it runs. */
void child_free(struct child *child);

/* Forks and executes.  0 or -errno. */
int child_start(struct child *child) must_check;
/* SIGKILL, and the log says why. */
void child_kill(struct child *child, const char *why);
/* The process was waited for: closes the link. */
void child_buried(struct child *child);

enum role child_role(const struct child *child);
uint32_t child_index(const struct child *child);
/* "authenticator 0" */
const char *child_name(const struct child *child);
/* 0 when no process runs. */
pid_t child_pid(const struct child *child);
/* Monotonic; when child_start was called last. */
uint64_t child_started_us(const struct child *child);
/* For how long it has owed an answer to what it was asked for its pulse. */
uint64_t child_silence_us(const struct child *child);
/* What it has said of itself: facts, as of its last answer for its pulse. */
const char *child_facts(const struct child *child);
/* How often it was started. */
unsigned child_starts(const struct child *child);
/* The generation it said READY to last, since it was started; or 0. */
uint64_t child_generation(const struct child *child);
/* Whether this process was given its links (gateway/wiring.h). */
bool child_is_wired(const struct child *child);
void child_set_wired(struct child *child);

/*
 * Sends on the control link, `fd` (borrowed) along with it unless it is -1.
 * A child that cannot be told any more is killed.  False then, and when it
 * does not run.
 */
bool child_send(struct child *child, uint16_t type, uint64_t id,
    const void *data, size_t len, int fd);

/* The same for what has a name (CONTROL_FILE, CONTROL_LISTENER). */
void
child_send_named(struct child *child, uint16_t type, const char *name, int fd);

/* To a request of that id; dropped quietly when nobody waits any more. */
void
child_answer(struct child *child, uint64_t id, bool is_done, const char *text);

/* Ends a configuration: ready or failed comes, but not `failed` for one that
 * another has followed meanwhile. */
void child_commit(struct child *child, uint64_t generation);

#endif
