/* SPDX-License-Identifier: ISC */
/*
 * Two peers over TCP on loopback with a tunnel between them, and a kernel
 * that can be told to misbehave.  Octets say where they belong, so that each
 * one is checked on arrival.
 */
#ifndef TESTS_UNIT_RELAY_TUNNEL_WORLD_H
#define TESTS_UNIT_RELAY_TUNNEL_WORLD_H

#include "tests/support/unit.h"

#include <stdbool.h>

#include "base/seal.h"
#include "relay/tunnel.h"

/* What the tunnel's calls into the kernel and the pool meet. */
struct tunnel_seam {
	bool is_nasty;	/* one octet at a time, EINTR, EAGAIN */
	int read_errno; /* what reading failing_fd fails with */
	int write_errno;
	int failing_fd;
	bool no_buffers;
	size_t held; /* read and not written yet, in clear */
	size_t held_most;
	unsigned buffers; /* in use */
	unsigned reads;
};

extern struct tunnel_seam seam;

enum { CLIENT, TARGET, PEERS };

/* What the client speaks with the tunnel: flags. */
enum { CLEAR = 0, SEALED = 1, IN_TLS = 2 };

struct tls_end;

struct peer {
	int fd;			 /* ours; -1 when closed */
	int far_fd;		 /* the tunnel's, until it has it */
	uint64_t sent, received; /* plaintext octets */
	bool has_finished, sees_end, sees_reset, has_reset;
	struct seal *seal; /* what the client seals and opens with */
	uint8_t *out;	   /* to be written still */
	size_t out_len, out_size;
	uint8_t *in; /* sealed, not whole yet */
	size_t in_len;
	struct tls_end *tls; /* the client's, inside TLS */
	size_t encrypted;    /* octets of out that are in tls, not sent */
	bool wants_finish;   /* finished but for what is not sent */
};

struct world {
	struct event_base *base;
	struct tunnel *tunnel;
	struct peer peers[PEERS];
	unsigned calls;
	enum reason reason;
	struct tunnel_counts counts;
	bool is_sealed, is_tls;
	struct bufferevent *bev; /* the tunnel's end of TLS, until it has it */
	unsigned descriptors;
};

extern const struct tunnel_settings patient;

/* A generator with a seed, so that a failure can be seen again. */
extern uint64_t random_state;
uint32_t random_below(uint32_t limit);

/* Connects both peers (and shakes hands); descriptors and buffers are counted
 * from here. */
void world_init(struct world *world, unsigned form);
/* Puts the tunnel between them. */
void start_with(struct world *world, const struct tunnel_settings *settings,
    const void *opened, size_t opened_len, const void *pending,
    size_t pending_len);
void start(struct world *world, unsigned form);
/* With a seal of the caller's; taken. */
void start_sealed_by(struct world *world, struct seal *seal);
/* Ends all; fails the test if anything was left behind. */
void world_fini(struct world *world);

/* One turn of the loop. */
void turn(struct world *world);
/* Everybody writes and reads all he can until nothing moves. */
void exchange(struct world *world);
/* ... and the kernel carries nothing any more. */
void exchange_patiently(struct world *world);
/* ... until all that was queued is written, too. */
void exchange_all(struct world *world);
/* ... until the tunnel is done, which must be within seconds. */
void exchange_to_the_end(struct world *world);
uint64_t now_ms(void);

/* The octet at a place of the stream that `who` sends. */
uint8_t octet(int who, uint64_t place);
/* To be written as they are. */
void queue(struct peer *peer, const void *data, size_t len);
/* Takes back the first len octets that are queued. */
void unqueue(struct peer *peer, size_t len);
/* The frame with a sealed message; returns its length. */
size_t
seal_frame(struct seal *seal, uint8_t *frame, const void *plain, size_t len);
/* One message, sealed where the peer has a seal. */
void queue_text(struct peer *peer, const void *text, size_t len);
/* len octets of the peer's stream, in messages of up to `most`. */
void queue_stream(struct world *world, int who, size_t len, size_t most);
/* Writes or reads up to `most` octets; how many there were (inside TLS
 * records count, and one that is begun is finished first). */
size_t peer_write(struct peer *peer, size_t most);
size_t peer_read(struct world *world, int who, size_t most);
void peer_finish(struct peer *peer);
void peer_close(struct peer *peer, bool reset);
/* Has the peer been reset? */
bool is_broken(struct peer *peer);

#endif
