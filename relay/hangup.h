/* SPDX-License-Identifier: ISC */
/*
 * Notices that a peer has closed or reset its connection, without reading
 * what it sent before: that stays where it is, in the kernel's bounds.
 */
#ifndef RELAY_HANGUP_H
#define RELAY_HANGUP_H

#include <stdbool.h>

#include "base/compiler.h"

struct event_base;
struct hangup;

/* was_reset: by RST or another failure, else by FIN. */
typedef void hangup_fn(void *arg, bool was_reset);

/*
 * Watches a connected TCP socket, which stays the caller's: others may watch
 * it at the same time, and it may be closed first.  The callback comes at most
 * once, never before this has returned, never after the cancel; the handle
 * stays until the cancel.  NULL when there is no memory or descriptor.
 */
struct hangup *hangup_watch(
    struct event_base *base, int fd, hangup_fn *gone, void *arg) must_check;
void hangup_cancel(struct hangup *hangup); /* NULL is fine */

#endif
