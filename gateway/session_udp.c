/* SPDX-License-Identifier: ISC */
/* A session whose client exchanges datagrams (UDP ASSOCIATE), from the request
 * to the end. */
#include "gateway/session_udp_private.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/must.h"
#include "base/seal.h"
#include "gateway/rule_uses.h"
#include "gateway/worker.h"
#include "policy/rule.h"

/* What a client may say on a connection that only holds its association. */
#define CONTROL_OCTETS_MAX 65536

/* ---- the request */

enum reason
session_udp_check(const struct session *session)
{
	const struct endpoint *source = &session->asked.destination;

	if (session->seal == NULL && !session->listener->allow_clear_udp)
		return REASON_UDP_CLEAR;
	/* RFC 1928 section 4: where it will send from, zeros for unknown; a
	 * name would narrow nothing. */
	if (source->kind == ENDPOINT_ADDRESS &&
	    !endpoint_is_unspecified(source) &&
	    !address_is_equal(&source->address, &session->client.address))
		return REASON_UDP_SOURCE;
	return REASON_OK;
}

static void
on_done(void *arg, enum reason reason)
{
	session_close(arg, reason);
}

static struct association_settings
settings_of(const struct session *session, const struct address *local)
{
	const struct settings *settings = session->settings;

	return (struct association_settings){
	    .local = *local,
	    .port_min = (uint16_t)settings->udp_port_min,
	    .port_max = (uint16_t)settings->udp_port_max,
	    .client = {session->client.address,
		session->asked.destination.port},
	    .idle_ms = (unsigned)settings->udp_idle_timeout * 1000,
	    .destinations_max = (unsigned)settings->udp_destinations_max,
	    .new_max = (unsigned)settings->udp_destinations_rate,
	    .octets_max = settings->udp_rate_max,
	    .reassembly_octets =
		settings->udp_reassembly ? settings->udp_reassembly_max : 0,
	    .reassembly_timeout_ms =
		(unsigned)settings->udp_reassembly_timeout * 1000,
	};
}

/* Neither association nor share, if this fails. */
static enum reason
open_association(
    struct session *session, struct session_udp *udp, const struct address *at)
{
	const struct association_owner owner = {
	    session_udp_judge, session_udp_record_drops, on_done, session};
	const struct rule_limits limits = {
	    .max_rate = session->settings->udp_identity_rate_max};
	struct rule_uses *uses = session->worker->shared->rule_uses;
	struct association_settings settings = settings_of(session, at);
	enum reason why = rule_uses_take(
	    uses, "", session->identity.name, &limits, &udp->use);

	if (why != REASON_OK)
		return why;
	settings.rate = rule_uses_rate(uses, udp->use);
	udp->association =
	    association_open(session->worker->base, &settings, &owner, &why);
	if (udp->association == NULL)
		rule_uses_give(uses, udp->use);
	return udp->association == NULL ? why : REASON_OK;
}

enum reason
session_udp_prepare(struct session *session)
{
	struct session_udp *udp;
	struct address local;
	enum reason why = session_local_address(session, &local);

	if (why != REASON_OK)
		return why;
	/* It has the client's connection and up to three sockets. */
	why = budgets_widen(session->worker->shared->budgets, &session->share);
	if (why != REASON_OK)
		return why;
	udp = calloc(1, sizeof(*udp));
	if (udp == NULL)
		return REASON_NO_MEMORY;
	TAILQ_INIT(&udp->names);
	udp->valid_until_us = UINT64_MAX;
	why = open_association(session, udp, &local);
	if (why != REASON_OK) {
		free(udp);
		return why;
	}
	session->udp = udp;
	session->egress = association_bound(udp->association);
	return REASON_OK;
}

void
session_udp_reply(struct session *session)
{
	struct socket_address told = session->egress;
	const struct address *advertise =
	    &session->listener->udp_advertise_address;

	session_record(session, AUDIT_OPEN, REASON_OK, "");
	if (advertise->family != ADDRESS_NONE)
		told.address = *advertise;
	session_reply(session, &told);
}

void
session_udp_rules_changed(struct session *session)
{
	if (session->udp == NULL)
		return;
	association_rules_changed(session->udp->association);
	session->udp->valid_until_us = UINT64_MAX;
}

uint64_t
session_udp_valid_until_us(const struct session *session)
{
	return session->udp == NULL ? UINT64_MAX : session->udp->valid_until_us;
}

/* ---- the relay, and the connection that holds it */

static void
on_control_event(struct bufferevent *bev, short what, void *arg)
{
	struct session *session = arg;
	enum reason reason = reason_of_client(errno);

	(void)bev;
	/* RFC 1928 section 7: its end is the association's. */
	if ((what & BEV_EVENT_EOF) != 0)
		session_close(session, REASON_OK);
	else
		session_close(session, session_tls_reason(session, reason));
}

/* Nothing is to be said there: it is not looked at. */
static void
on_control_octets(struct bufferevent *bev, void *arg)
{
	struct session *session = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	must(evbuffer_drain(input, len) == 0);
	session->udp->control_octets += len;
	if (session->udp->control_octets > CONTROL_OCTETS_MAX)
		session_close(session, REASON_UDP_CONTROL);
}

/* The reply was the last message that had to come in order. */
static enum reason
begin(struct session *session)
{
	struct seal *seal = session->seal;
	enum reason reason = REASON_OK;

	if (seal != NULL)
		reason = seal_into_datagram(seal);
	if (reason != REASON_OK)
		return reason;
	session->seal = NULL;
	session->udp->has_begun = true;
	return association_start(session->udp->association, seal);
}

void
session_udp_relay(struct session *session)
{
	enum reason why = begin(session);

	if (why == REASON_OK)
		why = session_stand(session);
	if (why != REASON_OK) {
		session_close(session, why);
		return;
	}
	bufferevent_setcb(
	    session->bev, on_control_octets, NULL, on_control_event, session);
	if (bufferevent_enable(session->bev, EV_READ) != 0)
		session_close(session, REASON_NO_MEMORY);
	else if (evbuffer_get_length(bufferevent_get_input(session->bev)) > 0)
		on_control_octets(session->bev, session);
}

/* ---- the end */

void
session_udp_end(struct session *session)
{
	struct session_udp *udp = session->udp;
	struct association_counts counts;

	if (udp == NULL)
		return;
	association_close(udp->association, &counts);
	rule_uses_give(session->worker->shared->rule_uses, udp->use);
	session_udp_forget_names(udp);
	session->counts.to_target = counts.bytes_to_target;
	session->counts.to_client = counts.bytes_to_client;
	if (udp->has_begun)
		session_udp_record_summary(session, &counts);
	session->udp = NULL;
	free(udp);
}
