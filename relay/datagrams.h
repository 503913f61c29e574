/* SPDX-License-Identifier: ISC */
/*
 * UDP sockets that never block, and datagrams received and sent many at a
 * time.
 */
#ifndef RELAY_DATAGRAMS_H
#define RELAY_DATAGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"

#define DATAGRAMS_MAX 16 /* of one batch */

/* More than any datagram is long, and than what is put around one. */
#define DATAGRAM_SIZE	  65536
#define DATAGRAM_HEADROOM 512
#define DATAGRAM_TAILROOM 512

struct datagram {
	uint8_t *data;
	size_t len;
	struct socket_address peer; /* whose it is, or who gets it */
	bool is_cut;		    /* it was longer than DATAGRAM_SIZE */
	size_t payload_len;	    /* for who sends it: what to count */
	int error;		    /* 0, or the errno of its sending */
};

/* Received ones, with DATAGRAM_HEADROOM octets free in front of each and
 * DATAGRAM_TAILROOM behind it. */
struct datagrams {
	size_t count;
	struct datagram items[DATAGRAMS_MAX];
};

/*
 * The calling thread's batch: one for all its sockets, good until the event
 * loop is reached again.  NULL without memory.  Who has joined leaves once,
 * in the same thread.
 */
struct datagrams *datagrams_join(void) must_check;
void datagrams_leave(struct datagrams *batch);

/* Receives what is there, up to DATAGRAMS_MAX; none is no error. */
void datagrams_receive(int fd, struct datagrams *batch);

/* Sends each and notes its error; what one fails of does not stop the next. */
void datagrams_send(int fd, struct datagram *items, size_t count);

/*
 * A non-blocking UDP socket, bound to the address and to some port from
 * port_min to port_max (0: any).  IPv6 sockets are that only.  -1 and errno:
 * EADDRINUSE if no port was found.
 */
int datagrams_socket(const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound) must_check;

#endif
