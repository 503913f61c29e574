/* SPDX-License-Identifier: ISC */
/* What the kinds of channel share, and how they differ. */
#ifndef RELAY_CHANNEL_PRIVATE_H
#define RELAY_CHANNEL_PRIVATE_H

#include "relay/channel.h"

/* What channel.h says of the functions of these names. */
struct channel_ops {
	ssize_t (*readv)(
	    struct channel *channel, const struct iovec *iov, int count);
	ssize_t (*writev)(
	    struct channel *channel, const struct iovec *iov, int count);
	void (*finish)(struct channel *channel);
	int (*flush)(struct channel *channel);
	bool (*has_pending)(const struct channel *channel);
	bool (*has_unsent)(const struct channel *channel);
	bool (*is_read_held)(const struct channel *channel);
	/* All but the descriptor. */
	void (*free)(struct channel *channel);
};

/* The first member of each kind's own struct. */
struct channel {
	const struct channel_ops *ops;
	int fd;
};

#endif
