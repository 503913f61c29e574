/* SPDX-License-Identifier: ISC */
/* The client's end of a session: a plain socket, or TLS above it. */
#include "gateway/session_private.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/must.h"
#include "gateway/linger.h"
#include "gateway/tls_listeners.h"
#include "gateway/worker.h"
#include "relay/channel.h"
#include "relay/sockets.h"

static struct bufferevent *
plain_bev(struct event_base *base, int fd)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL)
		(void)close(fd);
	return bev;
}

struct bufferevent *
session_client_bev(struct session *session, int fd)
{
	struct event_base *base = session->worker->base;
	const struct tls_context *context =
	    tls_listeners_find(session->tls_listeners, session->listener->name);
	struct bufferevent *bev;

	session->is_tls = context != NULL;
	/* What was to be inside TLS is never said outside. */
	must(session->is_tls || session->listener->tls_certificate[0] == '\0');
	bev = session->is_tls ? tls_accept(base, context, fd)
			      : plain_bev(base, fd);
	/* The keys of others go when a reload has changed them. */
	tls_listeners_unref(session->tls_listeners);
	session->tls_listeners = NULL;
	return bev;
}

void
session_tls_agreed(struct session *session)
{
	tls_get_facts(session->bev, &session->tls);
}

/* So that the client reads OpenSSL's alert: it says more than a reset. */
static void
linger_without_tls(struct session *session)
{
	int fd = tls_take_fd(session->bev);
	struct bufferevent *bev = plain_bev(session->worker->base, fd);

	session->bev = NULL;
	if (bev != NULL)
		lingers_add(session->worker->lingers, bev);
}

static bool
has_agreed(const struct session *session)
{
	return session->tls.version[0] != '\0';
}

/* OpenSSL, where it has failed, does not know any more that it had agreed. */
static enum reason
failure(struct session *session, char *detail, size_t size)
{
	enum reason reason = tls_failure(session->bev, detail, size);

	return reason == REASON_TLS_HANDSHAKE && has_agreed(session)
		   ? REASON_TLS_ERROR
		   : reason;
}

void
session_tls_failed(struct session *session)
{
	char detail[256];
	enum reason reason = failure(session, detail, sizeof(detail));
	bool was_agreed = has_agreed(session);

	/* An alert was sent, if there was anybody to send it to. */
	if (!was_agreed && detail[0] != '\0') {
		session_record(session, AUDIT_AUTH, reason, detail);
		linger_without_tls(session);
	}
	session_close(session, reason);
}

enum reason
session_tls_reason(struct session *session, enum reason reason)
{
	char detail[256];

	if (!session->is_tls ||
	    (reason != REASON_CLIENT_ERROR && reason != REASON_CLIENT_RESET))
		return reason;
	return failure(session, detail, sizeof(detail));
}

enum reason
session_local_address(const struct session *session, struct address *address)
{
	struct socket_address local;

	if (sockets_local(bufferevent_getfd(session->bev), &local) != 0)
		return REASON_CLIENT_ERROR;
	*address = local.address;
	return REASON_OK;
}

struct channel *
session_client_channel(struct session *session)
{
	struct bufferevent *bev = session->bev;
	int fd;

	session->bev = NULL;
	if (session->is_tls)
		return channel_new_tls(bev);
	fd = bufferevent_getfd(bev);
	(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
	(void)bufferevent_setfd(bev, -1);
	bufferevent_free(bev);
	return channel_new_socket(fd);
}
