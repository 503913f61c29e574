/* SPDX-License-Identifier: ISC */
/* The header that a load balancer owes in front of a connection. */
#include "gateway/proxied.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/must.h"
#include "gateway/settings.h"

struct proxied {
	int fd;
	struct event *readable;
	proxied_done_fn *done;
	void *arg;
	size_t len;
	uint8_t data[PROXY_PROTOCOL_MAX];
};

bool
proxied_is_due(
    const struct listener_settings *listener, const struct address *from)
{
	return settings_networks_have(&listener->balancers, from);
}

void
proxied_cancel(struct proxied *proxied)
{
	if (proxied == NULL)
		return;
	if (proxied->readable != NULL)
		event_free(proxied->readable);
	if (proxied->fd >= 0)
		(void)close(proxied->fd);
	free(proxied);
}

static void
finish(struct proxied *proxied, enum reason reason,
    const struct proxy_header *header)
{
	proxied_done_fn *done = proxied->done;
	void *arg = proxied->arg;
	int fd = -1;

	if (reason == REASON_OK) {
		fd = proxied->fd;
		proxied->fd = -1;
	}
	proxied_cancel(proxied);
	done(arg, reason, fd, header);
}

/* Nothing (0) or an error (-1) where octets should have come. */
static void
on_end(struct proxied *proxied, ssize_t got)
{
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (proxied->len > 0)
		finish(proxied, REASON_TRUNCATED, NULL);
	else if (got == 0)
		finish(proxied, REASON_CLIENT_CLOSED, NULL);
	else
		finish(proxied, reason_of_client(errno), NULL);
}

/* What was looked at and is the header's: it is read for good. */
static bool
take(struct proxied *proxied, size_t count)
{
	ssize_t got = recv(proxied->fd, proxied->data + proxied->len, count, 0);

	if (got <= 0) {
		on_end(proxied, got);
		return false;
	}
	proxied->len += (size_t)got;
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct proxied *proxied = arg;
	struct proxy_header header;
	size_t consumed;
	ssize_t seen;

	(void)what;
	must(proxied->len < sizeof(proxied->data));
	seen = recv(fd, proxied->data + proxied->len,
	    sizeof(proxied->data) - proxied->len, MSG_PEEK);
	if (seen <= 0) {
		on_end(proxied, seen);
		return;
	}
	switch (proxy_protocol_parse(
	    proxied->data, proxied->len + (size_t)seen, &consumed, &header)) {
	case PARSE_MORE:
		/* All of it is the header's; else the loop would spin. */
		(void)take(proxied, (size_t)seen);
		return;
	case PARSE_BAD:
		finish(proxied, REASON_BAD_PROXY_HEADER, NULL);
		return;
	case PARSE_DONE:
		if (take(proxied, consumed - proxied->len) &&
		    proxied->len == consumed)
			finish(proxied, REASON_OK, &header);
		return;
	}
}

struct proxied *
proxied_start(struct event_base *base, int fd, proxied_done_fn *done, void *arg)
{
	struct proxied *proxied = calloc(1, sizeof(*proxied));

	if (proxied == NULL) {
		(void)close(fd);
		return NULL;
	}
	proxied->fd = fd;
	proxied->done = done;
	proxied->arg = arg;
	proxied->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, proxied);
	if (proxied->readable == NULL ||
	    event_add(proxied->readable, NULL) != 0) {
		proxied_cancel(proxied);
		return NULL;
	}
	return proxied;
}
