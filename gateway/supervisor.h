/* SPDX-License-Identifier: ISC */
/*
 * The table of the master's programs: notices deaths, starts the dead again,
 * in time with a back-off.
 */
#ifndef GATEWAY_SUPERVISOR_H
#define GATEWAY_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "gateway/child.h"

struct event_base;
struct supervisor;

struct supervisor_functions {
	/* A process runs; it knows nothing yet: no links, no configuration. */
	void (*started)(void *arg, struct child *child);
	/*
	 * A process has ended.  `how` says how in words; `by_itself` tells an
	 * exit from a signal.  Returns whether it is to be started again,
	 * which then happens after delay_ms.
	 */
	bool (*died)(void *arg, struct child *child, const char *how,
	    bool by_itself, unsigned delay_ms);
};

/* Takes over SIGCHLD.  Dies without memory. */
struct supervisor *supervisor_new(struct event_base *base,
    const struct supervisor_functions *functions, void *arg) must_check;
/* Kills what still runs. */
void supervisor_free(struct supervisor *supervisor);

/* child is taken.  It is started by supervisor_start. */
void supervisor_add(struct supervisor *supervisor, struct child *child);

/* Starts every program; each `started` is called when all run.  0, or -errno
 * of the first that could not be started. */
int supervisor_start(struct supervisor *supervisor) must_check;

/* The children in the order in which they were added; NULL after the last.
 * `after` is NULL for the first. */
struct child *
supervisor_next(const struct supervisor *supervisor, const struct child *after);

/* Nothing is started again any more. */
void supervisor_retire(struct supervisor *supervisor);

#endif
