/* SPDX-License-Identifier: ISC */
/* What sockets of all kinds need. */
#include "relay/sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/util.h>

/* Any will do, where nothing is sent. */
#define SOME_PORT 9

int
sockets_try_ports(
    uint16_t port_min, uint16_t port_max, sockets_port_fn *take, void *arg)
{
	uint32_t size = (uint32_t)port_max - port_min + 1, first;
	uint32_t tries =
	    size < SOCKETS_PORTS_TRIED ? size : SOCKETS_PORTS_TRIED;
	int error = EADDRINUSE;

	if (port_min == 0)
		return take(arg, 0);
	evutil_secure_rng_get_bytes(&first, sizeof(first));
	for (uint32_t i = 0; i < tries && error == EADDRINUSE; i++)
		error =
		    take(arg, (uint16_t)(port_min + (first % size + i) % size));
	return error;
}

int
sockets_local(int fd, struct socket_address *local)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof(storage);

	if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0)
		return errno;
	return socket_address_from((struct sockaddr *)&storage, len, local)
		   ? 0
		   : EAFNOSUPPORT;
}

int
sockets_local_towards(const struct address *peer, struct address *local)
{
	struct socket_address to = {*peer, SOME_PORT}, from;
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&to, &storage);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return errno;
	error = connect(fd, (struct sockaddr *)&storage, len) == 0
		    ? sockets_local(fd, &from)
		    : errno;
	(void)close(fd);
	if (error == 0)
		*local = from.address;
	return error;
}

bool
sockets_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}
