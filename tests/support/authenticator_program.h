/* SPDX-License-Identifier: ISC */
/* The authenticator program itself, with a test in the master's place. */
#ifndef TESTS_SUPPORT_AUTHENTICATOR_PROGRAM_H
#define TESTS_SUPPORT_AUTHENTICATOR_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct link;

struct authenticator_program {
	struct event_base *base;
	struct link *control;
	pid_t pid;
	bool is_ready, is_gone;
	char failed[512]; /* what it says about its configuration */
};

/* Starts it, not configured yet. */
void authenticator_program_start(
    struct authenticator_program *program, struct event_base *base);

/* Hands over a configuration and waits for what it says: with_kdc.sh's
 * keytab where `keytab` is NULL, its folder for the replay cache. */
void authenticator_program_configure(
    struct authenticator_program *program, const char *keytab);

/* Links it to a worker: the worker's end. */
int authenticator_program_link(
    struct authenticator_program *program, uint32_t slot);

/* Waits for its end: its status as of waitpid. */
int authenticator_program_wait(struct authenticator_program *program);

/* Kills it. */
void authenticator_program_stop(struct authenticator_program *program);

#endif
