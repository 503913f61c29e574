/* SPDX-License-Identifier: ISC */
/* Accepts connections on one listening socket. */
#include "gateway/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"

/* Few at a time: the other loops that share the socket want some, too. */
#define ACCEPTS_PER_WAKE 8
/* A listening socket stays readable when no descriptor is left: without a
 * pause the loop would spin. */
#define PAUSE_MS 100

struct acceptor {
	int fd;
	struct event *readable;
	struct event *resume;
	acceptor_fn *accepted;
	void *arg;
};

static void
pause_accepting(struct acceptor *acceptor, int error)
{
	struct timeval pause = {0, PAUSE_MS * 1000};

	log_warning(NULL, "cannot accept: %s; pausing", strerror(error));
	(void)event_del(acceptor->readable);
	(void)evtimer_add(acceptor->resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *acceptor = arg;

	(void)fd;
	(void)what;
	(void)event_add(acceptor->readable, NULL);
}

static void
on_readable(evutil_socket_t listening, short what, void *arg)
{
	struct acceptor *acceptor = arg;
	struct socket_address client;
	struct sockaddr_storage from;
	socklen_t len;
	int fd;

	(void)what;
	for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
		len = sizeof(from);
		fd = accept4(listening, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(acceptor, errno);
			return; /* EAGAIN: another loop was faster */
		}
		if (socket_address_from((struct sockaddr *)&from, len, &client))
			acceptor->accepted(acceptor->arg, fd, &client);
		else
			(void)close(fd);
	}
}

struct acceptor *
acceptor_new(struct event_base *base, int fd, acceptor_fn *accepted, void *arg)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (acceptor == NULL) {
		(void)close(fd);
		return NULL;
	}
	acceptor->fd = fd;
	acceptor->accepted = accepted;
	acceptor->arg = arg;
	acceptor->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, acceptor);
	acceptor->resume = evtimer_new(base, on_resume, acceptor);
	if (acceptor->readable == NULL || acceptor->resume == NULL ||
	    event_add(acceptor->readable, NULL) != 0) {
		acceptor_free(acceptor);
		return NULL;
	}
	return acceptor;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	if (acceptor->readable != NULL)
		event_free(acceptor->readable);
	if (acceptor->resume != NULL)
		event_free(acceptor->resume);
	(void)close(acceptor->fd);
	free(acceptor);
}
