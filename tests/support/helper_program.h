/* SPDX-License-Identifier: ISC */
/* One of our helper programs, with a test in the master's place. */
#ifndef TESTS_SUPPORT_HELPER_PROGRAM_H
#define TESTS_SUPPORT_HELPER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct link;
struct options;

struct helper_program {
	struct event_base *base;
	struct link *control;
	pid_t pid;
	bool is_ready, is_gone;
	char failed[512]; /* what it says about its configuration */
};

/* Starts the program at `path`, not configured yet. */
void helper_program_start(
    struct helper_program *program, struct event_base *base, const char *path);

/* Hands over a configuration and waits for what it says. */
void helper_program_configure(
    struct helper_program *program, const struct options *options);

/* Links it to a worker: the worker's end. */
int helper_program_link(struct helper_program *program, uint32_t slot);

/* Waits for its end: its status as of waitpid. */
int helper_program_wait(struct helper_program *program);

/* Kills it. */
void helper_program_stop(struct helper_program *program);

#endif
