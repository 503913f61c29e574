/* SPDX-License-Identifier: ISC */
/*
 * One end of a relayed connection: a plain socket today, TLS one day.
 *
 * Vectored reads and writes that never block, half-close, reset.
 */
#ifndef RELAY_CHANNEL_H
#define RELAY_CHANNEL_H

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

/* Octets read; 0 at the end of the stream; -EAGAIN or another -errno. */
ssize_t channel_readv(
    struct channel *channel, const struct iovec *iov, int count) must_check;
/* Octets written; -EAGAIN or another -errno.  SIGPIPE is to be ignored. */
ssize_t channel_writev(
    struct channel *channel, const struct iovec *iov, int count) must_check;

/* FIN to the peer; what was written before still goes out. */
void channel_finish(struct channel *channel);

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
