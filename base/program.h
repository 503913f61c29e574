/* SPDX-License-Identifier: ISC */
/*
 * The frame of every program that the master starts: sandbox, control link,
 * event loop, configuration, links to peers.
 *
 * main() of a program is program_run() with a struct of functions.
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/link.h"
#include "base/options.h"
#include "base/role.h"

struct event_base;
struct program;

struct program_functions {
	enum role role;
	/* Its libraries start set-uid programs (base/sandbox.h). */
	bool may_gain_privileges;
	unsigned needs; /* base/sandbox_confine.h */

	/*
	 * A whole configuration has come (at start and at reloads).  0, or -1
	 * with a sentence in why: then nothing may have changed.  `options`
	 * is borrowed for the call.  Files of this configuration were handed
	 * to `file` just before.
	 */
	int (*configure)(void *state, const struct options *options, char *why,
	    size_t why_size);

	/* A named descriptor; taken.  NULL if the program wants none. */
	void (*file)(void *state, const char *name, int fd);

	/* A link to a peer was made (or made anew); fd taken.  NULL if the
	 * program has no peers. */
	void (*linked)(
	    void *state, enum role peer, uint32_t index, uint32_t slot, int fd);

	/* Control messages of other types (the gateway's); may be NULL. */
	void (*message)(void *state, struct link_message *message);

	/* What an administrator may know of it now: facts
	 * (base/control_request.h), a text of less than `size` octets.  Asked
	 * every few seconds.  NULL: nothing. */
	void (*describe)(const void *state, char *facts, size_t size);

	/* CONTROL_STOP: finish, then program_exit().  NULL: exit at once. */
	void (*stop)(void *state);
};

/*
 * Never returns.  Enters the sandbox (base/sandbox.h), opens the control
 * link on CONTROL_FD, and serves until the master stops it or is gone.
 * Started by hand it says so and exits with 64.  --version is answered.
 * `state` gets the program through `start`, called first of all.
 */
_Noreturn void program_run(const struct program_functions *functions,
    void (*start)(void *state, struct program *program), void *state, int argc,
    char **argv);

/* The program's event loop. */
struct event_base *program_base(struct program *program);

/* Sends a message to the master; lost if the master is gone. */
void program_send(struct program *program, uint16_t type, uint64_t id,
    const void *data, size_t len);

/* Asks the master (base/link.h, question_start). */
struct question *program_ask(struct program *program, uint16_t type,
    const void *data, size_t len, unsigned timeout_ms, question_done_fn *done,
    void *arg) must_check;

/* Leaves the event loop once the current callback is done, and exits 0. */
void program_exit(struct program *program);

#endif
