/* SPDX-License-Identifier: ISC */
/* Closes connections so that the last reply arrives. */
#include "gateway/linger.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/wipe.h"
#include "relay/tls.h"

#define FLUSH_SECONDS	5 /* for a client that does not read the reply */
#define DISCARD_SECONDS 2 /* for one that does not close */

/* They are no sessions any more, so nobody else bounds them. */
#define CLOSING_MAX 512

struct closing {
	TAILQ_ENTRY(closing) entry;
	struct lingers *all;
	struct bufferevent *bev;
	struct event *deadline;
};

struct lingers {
	struct event_base *base;
	TAILQ_HEAD(, closing) list; /* the oldest first */
	unsigned count;
};

struct lingers *
lingers_new(struct event_base *base)
{
	struct lingers *lingers = calloc(1, sizeof(*lingers));

	if (lingers != NULL) {
		lingers->base = base;
		TAILQ_INIT(&lingers->list);
	}
	return lingers;
}

static void
finish(struct closing *closing)
{
	TAILQ_REMOVE(&closing->all->list, closing, entry);
	closing->all->count--;
	event_free(closing->deadline);
	wipe_drain_all(bufferevent_get_input(closing->bev));
	bufferevent_free(closing->bev);
	free(closing);
}

void
lingers_free(struct lingers *lingers)
{
	struct closing *closing;

	if (lingers == NULL)
		return;
	while ((closing = TAILQ_FIRST(&lingers->list)) != NULL)
		finish(closing);
	free(lingers);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	/* The rest of a message with a password may come now. */
	(void)arg;
	wipe_drain_all(bufferevent_get_input(bev));
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct closing *closing = arg;
	struct timeval discard = {DISCARD_SECONDS, 0};

	if (evbuffer_get_length(bufferevent_get_output(bev)) != 0)
		return;
	tls_say_end(bev);
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
	(void)evtimer_add(closing->deadline, &discard);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct closing *closing = arg;

	/* A client that has sent its FIN may still read the reply. */
	if ((what & BEV_EVENT_EOF) != 0 &&
	    evbuffer_get_length(bufferevent_get_output(bev)) != 0)
		return;
	finish(closing);
}

static struct closing *
closing_new(struct lingers *lingers, struct bufferevent *bev)
{
	struct closing *closing = calloc(1, sizeof(*closing));

	if (closing == NULL)
		return NULL;
	closing->deadline = evtimer_new(lingers->base, on_deadline, closing);
	if (closing->deadline == NULL) {
		free(closing);
		return NULL;
	}
	closing->all = lingers;
	closing->bev = bev;
	TAILQ_INSERT_TAIL(&lingers->list, closing, entry);
	if (++lingers->count > CLOSING_MAX)
		finish(TAILQ_FIRST(&lingers->list));
	return closing;
}

void
lingers_add(struct lingers *lingers, struct bufferevent *bev)
{
	struct timeval flush = {FLUSH_SECONDS, 0};
	struct closing *closing = closing_new(lingers, bev);

	if (closing == NULL) {
		bufferevent_free(bev);
		return;
	}
	(void)evtimer_add(closing->deadline, &flush);
	bufferevent_setwatermark(bev, EV_READ, 0, 0);
	bufferevent_setcb(bev, on_read, on_written, on_event, closing);
	on_read(bev, closing);
	if (bufferevent_enable(bev, EV_READ | EV_WRITE) != 0)
		finish(closing);
	else
		on_written(bev, closing);
}
