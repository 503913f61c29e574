/* SPDX-License-Identifier: ISC */
/* Connects to the first of several addresses that answers (RFC 8305). */
#include "relay/dialler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/must.h"
#include "base/timeval.h"
#include "relay/channel.h"
#include "relay/sockets.h"

/* One connect(2); fd is -1 where none is in flight. */
struct attempt {
	struct dial *dial;
	struct dial_target target;
	struct event event;
	int fd;
};

struct dial {
	struct event_base *base;
	dial_done_fn *done;
	void *arg;
	struct event stagger;  /* the next attempt is due, or all failed */
	struct event deadline; /* the end of all attempts */
	struct timeval attempt_delay, attempt_timeout;
	uint16_t port;
	struct dial_result result; /* the best failure so far */
	size_t count, begun, in_flight;
	struct attempt attempts[];
};

static const struct {
	int error;
	enum reason reason;
} reasons[] = {
    {ECONNREFUSED, REASON_CONNECT_REFUSED},
    {ECONNRESET, REASON_CONNECT_REFUSED},
    {ENOPROTOOPT, REASON_CONNECT_REFUSED}, /* ICMP protocol unreachable */
    {EHOSTUNREACH, REASON_HOST_UNREACHABLE},
    {EHOSTDOWN, REASON_HOST_UNREACHABLE},
    {EACCES, REASON_HOST_UNREACHABLE}, /* ICMPv6 prohibited */
    {EPERM, REASON_HOST_UNREACHABLE},  /* the gateway's own packet filter */
    {ENONET, REASON_HOST_UNREACHABLE},
    {ENETUNREACH, REASON_NETWORK_UNREACHABLE},
    {ENETDOWN, REASON_NETWORK_UNREACHABLE},
    {EAFNOSUPPORT, REASON_NETWORK_UNREACHABLE}, /* no IPv6 in the kernel */
    {ETIMEDOUT, REASON_CONNECT_TIMEOUT},
    {ENODEV, REASON_NO_EGRESS}, /* bind_source's */
    {EADDRNOTAVAIL, REASON_NO_PORTS},
    {EADDRINUSE, REASON_NO_PORTS},
    {EAGAIN, REASON_NO_PORTS},
    {EMFILE, REASON_NO_DESCRIPTORS},
    {ENFILE, REASON_NO_DESCRIPTORS},
    {ENOBUFS, REASON_NO_BUFFERS},
    {ENOMEM, REASON_NO_BUFFERS},
};

/*
 * Which failure of several is told: what the target said itself, then our
 * own shortage, then what the network guessed.
 */
static const enum reason telling[] = {
    REASON_CONNECT_REFUSED,
    REASON_HOST_UNREACHABLE,
    REASON_NO_DESCRIPTORS,
    REASON_NO_EGRESS,
    REASON_NO_PORTS,
    REASON_NO_BUFFERS,
    REASON_NETWORK_UNREACHABLE,
    REASON_CONNECT_TIMEOUT,
    REASON_CONNECT_FAILED,
};

enum reason
dial_reason(int error)
{
	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
		if (reasons[i].error == error)
			return reasons[i].reason;
	return REASON_CONNECT_FAILED;
}

static size_t
rank(enum reason reason)
{
	size_t i = 0;

	while (i < ARRAY_COUNT(telling) && telling[i] != reason)
		i++;
	return i;
}

static void
close_attempt(struct attempt *attempt)
{
	if (attempt->fd < 0)
		return;
	(void)event_del(&attempt->event);
	(void)close(attempt->fd);
	attempt->fd = -1;
	attempt->dial->in_flight--;
}

void
dial_cancel(struct dial *dial)
{
	if (dial == NULL)
		return;
	for (size_t i = 0; i < dial->begun; i++)
		close_attempt(&dial->attempts[i]);
	(void)event_del(&dial->stagger);
	(void)event_del(&dial->deadline);
	free(dial);
}

static void
finish(struct dial *dial, const struct dial_result *result)
{
	struct dial_result kept = *result;
	dial_done_fn *done = dial->done;
	void *arg = dial->arg;

	dial_cancel(dial);
	done(arg, &kept);
}

static void
note_failure(struct attempt *attempt, enum reason reason)
{
	struct dial_result *best = &attempt->dial->result;

	if (rank(reason) >= rank(best->reason))
		return;
	best->reason = reason;
	best->reached.address = attempt->target.address;
}

/* False if the connection turned out to be unusable. */
static bool
succeed(struct attempt *attempt)
{
	struct dial *dial = attempt->dial;
	struct dial_result result = {
	    .reason = REASON_OK,
	    .fd = attempt->fd,
	    .reached = {attempt->target.address, dial->port},
	};

	if (sockets_local(attempt->fd, &result.local) != 0)
		return false;
	(void)event_del(&attempt->event);
	attempt->fd = -1; /* the callee's now */
	dial->in_flight--;
	finish(dial, &result);
	return true;
}

/* The port is chosen by connect(2), for each target anew: bound before that,
 * all targets would share the ports.  0 or an errno. */
