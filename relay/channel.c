/* SPDX-License-Identifier: ISC */
/* One end of a relayed connection: a plain socket. */
#include "relay/channel.h"

#include <errno.h>
#include <linux/tcp.h> /* glibc's tcp_info knows no tcpi_notsent_bytes */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keepalive: a peer silent for 60 s is asked 6 times, every 10 s. */
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES     6

struct channel {
	int fd;
};

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

struct channel *
channel_new_socket(int fd)
{
	struct channel *channel = malloc(sizeof(*channel));

	if (channel == NULL) {
		(void)close(fd);
		return NULL;
	}
	channel->fd = fd;
	return channel;
}

ssize_t
channel_readv(struct channel *channel, const struct iovec *iov, int count)
{
	ssize_t len;

	do
		len = readv(channel->fd, iov, count);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

ssize_t
channel_writev(struct channel *channel, const struct iovec *iov, int count)
{
	ssize_t len;

	do
		len = writev(channel->fd, iov, count);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

void
channel_finish(struct channel *channel)
{
	/* Fails only where the connection is gone; reading will say so. */
	(void)shutdown(channel->fd, SHUT_WR);
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
	free(channel);
}
