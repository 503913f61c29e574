/* SPDX-License-Identifier: ISC */
/* A throw-away directory full of program_echo, and what these tell. */
#ifndef TESTS_SUPPORT_OBSERVER_H
#define TESTS_SUPPORT_OBSERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

#define OBSERVER_WAIT_MS 10000
#define OBSERVER_LINES	 4096

struct observer {
	char directory[64];
	int fd;		/* the file in which they tell */
	char rest[512]; /* of a line that is not whole yet */
	size_t rest_len;
	size_t count;
	size_t mark; /* where observer_wait begins to look */
	char *lines[OBSERVER_LINES];
};

/* Makes the directory; each role's program in it is program_echo, which
 * stands beside the test that runs. */
void observer_init(struct observer *observer);
void observer_fini(struct observer *observer);

/* Writes a file into the directory. */
void
observer_write(struct observer *observer, const char *name, const char *text);

/* Takes in what was told meanwhile. */
void observer_read(struct observer *observer);

/* Only what is told from now on counts for observer_wait. */
void observer_mark(struct observer *observer);

/*
 * Waits for a line "ROLE INDEX PID text" and returns its pid; `who` is
 * "ROLE INDEX".  Fails the test when none comes in time.
 */
pid_t
observer_wait(struct observer *observer, const char *who, const char *text);

/* Whether there is such a line since the mark. */
bool observer_has(struct observer *observer, const char *who, const char *text);

#endif
