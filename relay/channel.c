/* SPDX-License-Identifier: ISC */
/* One end of a relayed connection: what all kinds share, and the plain socket.
 */
#include "relay/channel.h"

#include <errno.h>
#include <linux/tcp.h> /* glibc's tcp_info knows no tcpi_notsent_bytes */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/channel_private.h"

/* Keepalive: a peer silent for 60 s is asked 6 times, every 10 s. */
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES     6

static void
set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

void
channel_tune_socket(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* ---- the plain socket ---- */

static ssize_t
socket_readv(struct channel *channel, const struct iovec *iov, int count)
{
	ssize_t len;

	do
		len = readv(channel->fd, iov, count);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

static ssize_t
socket_writev(struct channel *channel, const struct iovec *iov, int count)
{
	ssize_t len;

	do
		len = writev(channel->fd, iov, count);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

static void
socket_finish(struct channel *channel)
{
	/* Fails only where the connection is gone; reading will say so. */
	(void)shutdown(channel->fd, SHUT_WR);
}

static int
socket_flush(struct channel *channel)
{
	(void)channel;
	return 0;
}

/* It holds nothing itself. */
static bool
socket_is_not(const struct channel *channel)
{
	(void)channel;
	return false;
}

static void
socket_free(struct channel *channel)
{
	free(channel);
}

static const struct channel_ops socket_ops = {
    .readv = socket_readv,
    .writev = socket_writev,
    .finish = socket_finish,
    .flush = socket_flush,
    .has_pending = socket_is_not,
    .has_unsent = socket_is_not,
    .is_read_held = socket_is_not,
    .free = socket_free,
};

struct channel *
channel_new_socket(int fd)
{
	struct channel *channel = malloc(sizeof(*channel));

	if (channel == NULL) {
		(void)close(fd);
		return NULL;
	}
	channel->ops = &socket_ops;
	channel->fd = fd;
	return channel;
}

/* ---- any kind ---- */

ssize_t
channel_readv(struct channel *channel, const struct iovec *iov, int count)
{
	return channel->ops->readv(channel, iov, count);
}

ssize_t
channel_writev(struct channel *channel, const struct iovec *iov, int count)
{
	return channel->ops->writev(channel, iov, count);
}

void
channel_finish(struct channel *channel)
{
	channel->ops->finish(channel);
}

int
channel_flush(struct channel *channel)
{
	return channel->ops->flush(channel);
}

bool
channel_has_pending(const struct channel *channel)
{
	return channel->ops->has_pending(channel);
}

bool
channel_has_unsent(const struct channel *channel)
{
	return channel->ops->has_unsent(channel);
}

bool
channel_is_read_held(const struct channel *channel)
{
	return channel->ops->is_read_held(channel);
}

int
channel_take_error(struct channel *channel)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

bool
channel_is_delivered(const struct channel *channel)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (channel_has_unsent(channel))
		return false;
	/* What is not TCP hands its octets over at once. */
	if (getsockopt(channel->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return true;
	return info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0;
}

int
channel_fd(const struct channel *channel)
{
	return channel->fd;
}

void
channel_free(struct channel *channel, bool reset)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (channel == NULL)
		return;
	if (reset)
		(void)setsockopt(channel->fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once));
	(void)close(channel->fd);
	channel->ops->free(channel);
}
