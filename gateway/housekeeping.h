/* SPDX-License-Identifier: ISC */
/*
 * What the gateway's main thread looks after once a second: that each
 * worker's event loop turns, and that memory goes back to the system when
 * many sessions have gone.
 */
#ifndef GATEWAY_HOUSEKEEPING_H
#define GATEWAY_HOUSEKEEPING_H

#include <stddef.h>

#include "base/compiler.h"

struct event_base;
struct housekeeping;
struct shared;
struct worker;

/* Begins; the workers and what they share are borrowed.  NULL without memory.
 * Ends the program when the loop of a worker hangs. */
struct housekeeping *housekeeping_new(struct event_base *base,
    struct shared *shared, struct worker **workers, size_t count) must_check;
void housekeeping_free(struct housekeeping *housekeeping); /* NULL is fine */

#endif
