/* SPDX-License-Identifier: ISC */
/*
 * UDP sockets that never block, and datagrams received and sent many at a
 * time.
 */
#include "relay/datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "relay/sockets.h"

struct room {
	uint8_t head[DATAGRAM_HEADROOM];
	uint8_t data[DATAGRAM_SIZE];
	uint8_t tail[DATAGRAM_TAILROOM];
};

struct batch {
	struct datagrams datagrams;
	unsigned members;
	struct mmsghdr messages[DATAGRAMS_MAX];
	struct iovec vectors[DATAGRAMS_MAX];
	struct sockaddr_storage names[DATAGRAMS_MAX];
	struct room rooms[DATAGRAMS_MAX];
};

/* An event loop and its sockets never leave their thread: no lock. */
static _Thread_local struct batch *own_batch;

struct datagrams *
datagrams_join(void)
{
	if (own_batch == NULL)
		own_batch = calloc(1, sizeof(*own_batch));
	if (own_batch == NULL)
		return NULL;
	own_batch->members++;
	return &own_batch->datagrams;
}

void
datagrams_leave(struct datagrams *batch)
{
	must(own_batch != NULL && batch == &own_batch->datagrams);
	if (--own_batch->members > 0)
		return;
	/* Plaintext has been in it. */
	explicit_bzero(own_batch, sizeof(*own_batch));
	free(own_batch);
	own_batch = NULL;
}

static void
prepare(struct batch *batch)
{
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		struct msghdr *header = &batch->messages[i].msg_hdr;

		batch->vectors[i].iov_base = batch->rooms[i].data;
		batch->vectors[i].iov_len = DATAGRAM_SIZE;
		*header = (struct msghdr){
		    .msg_name = &batch->names[i],
		    .msg_namelen = sizeof(batch->names[i]),
		    .msg_iov = &batch->vectors[i],
		    .msg_iovlen = 1,
		};
	}
}

void
datagrams_receive(int fd, struct datagrams *datagrams)
{
	struct batch *batch = own_batch;
	int count;

	must(batch != NULL && datagrams == &batch->datagrams);
	prepare(batch);
	/* An error is one of an earlier datagram, and gone with this. */
	count =
	    recvmmsg(fd, batch->messages, DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
	datagrams->count = 0;
	for (int i = 0; i < count; i++) {
		const struct msghdr *header = &batch->messages[i].msg_hdr;
		struct datagram *item = &datagrams->items[datagrams->count];

		*item = (struct datagram){
		    .data = batch->rooms[i].data,
		    .len = batch->messages[i].msg_len,
		    .is_cut = (header->msg_flags & MSG_TRUNC) != 0,
		};
		if (socket_address_from(
			header->msg_name, header->msg_namelen, &item->peer))
			datagrams->count++;
	}
}

void
datagrams_send(int fd, struct datagram *items, size_t count)
{
	struct mmsghdr messages[DATAGRAMS_MAX];
	struct iovec vectors[DATAGRAMS_MAX];
	struct sockaddr_storage names[DATAGRAMS_MAX];
	size_t done = 0;

	must(count <= DATAGRAMS_MAX);
	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < count; i++) {
		struct msghdr *header = &messages[i].msg_hdr;

		vectors[i].iov_base = items[i].data;
		vectors[i].iov_len = items[i].len;
		header->msg_name = &names[i];
		header->msg_namelen =
		    socket_address_to(&items[i].peer, &names[i]);
		header->msg_iov = &vectors[i];
		header->msg_iovlen = 1;
		items[i].error = 0;
	}
	while (done < count) {
		int sent = sendmmsg(fd, messages + done,
		    (unsigned)(count - done), MSG_DONTWAIT | MSG_NOSIGNAL);

		/* The error is the first one's. */
		if (sent <= 0)
			items[done++].error = sent < 0 ? errno : EIO;
		else
			done += (size_t)sent;
	}
}

struct binding {
	int fd;
	const struct address *local;
};

static int
bind_port(void *arg, uint16_t port)
{
	const struct binding *binding = arg;
	struct socket_address at = {*binding->local, port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&at, &storage);

	return bind(binding->fd, (struct sockaddr *)&storage, len) == 0 ? 0
									: errno;
}

/* 0, or an errno. */
static int
bind_in_range(int fd, const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound)
{
	struct binding binding = {fd, local};
	int on = 1, error;

	if (local->family == ADDRESS_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return errno;
	error = sockets_try_ports(port_min, port_max, bind_port, &binding);
	return error == 0 ? sockets_local(fd, bound) : error;
}

int
datagrams_socket(const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound)
{
	int family = local->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET, error;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	error = bind_in_range(fd, local, port_min, port_max, bound);
	if (error == 0)
		return fd;
	(void)close(fd);
	errno = error;
	return -1;
}
