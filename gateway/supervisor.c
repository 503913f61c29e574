/* SPDX-License-Identifier: ISC */
/*
 * The table of the master's programs: notices deaths, starts the dead again,
 * in time with a back-off.
 */
#include "gateway/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/log.h"
#include "base/must.h"
#include "base/timeval.h"
#include "gateway/backoff.h"

#define HOW_SIZE 80

struct row {
	STAILQ_ENTRY(row) entry;
	struct supervisor *supervisor;
	struct child *child;
	struct backoff backoff;
	struct event restart;
};

struct supervisor {
	struct event_base *base;
	const struct supervisor_functions *functions;
	void *arg;
	STAILQ_HEAD(, row) rows;
	struct event death;
	bool is_retired;
};

/* ---- starting again ---- */

static void
restart_after(struct row *row, unsigned delay_ms)
{
	const struct timeval delay = timeval_ms(delay_ms);

	(void)evtimer_add(&row->restart, &delay);
}

static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct row *row = arg;
	struct supervisor *supervisor = row->supervisor;
	int status;

	(void)fd;
	(void)what;
	status = child_start(row->child);
	if (status < 0) {
		log_error(NULL, "%s cannot be started: %s",
		    child_name(row->child), strerror(-status));
		restart_after(row, BACKOFF_LAST_MS);
		return;
	}
	supervisor->functions->started(supervisor->arg, row->child);
}

/* ---- deaths ---- */

static void
say_how(int status, char how[HOW_SIZE])
{
	if (WIFSIGNALED(status))
		(void)snprintf(how, HOW_SIZE, "was ended by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(
		    how, HOW_SIZE, "ended with status %d", WEXITSTATUS(status));
}

static void
bury(struct row *row, int status)
{
	struct supervisor *supervisor = row->supervisor;
	char how[HOW_SIZE];
	unsigned delay_ms;

	say_how(status, how);
	child_buried(row->child);
	delay_ms = backoff_died(&row->backoff, child_started_us(row->child));
	if (supervisor->functions->died(supervisor->arg, row->child, how,
		WIFEXITED(status), delay_ms) &&
	    !supervisor->is_retired)
		restart_after(row, delay_ms);
}

static struct row *
find_row(struct supervisor *supervisor, pid_t pid)
{
	struct row *row;

	STAILQ_FOREACH (row, &supervisor->rows, entry) {
		if (child_pid(row->child) == pid)
			return row;
	}
	return NULL;
}

/* As the first process of a container we are given orphans too: whatever has
 * ended is waited for. */
static void
on_death(evutil_socket_t number, short what, void *arg)
{
	struct supervisor *supervisor = arg;
	int status;
	pid_t pid;

	(void)number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct row *row = find_row(supervisor, pid);

		if (row != NULL)
			bury(row, status);
	}
}

/* ---- the table ---- */

struct supervisor *
supervisor_new(struct event_base *base,
    const struct supervisor_functions *functions, void *arg)
{
	struct supervisor *supervisor = must_alloc(1, sizeof(*supervisor));

	supervisor->base = base;
	supervisor->functions = functions;
	supervisor->arg = arg;
	STAILQ_INIT(&supervisor->rows);
	must(evsignal_assign(
		 &supervisor->death, base, SIGCHLD, on_death, supervisor) == 0);
	if (evsignal_add(&supervisor->death, NULL) < 0)
		die("cannot watch for SIGCHLD");
	return supervisor;
}

void
supervisor_free(struct supervisor *supervisor)
{
	struct row *row;

	if (supervisor == NULL)
		return;
	(void)evsignal_del(&supervisor->death);
	while ((row = STAILQ_FIRST(&supervisor->rows)) != NULL) {
		STAILQ_REMOVE_HEAD(&supervisor->rows, entry);
		(void)evtimer_del(&row->restart);
		child_free(row->child);
		free(row);
	}
	free(supervisor);
}

void
supervisor_add(struct supervisor *supervisor, struct child *child)
{
	struct row *row = must_alloc(1, sizeof(*row));

	row->supervisor = supervisor;
	row->child = child;
	must(evtimer_assign(&row->restart, supervisor->base, on_restart, row) ==
	     0);
	STAILQ_INSERT_TAIL(&supervisor->rows, row, entry);
}

int
supervisor_start(struct supervisor *supervisor)
{
	struct row *row;

	STAILQ_FOREACH (row, &supervisor->rows, entry) {
		int status = child_start(row->child);

		if (status < 0)
			return status;
	}
	STAILQ_FOREACH (row, &supervisor->rows, entry) {
		supervisor->functions->started(supervisor->arg, row->child);
	}
	return 0;
}

struct child *
supervisor_next(const struct supervisor *supervisor, const struct child *after)
{
	struct row *row;
	bool is_next = after == NULL;

	STAILQ_FOREACH (row, &supervisor->rows, entry) {
		if (is_next)
			return row->child;
		is_next = row->child == after;
	}
	return NULL;
}

void
supervisor_retire(struct supervisor *supervisor)
{
	struct row *row;

	supervisor->is_retired = true;
	STAILQ_FOREACH (row, &supervisor->rows, entry) {
		(void)evtimer_del(&row->restart);
	}
}
