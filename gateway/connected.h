/* SPDX-License-Identifier: ISC */
/*
 * Which identity is connected to which address: counted by the sessions of
 * all threads, behind one small lock.
 */
#ifndef GATEWAY_CONNECTED_H
#define GATEWAY_CONNECTED_H

#include <stdbool.h>

#include "base/address.h"

struct connected;

struct connected *connected_new(void) must_check; /* NULL: no memory */
/* Must be empty: each session takes its own off. */
void connected_free(struct connected *connected);

/* False when there is no memory: then nothing is to be removed. */
bool connected_add(struct connected *connected, const char *identity,
    const struct address *address) must_check;
void connected_remove(struct connected *connected, const char *identity,
    const struct address *address);

/* Is that identity connected to that address; NULL: to any at all? */
bool connected_has(struct connected *connected, const char *identity,
    const struct address *address) must_check;

#endif
