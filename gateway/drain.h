/* SPDX-License-Identifier: ISC */
/* Waits in the gateway's main thread for the last session's end. */
#ifndef GATEWAY_DRAIN_H
#define GATEWAY_DRAIN_H

#include <stddef.h>

#include "base/compiler.h"

struct drain;
struct event_base;
struct shared;
struct worker;

/*
 * Has the workers accept what waits and then nobody any more.  `done` comes
 * once, when all have and no session is left; until then the log says from
 * time to time how many are.  All borrowed.  Dies without memory.
 */
struct drain *drain_start(struct event_base *base, struct shared *shared,
    struct worker **workers, size_t count, void (*done)(void *arg),
    void *arg) must_check;
void drain_cancel(struct drain *drain); /* NULL is fine */

#endif
