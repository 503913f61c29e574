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
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

/* Ports that are tried before a range counts as full. */
#define PORT_TRIES_MAX 1024

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

static bool
bind_port(int fd, const struct address *local, uint16_t port)
{
	struct socket_address at = {*local, port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&at, &storage);

	return bind(fd, (struct sockaddr *)&storage, len) == 0;
}

/* From a place in the range that nobody can guess, once around. */
static bool
bind_in_range(
    int fd, const struct address *local, uint16_t port_min, uint16_t port_max)
{
	unsigned size = (unsigned)port_max - port_min + 1, start = 0;
	unsigned tries = size < PORT_TRIES_MAX ? size : PORT_TRIES_MAX;

	if (port_min == 0)
		return bind_port(fd, local, 0);
	if (getrandom(&start, sizeof(start), GRND_NONBLOCK) < 0)
		start = 0;
	for (unsigned i = 0; i < tries; i++) {
		unsigned port = port_min + (start % size + i) % size;

		if (bind_port(fd, local, (uint16_t)port))
			return true;
		if (errno != EADDRINUSE)
			return false;
	}
	return false;
}

static bool
get_bound(int fd, struct socket_address *bound)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof(storage);

	if (getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
		return false;
	return socket_address_from((struct sockaddr *)&storage, len, bound);
}

static int
family_of(const struct address *address)
{
	return address->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
}

int
datagrams_socket(const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound)
{
	int family = family_of(local), on = 1, error;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if ((family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				      sizeof(on)) == 0) &&
	    bind_in_range(fd, local, port_min, port_max) &&
	    get_bound(fd, bound))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

bool
datagrams_has_route(const struct address *address)
{
	struct socket_address to = {*address, 9};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&to, &storage);
	int fd = socket(family_of(address), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has_route;

	if (fd < 0)
		return false;
	/* Sends nothing. */
	has_route = connect(fd, (struct sockaddr *)&storage, len) == 0;
	(void)close(fd);
	return has_route;
}
