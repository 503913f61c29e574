/* SPDX-License-Identifier: ISC */
/* How a session begins: accepted, counted, its deadline armed (absolute, not
 * per octet), its client named by a load balancer if there is one. */
#include "gateway/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/proxied.h"
#include "gateway/reviews.h"
#include "gateway/session_private.h"
#include "gateway/tls_listeners.h"
#include "gateway/worker.h"
#include "relay/channel.h"

static const struct listener_settings *
find_listener(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->listener_count; i++)
		if (strcmp(settings->listeners[i].name, name) == 0)
			return &settings->listeners[i];
	return NULL;
}

static struct session *
session_new(struct worker *worker, const struct listener_settings *listener,
    const struct socket_address *client)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	if (!session_make_deadline(session, worker->base)) {
		free(session);
		return NULL;
	}
	session->worker = worker;
	session->settings = settings_ref(worker->settings);
	session->listener = listener;
	session->tls_listeners = tls_listeners_ref(worker->tls);
	session->front = &front_socks5;
	session->id = atomic_fetch_add(&worker->shared->next_session, 1);
	session->opened_us = clock_monotonic_us();
	session->round = reviews_round(worker->reviews);
	session->client = *client;
	session->target_fd = -1;
	TAILQ_INSERT_TAIL(&worker->sessions, session, entry);
	return session;
}

/* Closes what never became a conversation. */
static void
turn_away(struct session *session, int fd, enum reason reason)
{
	(void)close(fd);
	session_close(session, reason);
}

/* Takes fd: the client is known by its address. */
static void
admit(struct session *session, int fd)
{
	enum reason reason = budgets_locate(session->worker->shared->budgets,
	    session->settings, &session->client.address, &session->share);

	if (reason != REASON_OK)
		turn_away(session, fd, reason);
	else
		session_converse(session, fd);
}

/* What a load balancer says of its connection. */
static void
on_header(
    void *arg, enum reason reason, int fd, const struct proxy_header *header)
{
	struct session *session = arg;

	session->proxied = NULL;
	if (reason != REASON_OK) {
		session_close(session, reason);
		return;
	}
	session->via = session->client;
	if (header->origin == PROXY_CLIENT)
		session->client = header->client;
	/* Version 1 has no word for a health check: HAProxy names itself. */
	session->is_of_balancer =
	    session->client.port == session->via.port &&
	    address_is_equal(&session->client.address, &session->via.address);
	admit(session, fd);
}

static void
await_header(struct session *session, int fd)
{
	session->is_of_balancer = true;
	session->proxied =
	    proxied_start(session->worker->base, fd, on_header, session);
	if (session->proxied == NULL)
		session_close(session, REASON_NO_MEMORY);
}

void
session_open(struct worker *worker, const char *listener_name, int fd,
    const struct socket_address *client)
{
	const struct listener_settings *listener =
	    find_listener(worker->settings, listener_name);
	struct session *session = NULL;
	enum reason reason;

	if (listener != NULL)
		session = session_new(worker, listener, client);
	if (session == NULL) {
		if (listener == NULL)
			log_warning(NULL,
			    "listener %s went while a client came",
			    listener_name);
		else
			log_error(NULL, "no memory for a session");
		(void)close(fd);
		return;
	}
	channel_tune_socket(fd);
	reason = budgets_enter(
	    worker->shared->budgets, session->settings, &session->share);
	if (reason != REASON_OK) {
		turn_away(session, fd, reason);
		return;
	}
	session_set_deadline(session,
	    session->settings->handshake_timeout * 1000000,
	    REASON_HANDSHAKE_TIMEOUT);
	if (proxied_is_due(listener, &client->address))
		await_header(session, fd);
	else
		admit(session, fd);
}