static int
bind_source(int fd, const struct address *source)
{
	struct socket_address from = {*source, 0};
	struct sockaddr_storage storage;
	socklen_t len;
	int on = 1;

	if (source->family == ADDRESS_NONE)
		return 0;
	len = socket_address_to(&from, &storage);
	if (setsockopt(
		fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		return errno;
	if (bind(fd, (struct sockaddr *)&storage, len) == 0)
		return 0;
	/* Not the kernel's word for "no ports", which connect(2) has. */
	return errno == EADDRNOTAVAIL ? ENODEV : errno;
}

/* 0 or the errno that ended the attempt before it was in flight. */
static int
begin_attempt(struct attempt *attempt, event_callback_fn on_event)
{
	struct dial *dial = attempt->dial;
	struct socket_address to = {attempt->target.address, dial->port};
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(&to, &storage);
	int error;

	if (attempt->target.source.family != ADDRESS_NONE &&
	    attempt->target.source.family != to.address.family)
		return EAFNOSUPPORT;

	attempt->fd = socket(
	    storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0)
		return errno;
	channel_tune_socket(attempt->fd);
	error = bind_source(attempt->fd, &attempt->target.source);
	/* EINTR: the attempt goes on, as with EINPROGRESS. */
	if (error == 0 &&
	    connect(attempt->fd, (struct sockaddr *)&storage, len) < 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		error = errno;
	if (error != 0) {
		(void)close(attempt->fd);
		attempt->fd = -1;
		return error;
	}
	(void)event_assign(&attempt->event, dial->base, attempt->fd, EV_WRITE,
	    on_event, attempt);
	dial->in_flight++;
	if (event_add(&attempt->event, &dial->attempt_timeout) == 0)
		return 0;
	close_attempt(attempt);
	return ENOMEM;
}

/* Starts attempts until one is in flight; none may be left. */
static void
advance(struct dial *dial, event_callback_fn on_event)
{
	while (dial->begun < dial->count) {
		struct attempt *attempt = &dial->attempts[dial->begun++];
		int error = begin_attempt(attempt, on_event);

		if (error == 0)
			break;
		note_failure(attempt, dial_reason(error));
	}
}

static void
on_attempt(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *attempt = arg;
	struct dial *dial = attempt->dial;
	int error = ETIMEDOUT;
	socklen_t len = sizeof(error);

	if ((what & EV_WRITE) != 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0 && succeed(attempt))
		return;
	note_failure(attempt, dial_reason(error));
	close_attempt(attempt);
	/* RFC 8305 section 5: after a failure the next one at once. */
	event_active(&dial->stagger, EV_TIMEOUT, 0);
}

static void
on_stagger(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;

	(void)fd;
	(void)what;
	advance(dial, on_attempt);
	if (dial->begun < dial->count)
		(void)event_add(&dial->stagger, &dial->attempt_delay);
	else if (dial->in_flight == 0)
		finish(dial, &dial->result);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < dial->begun; i++)
		if (dial->attempts[i].fd >= 0)
			note_failure(
			    &dial->attempts[i], REASON_CONNECT_TIMEOUT);
	finish(dial, &dial->result);
}

static struct dial *
dial_new(struct event_base *base, const struct dial_settings *settings,
    const struct dial_target *targets, size_t count)
{
	struct dial *dial;

	if (count > settings->attempts_max)
		count = settings->attempts_max;
	must(count > 0);
	dial = calloc(1, sizeof(*dial) + count * sizeof(dial->attempts[0]));
	if (dial == NULL)
		return NULL;
	dial->base = base;
	dial->count = count;
	dial->attempt_delay = timeval_ms(settings->attempt_delay_ms);
	dial->attempt_timeout = timeval_ms(settings->attempt_timeout_ms);
	for (size_t i = 0; i < count; i++)
		dial->attempts[i] = (struct attempt){
		    .dial = dial, .target = targets[i], .fd = -1};
	return dial;
}

struct dial *
dial_start(struct event_base *base, const struct dial_settings *settings,
    const struct dial_target *targets, size_t count, uint16_t port,
    dial_done_fn *done, void *arg)
{
	struct dial *dial = dial_new(base, settings, targets, count);
	struct timeval timeout = timeval_ms(settings->timeout_ms);
	struct timeval delay = {0};

	if (dial == NULL)
		return NULL;
	dial->done = done;
	dial->arg = arg;
	dial->port = port;
	dial->result = (struct dial_result){
	    .reason = REASON_CONNECT_FAILED,
	    .fd = -1,
	    .reached = {targets[0].address, port},
	};
	(void)evtimer_assign(&dial->stagger, base, on_stagger, dial);
	(void)evtimer_assign(&dial->deadline, base, on_deadline, dial);
	advance(dial, on_attempt);
	if (dial->in_flight > 0)
		delay = dial->attempt_delay;
	if (event_add(&dial->deadline, &timeout) < 0 ||
	    event_add(&dial->stagger, &delay) < 0) {
		dial_cancel(dial);
		return NULL;
	}
	return dial;
}
