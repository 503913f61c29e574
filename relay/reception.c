/* SPDX-License-Identifier: ISC */
/* Waits for one caller. */
#include "relay/reception.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/timeval.h"
#include "relay/channel.h"
#include "relay/dialler.h"
#include "relay/sockets.h"

#define BACKLOG 1
/* As long as there is no descriptor a caller stays in the kernel's queue:
 * without a pause the loop would spin. */
#define PAUSE_MS 100

struct reception {
	reception_judge_fn *judge;
	reception_done_fn *done;
	void *arg;
	int fd;
	struct socket_address local;
	struct event callers, resume, deadline;
};

static void
finish(struct reception *reception, const struct reception_result *result)
{
	reception_done_fn *done = reception->done;
	void *arg = reception->arg;

	reception_cancel(reception);
	done(arg, result);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct reception *reception = arg;
	struct reception_result result = {
	    .reason = REASON_BIND_TIMEOUT,
	    .fd = -1,
	    .local = reception->local,
	};

	(void)fd;
	(void)what;
	finish(reception, &result);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct reception *reception = arg;

	(void)fd;
	(void)what;
	(void)event_add(&reception->callers, NULL);
}

static void
pause_accepting(struct reception *reception)
{
	struct timeval pause = {0, PAUSE_MS * 1000};

	(void)event_del(&reception->callers);
	(void)event_add(&reception->resume, &pause);
}

/* One at a time: the loop has other work, and strangers may be many. */
static void
on_call(evutil_socket_t listening, short what, void *arg)
{
	struct reception *reception = arg;
	struct reception_result result = {.reason = REASON_OK};
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	(void)what;
	result.local = reception->local;
	result.fd = accept4(listening, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (result.fd < 0) {
		if (sockets_is_shortage(errno))
			pause_accepting(reception);
		return; /* else the caller has gone again */
	}
	if (!socket_address_from(
		(struct sockaddr *)&from, len, &result.caller) ||
	    !reception->judge(reception->arg, &result.caller)) {
		(void)close(result.fd);
		return;
	}
	channel_tune_socket(result.fd);
	finish(reception, &result);
}

struct listening {
	const struct address *address;
	int fd;
};

/* 0 or the errno.  A port whose last connections are not quite over may be
 * taken; one on which somebody listens may not: then listen says so, and a
 * socket that is bound cannot try another. */
static int
listen_on(void *arg, uint16_t port)
{
	struct listening *listening = arg;
	struct socket_address at = {*listening->address, port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&at, &storage);
	int on = 1, error;
	int fd = socket(
	    storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	listening->fd = fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (storage.ss_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
		    0) &&
	    bind(fd, (struct sockaddr *)&storage, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return 0;
	error = errno;
	(void)close(fd);
	return error;
}

static struct reception *
reception_new(struct event_base *base, int fd)
{
	struct reception *reception = calloc(1, sizeof(*reception));

	if (reception == NULL) {
		(void)close(fd);
		return NULL;
	}
	reception->fd = fd;
	(void)event_assign(&reception->callers, base, fd, EV_READ | EV_PERSIST,
	    on_call, reception);
	(void)evtimer_assign(&reception->resume, base, on_resume, reception);
	(void)evtimer_assign(
	    &reception->deadline, base, on_deadline, reception);
	return reception;
}

/* Asks the kernel which port it is, and begins to wait. */
static bool
begin(struct reception *reception, unsigned timeout_ms)
{
	const struct timeval timeout = timeval_ms(timeout_ms);

	return sockets_local(reception->fd, &reception->local) == 0 &&
	       event_add(&reception->callers, NULL) == 0 &&
	       event_add(&reception->deadline, &timeout) == 0;
}

struct reception *
reception_start(struct event_base *base,
    const struct reception_settings *settings, reception_judge_fn *judge,
    reception_done_fn *done, void *arg, enum reason *why)
{
	struct listening listening = {&settings->address, -1};
	struct reception *reception;
	int error = sockets_try_ports(
	    settings->port_min, settings->port_max, listen_on, &listening);

	if (error != 0) {
		*why = dial_reason(error);
		return NULL;
	}
	reception = reception_new(base, listening.fd);
	if (reception == NULL || !begin(reception, settings->timeout_ms)) {
		reception_cancel(reception);
		*why = REASON_NO_MEMORY;
		return NULL;
	}
	reception->judge = judge;
	reception->done = done;
	reception->arg = arg;
	return reception;
}

struct socket_address
reception_address(const struct reception *reception)
{
	return reception->local;
}

void
reception_cancel(struct reception *reception)
{
	if (reception == NULL)
		return;
	(void)event_del(&reception->callers);
	(void)event_del(&reception->resume);
	(void)event_del(&reception->deadline);
	(void)close(reception->fd);
	free(reception);
}
