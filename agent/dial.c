/* SPDX-License-Identifier: ISC */
/* A TCP connection to the gateway; blocks. */
#include "agent/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* -1 and errno. */
static int
try_one(const struct addrinfo *to)
{
	const struct timeval timeout = {.tv_sec = DIAL_TIMEOUT_S};
	const int on = 1;
	int fd = socket(
	    to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);

	if (fd < 0)
		return -1;
	/* The time limit for sending is the one for connecting, too. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    setsockopt(
		fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	    connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;
	(void)close(fd);
	return -1;
}

enum outcome
dial(const struct gateway_name *gateway, int *fd)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list, *one;
	int error = getaddrinfo(gateway->host, gateway->port, &hints, &list);

	if (error != 0)
		return outcome_say(OUTCOME_UNREACHABLE,
		    "the gateway %s cannot be found: %s", gateway->host,
		    gai_strerror(error));
	*fd = -1;
	for (one = list; one != NULL && *fd < 0; one = one->ai_next)
		*fd = try_one(one);
	error = errno;
	freeaddrinfo(list);
	if (*fd < 0)
		return outcome_say(OUTCOME_UNREACHABLE,
		    "the gateway %s port %s cannot be reached: %s",
		    gateway->host, gateway->port, strerror(error));
	return OUTCOME_OK;
}
