/* SPDX-License-Identifier: ISC */
/*
 * Brings files to the disk on a thread of its own: the disk may take its
 * time, the event loop may not.
 */
#ifndef GATEWAY_SPOOL_SYNC_H
#define GATEWAY_SPOOL_SYNC_H

#include <stdbool.h>

#include "base/compiler.h"

struct event_base;
struct spool_sync;

/* done: from the loop, once for each start, with 0 or the -errno of the first
 * that failed.  Dies without memory. */
struct spool_sync *spool_sync_new(struct event_base *base,
    void (*done)(void *arg, int status), void *arg) must_check;
/* Waits for what was started; its done is not called any more. */
void spool_sync_free(struct spool_sync *sync);

/* Takes `count` descriptors (SPOOL_SYNC_MAX at most).  Not while busy. */
void spool_sync_start(struct spool_sync *sync, const int *fds, int count);
bool spool_sync_is_busy(const struct spool_sync *sync);

#endif
