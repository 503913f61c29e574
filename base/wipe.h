/* SPDX-License-Identifier: ISC */
/*
 * Takes octets that may be secret out of libevent's buffers without leaving
 * them in memory: evbuffer_drain frees them as they are, and so does whoever
 * frees the buffer.
 *
 * It wipes where the octets lie.  Who wants that must not have moved them:
 * evbuffer_pullup leaves a copy that nobody finds again (evbuffer_copyout
 * does not).
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

struct evbuffer;

/* The first len octets, or as many as there are. */
void wipe_drain(struct evbuffer *buffer, size_t len);

/* All of them. */
void wipe_drain_all(struct evbuffer *buffer);

#endif
