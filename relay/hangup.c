/* SPDX-License-Identifier: ISC */
/* Notices that a peer has gone, without reading. */
#include "relay/hangup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

struct hangup {
	int fd; /* a duplicate: an event base has one set of flags for each */
	struct event event;
	hangup_fn *gone;
	void *arg;
};

/*
 * A reset comes as EV_READ alone, and so do octets; edge-triggered, so that
 * octets that nobody reads do not make the loop spin.
 */
static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct hangup *hangup = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = -1;
	if (error == 0 && (what & EV_CLOSED) == 0)
		return;
	(void)event_del(&hangup->event);
	hangup->gone(hangup->arg, error != 0);
}

struct hangup *
hangup_watch(struct event_base *base, int fd, hangup_fn *gone, void *arg)
{
	struct hangup *hangup = calloc(1, sizeof(*hangup));

	if (hangup == NULL)
		return NULL;
	hangup->gone = gone;
	hangup->arg = arg;
	hangup->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (hangup->fd >= 0) {
		(void)event_assign(&hangup->event, base, hangup->fd,
		    EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_event, hangup);
		if (event_add(&hangup->event, NULL) == 0)
			return hangup;
		(void)close(hangup->fd);
	}
	free(hangup);
	return NULL;
}

void
hangup_cancel(struct hangup *hangup)
{
	if (hangup == NULL)
		return;
	(void)event_del(&hangup->event);
	(void)close(hangup->fd);
	free(hangup);
}
