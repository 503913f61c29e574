/* SPDX-License-Identifier: ISC */
/* A UDP socket of an association, and the datagrams that wait to leave by it.
 */
#ifndef RELAY_DOOR_H
#define RELAY_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/compiler.h"
#include "relay/datagrams.h"

struct door {
	int fd; /* -1: not open */
	struct event event;
	size_t count;
	struct datagram out[DATAGRAMS_MAX];
};

/* What came of a flush; bytes are of the payload. */
struct door_sent {
	uint64_t datagrams, bytes;
	uint64_t too_large; /* for the way */
	uint64_t refused;   /* by the kernel, for whatever reason */
};

void door_init(struct door *door);

/* See datagrams_socket.  0 or an errno. */
int door_open(struct door *door, const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound) must_check;
/* Calls whenever there is something to receive.  0, or -1 without memory. */
int door_watch(struct door *door, struct event_base *base,
    event_callback_fn on_readable, void *arg) must_check;
/* One that is not open is fine. */
void door_close(struct door *door);

/* Data is borrowed until the door is flushed, at the latest after
 * DATAGRAMS_MAX. */
void door_put(struct door *door, const struct datagram *item);
struct door_sent door_flush(struct door *door);

#endif
