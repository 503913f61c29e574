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

/* Takes a connected, non-blocking socket.  NULL without memory (fd closed).
 */
struct channel *channel_new_socket(int fd) must_check;

/* Octets read; 0 at the end of the stream; -EAGAIN or another -errno. */
ssize_t channel_readv(
    struct channel *channel, const struct iovec *iov, int count) must_check;
/* Octets written; -EAGAIN or another -errno. */
ssize_t channel_writev(
    struct channel *channel, const struct iovec *iov, int count) must_check;

/* FIN to the peer; what was written before still goes out. */
void channel_finish(struct channel *channel);

/* The descriptor to watch. */
int channel_fd(const struct channel *channel);

/* Closes.  With `reset` the peer sees RST instead of FIN.  NULL is fine. */
void channel_free(struct channel *channel, bool reset);

#endif
