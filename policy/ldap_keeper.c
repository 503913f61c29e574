/* SPDX-License-Identifier: ISC */
/* Keeps the copy on disk of the last rules that were taken. */
#include "policy/ldap_keeper.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/must.h"
#include "policy/ldap_process.h"
#include "policy/rules_copy.h"

/* A start after an outage counts from a moment that is as much too early. */
#define CONFIRM_EVERY_US 5000000

struct keeper {
	struct event_base *base;
	char path[PATH_MAX];
	bool is_kept;	       /* the copy is of the last set that was taken */
	uint64_t confirmed_us; /* what the copy says */
	pid_t writer;	       /* 0: none */
	bool is_outdated;      /* what it writes: nobody wants it any more */
	struct event *ended;   /* of the writer */
	/* Taken while another was being written; NULL: none was. */
	uint8_t *next;
	size_t next_len;
	uint64_t next_confirmed_us;
	keeper_idle_fn *idle;
	void *idle_arg;
};

static void
complain(const struct keeper *keeper, int error)
{
	log_error(NULL, "%s: the rules cannot be kept: %s", keeper->path,
	    strerror(error));
}

/* ---- the writer */

_Noreturn static void
write_copy(const struct keeper *keeper, const uint8_t *set, size_t len,
    uint64_t confirmed_us)
{
	_exit(-rules_copy_write(keeper->path, set, len, confirmed_us));
}

static void on_ended(evutil_socket_t fd, short what, void *arg);

static void
start_writer(struct keeper *keeper, const uint8_t *set, size_t len,
    uint64_t confirmed_us)
{
	int fd = -1;

	keeper->confirmed_us = confirmed_us;
	keeper->is_outdated = false;
	keeper->writer = process_fork(&fd);
	if (keeper->writer == 0)
		write_copy(keeper, set, len, confirmed_us);
	if (keeper->writer < 0) {
		complain(keeper, errno);
		keeper->writer = 0;
		return;
	}
	keeper->ended = event_new(keeper->base, fd, EV_READ, on_ended, keeper);
	if (keeper->ended == NULL || event_add(keeper->ended, NULL) != 0)
		die("out of memory");
}

/* It has ended, or has to. */
static int
end_writer(struct keeper *keeper)
{
	int status = process_reap(keeper->writer);

	keeper->writer = 0;
	(void)close(event_get_fd(keeper->ended));
	event_free(keeper->ended);
	keeper->ended = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static void
start_next(struct keeper *keeper)
{
	uint8_t *next = keeper->next;

	keeper->next = NULL;
	start_writer(keeper, next, keeper->next_len, keeper->next_confirmed_us);
	free(next);
}

static void
publish(struct keeper *keeper, int error)
{
	if (error == 0)
		error = -rules_copy_publish(keeper->path);
	keeper->is_kept = error == 0;
	if (error != 0)
		complain(keeper, error);
}

static void
on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *keeper = arg;
	keeper_idle_fn *idle = keeper->idle;
	int error = end_writer(keeper);

	(void)fd;
	(void)what;
	if (keeper->next != NULL)
		start_next(keeper);
	else if (!keeper->is_outdated)
		publish(keeper, error);
	if (keeper->writer != 0)
		return;
	keeper->idle = NULL;
	if (idle != NULL)
		idle(keeper->idle_arg);
}

/* ---- what is kept */

struct keeper *
keeper_new(struct event_base *base)
{
	struct keeper *keeper = must_alloc(1, sizeof(*keeper));

	keeper->base = base;
	return keeper;
}

void
keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	if (keeper->writer > 0)
		(void)end_writer(keeper);
	free(keeper->next);
	free(keeper);
}

void
keeper_set_path(struct keeper *keeper, const char *path)
{
	if (strcmp(keeper->path, path) == 0)
		return;
	(void)strlcpy(keeper->path, path, sizeof(keeper->path));
	keeper->is_kept = false;
}

const char *
keeper_path(const struct keeper *keeper)
{
	return keeper->path;
}

void
keeper_forget(struct keeper *keeper)
{
	int result = rules_copy_remove(keeper->path);

	keeper->is_kept = false;
	keeper->is_outdated = true;
	if (result != 0)
		complain(keeper, -result);
	free(keeper->next);
	keeper->next = NULL;
}

void
keeper_keep(struct keeper *keeper, const uint8_t *set, size_t len,
    uint64_t confirmed_us)
{
	keeper_forget(keeper);
	if (keeper->writer == 0) {
		start_writer(keeper, set, len, confirmed_us);
		return;
	}
	keeper->next = must_alloc(1, len + 1);
	memcpy(keeper->next, set, len);
	keeper->next_len = len;
	keeper->next_confirmed_us = confirmed_us;
}

void
keeper_confirm(struct keeper *keeper, uint64_t confirmed_us)
{
	int result;

	if (!keeper->is_kept ||
	    confirmed_us < keeper->confirmed_us + CONFIRM_EVERY_US)
		return;
	keeper->confirmed_us = confirmed_us;
	result = rules_copy_confirm(keeper->path, confirmed_us);
	if (result != 0)
		complain(keeper, -result);
}

bool
keeper_is_writing(const struct keeper *keeper)
{
	return keeper->writer != 0;
}

void
keeper_when_idle(struct keeper *keeper, keeper_idle_fn *idle, void *arg)
{
	if (!keeper_is_writing(keeper)) {
		idle(arg);
		return;
	}
	keeper->idle = idle;
	keeper->idle_arg = arg;
}
