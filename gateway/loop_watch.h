/* SPDX-License-Identifier: ISC */
/*
 * Watches whether a worker's event loop turns.
 *
 * A timer in the loop notices how late it comes: so late was every session
 * of that loop served.  Another thread notices that it does not come at all.
 */
#ifndef GATEWAY_LOOP_WATCH_H
#define GATEWAY_LOOP_WATCH_H

#include <stdint.h>

#include "base/compiler.h"

struct counters;
struct event_base;
struct loop_watch;

#define LOOP_WATCH_CHECK_MS   1000 /* how often loop_watch_check is called */
#define LOOP_WATCH_DEAD_AFTER 20   /* checks */

/* Counts in `counters`, borrowed, when the loop is late by more than 10 ms.
 * NULL without memory. */
struct loop_watch *
loop_watch_new(struct event_base *base, struct counters *counters) must_check;
void loop_watch_free(struct loop_watch *watch); /* NULL is fine */

/*
 * From the main thread, every LOOP_WATCH_CHECK_MS.  How many checks in a row
 * have seen no turn of the loop: 0 is well, 1 can be this process as a whole.
 * Warns at 2, naming the worker; at LOOP_WATCH_DEAD_AFTER the loop hangs.
 */
unsigned loop_watch_check(struct loop_watch *watch, unsigned slot);

/* From any thread: by how much the loop was late at most, in this minute and
 * the one before, in microseconds. */
uint64_t loop_watch_worst_us(const struct loop_watch *watch);

#endif
