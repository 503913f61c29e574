/* SPDX-License-Identifier: ISC */
/*
 * One end of a relayed connection: a plain socket, or TLS (relay/tls.h).
 *
 * Vectored reads and writes that never block, half-close, reset.
 */
#ifndef RELAY_CHANNEL_H
#define RELAY_CHANNEL_H

#include <errno.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "base/compiler.h"

struct channel;

/*
 * What every relayed TCP socket gets: TCP_NODELAY, and keepalive that finds
 * a dead peer in about two minutes.  Other sockets are left alone.
 */
void channel_tune_socket(int fd);

/* Takes a connected, non-blocking socket.  NULL without memory (fd closed).
 */
struct channel *channel_new_socket(int fd) must_check;

/* What no socket says: the octets are not what TLS promises (or the peer said
 * so of ours), and the stream ended without TLS's word that it was the end. */
#define CHANNEL_BROKEN	  EBADMSG
#define CHANNEL_TRUNCATED ECONNABORTED

/* Octets read; 0 at the end of the stream; -EAGAIN or another -errno.  Fewer
 * than there is room for: wait for the descriptor, unless there is something
 * pending. */
ssize_t channel_readv(
    struct channel *channel, const struct iovec *iov, int count) must_check;
/* Octets written; -EAGAIN or another -errno.  SIGPIPE is to be ignored. */
ssize_t channel_writev(
    struct channel *channel, const struct iovec *iov, int count) must_check;

/* The end to the peer (FIN, and TLS's close_notify before it); what was
 * written before still goes out. */
void channel_finish(struct channel *channel);

/* Can more be read although the descriptor says nothing? */
bool channel_has_pending(const struct channel *channel);

/* Does the channel hold octets that the socket did not take yet?  Then watch
 * the descriptor for writing, and flush. */
bool channel_has_unsent(const struct channel *channel);
/* 0 (look again whether there is something unsent) or -errno. */
int channel_flush(struct channel *channel) must_check;

/* Nothing is read until more was flushed: the peer makes us answer (TLS's key
 * updates) and does not take the answers. */
bool channel_is_read_held(const struct channel *channel);

/*
 * 0, or the -errno that broke the connection: tells of a reset although
 * nothing is read.  Said once; later reads only see an end.
 */
int channel_take_error(struct channel *channel) must_check;

/* Has the peer's host acknowledged all that was written? */
bool channel_is_delivered(const struct channel *channel);

/* The descriptor to watch. */
int channel_fd(const struct channel *channel);

/* Closes.  With `reset` the peer sees RST instead of FIN.  NULL is fine. */
void channel_free(struct channel *channel, bool reset);

#endif
