/* SPDX-License-Identifier: ISC */
/*
 * A sliding window over the numbers of messages that may be lost, repeated
 * and reordered: each number passes once, and none that is too old to know.
 *
 * Checking and committing are two steps, so that a forged number moves
 * nothing: commit only the number of a message that has proved genuine.
 */
#ifndef BASE_REPLAY_WINDOW_H
#define BASE_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* So many numbers below the highest are remembered.  At 100 000 datagrams a
 * second that is 20 ms of reordering, for 256 octets an association. */
#define REPLAY_WINDOW_SIZE 2048

struct replay_window {
	uint64_t next; /* one more than the highest that has passed */
	uint64_t seen[REPLAY_WINDOW_SIZE / 64]; /* by number modulo the size */
};

/* All numbers below `first` count as having passed. */
void replay_window_init(struct replay_window *window, uint64_t first);

/* True if the number has not passed and is not too old.  UINT64_MAX, which
 * has no next one, never may. */
bool replay_window_may_pass(
    const struct replay_window *window, uint64_t number) must_check;

/* It has passed now; it may_pass. */
void replay_window_commit(struct replay_window *window, uint64_t number);

#endif
