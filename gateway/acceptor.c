/* SPDX-License-Identifier: ISC */
/* Accepts connections on one listening socket. */
#include "gateway/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/counters.h"
#include "relay/sockets.h"

/* Few at a time: the other loops that share the socket want some, too. */
#define ACCEPTS_PER_WAKE 8
/* A listening socket stays readable when no descriptor is left: without a
 * pause the loop would spin. */
#define PAUSE_MS 100
/* Before each pause so many are turned away: who waits in the backlog of a
 * full house shall know soon. */
#define TURN_AWAY_MAX 64
/* All acceptors together complain no oftener. */
#define COMPLAIN_US 1000000

struct acceptor {
	int fd;
	int reserve; /* given up for a moment to turn somebody away; or -1 */
	struct event *readable;
	struct event *resume;
	struct counters *counters;
	acceptor_fn *accepted;
	void *arg;
};

static int
open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
accept_one(int listening, struct sockaddr_storage *from, socklen_t *len)
{
	*len = sizeof(*from);
	return accept4(listening, (struct sockaddr *)from, len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* ---- when there is nothing left to accept with */

static void
complain(int error)
{
	static _Atomic uint64_t last_us;
	uint64_t now = clock_monotonic_us(), last = atomic_load(&last_us);

	if (last != 0 && now - last < COMPLAIN_US)
		return;
	if (atomic_compare_exchange_strong(&last_us, &last, now))
		log_warning(NULL, "cannot accept: %s; pausing for %d ms",
		    strerror(error), PAUSE_MS);
}

/* With the reserve's descriptor; another thread may be faster and have it. */
static void
turn_away(struct acceptor *acceptor)
{
	struct sockaddr_storage from;
	socklen_t len;
	int fd;

	if (acceptor->reserve < 0)
		return;
	(void)close(acceptor->reserve);
	for (int i = 0; i < TURN_AWAY_MAX; i++) {
		fd = accept_one(acceptor->fd, &from, &len);
		if (fd < 0)
			break;
		(void)close(fd);
		counters_add(acceptor->counters, COUNTER_TURNED_AWAY);
	}
	acceptor->reserve = open_reserve();
}

static void
come_back(struct acceptor *acceptor)
{
	struct timeval pause = {0, PAUSE_MS * 1000};

	(void)evtimer_add(acceptor->resume, &pause);
}

static void
pause_accepting(struct acceptor *acceptor, int error)
{
	complain(error);
	if (error == EMFILE || error == ENFILE)
		turn_away(acceptor);
	counters_add(acceptor->counters, COUNTER_ACCEPT_PAUSES);
	(void)event_del(acceptor->readable);
	come_back(acceptor);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *acceptor = arg;

	(void)fd;
	(void)what;
	(void)event_add(acceptor->readable, NULL);
	if (acceptor->reserve < 0)
		acceptor->reserve = open_reserve();
	if (acceptor->reserve < 0)
		come_back(acceptor); /* for the reserve */
}

/* ---- when there is */

/* False, with errno, when there was nobody. */
static bool
let_in(struct acceptor *acceptor)
{
	struct socket_address client;
	struct sockaddr_storage from;
	socklen_t len;
	int fd = accept_one(acceptor->fd, &from, &len);

	if (fd < 0)
		return false;
	counters_add(acceptor->counters, COUNTER_ACCEPTED);
	if (socket_address_from((struct sockaddr *)&from, len, &client))
		acceptor->accepted(acceptor->arg, fd, &client);
	else
		(void)close(fd);
	return true;
}

static void
on_readable(evutil_socket_t listening, short what, void *arg)
{
	struct acceptor *acceptor = arg;

	(void)listening;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
		if (let_in(acceptor))
			continue;
		if (sockets_is_shortage(errno))
			pause_accepting(acceptor, errno);
		return; /* EAGAIN: another loop was faster */
	}
}

/* One that was gone before we came is passed over. */
void
acceptor_finish(struct acceptor *acceptor)
{
	while (let_in(acceptor) || errno == ECONNABORTED)
		continue;
	acceptor_free(acceptor);
}

struct acceptor *
acceptor_new(struct event_base *base, int fd, struct counters *counters,
    acceptor_fn *accepted, void *arg)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (acceptor == NULL) {
		(void)close(fd);
		return NULL;
	}
	acceptor->fd = fd;
	acceptor->reserve = open_reserve();
	acceptor->counters = counters;
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
	if (acceptor->reserve >= 0)
		(void)close(acceptor->reserve);
	free(acceptor);
}
