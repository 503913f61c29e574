/* SPDX-License-Identifier: ISC */
/*
 * The life of a session, from its first octet to its end; read it from top to
 * bottom.  How it begins is in session_admit.c.
 *
 *     converse  greeting  prove  proved  request  judge  record  reach  reply
 *     relay
 *
 * Each step starts one operation and returns; its callback is the next step.
 * session_close is the only end: it may be called at any step, with the
 * reason, and the session is gone when it returns.
 */
#include "gateway/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/negotiation.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5.h"
#include "base/wipe.h"
#include "gateway/census.h"
#include "gateway/connected.h"
#include "gateway/conversation.h"
#include "gateway/linger.h"
#include "gateway/proxied.h"
#include "gateway/rule_uses.h"
#include "gateway/session_private.h"
#include "gateway/tls_listeners.h"
#include "gateway/worker.h"
#include "policy/lookups.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"
#include "relay/channel.h"
#include "relay/dialler.h"
#include "relay/resolver.h"

static void greeting(struct bufferevent *bev, void *arg);
static void prove(struct session *session, enum method method);
static void
proved(struct session *session, struct proof *proof, const char *detail);
static void request(struct bufferevent *bev, void *arg);
static void judge(struct session *session);
static void decide(struct session *session);
static void record(struct session *session, const struct address *addresses,
    size_t count, const struct judged *judged);
static void relay(struct bufferevent *bev, void *arg);

/* ---- converse: admitted by session_admit.c; a client can be talked to */

/* Part of a greeting or of a request has come. */
static bool
is_within_message(const struct session *session)
{
	return evbuffer_get_length(bufferevent_get_input(session->bev)) > 0 ||
	       (session->opened != NULL &&
		   evbuffer_get_length(session->opened) > 0);
}

/* TLS is agreed on; or the client went away, or its connection broke, before
 * the relay. */
static void
on_client_event(struct bufferevent *bev, short what, void *arg)
{
	struct session *session = arg;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) != 0)
		session_tls_agreed(session);
	else if ((what & BEV_EVENT_EOF) != 0)
		session_close(session, is_within_message(session)
					   ? REASON_TRUNCATED
					   : REASON_CLIENT_CLOSED);
	else if (session->is_tls)
		session_tls_failed(session);
	else
		session_close(session, reason_of_client(errno));
}

void
session_converse(struct session *session, int fd)
{
	session->bev = session_client_bev(session, fd);
	if (session->bev == NULL) {
		session_close(session, REASON_NO_MEMORY);
		return;
	}
	/* Never more ahead than one message of the largest kind. */
	bufferevent_setwatermark(session->bev, EV_READ, 0, RFC1961_FRAME_MAX);
	bufferevent_setcb(
	    session->bev, greeting, NULL, on_client_event, session);
	if (bufferevent_enable(session->bev, EV_READ | EV_WRITE) != 0)
		session_close(session, REASON_NO_MEMORY);
}

/* ---- greeting: methods offered; the listener's preference chooses */

static void
greeting(struct bufferevent *bev, void *arg)
{
	struct session *session = arg;
	struct front_methods methods = session_methods(session);
	enum method method;
	enum reason why;

	switch (session->front->greet(bufferevent_get_input(bev),
	    bufferevent_get_output(bev), &methods, &session->facts, &method,
	    &why)) {
	case PARSE_MORE:
		return;
	case PARSE_BAD:
		session_close(session, why);
		return;
	case PARSE_DONE:
		prove(session, method);
		return;
	}
}

/* ---- prove: by a ticket; tokens go to an authenticator.  Or by a password,
 * which goes to the password checker */

static void
on_proved(
    void *arg, enum reason reason, const char *detail, struct proof *proof)
{
	struct session *session = arg;

	session->negotiation = NULL;
	reason = session_tls_reason(session, reason);
	if (reason != REASON_OK) {
		session_blame_source(session, reason);
		session_record(session, AUDIT_AUTH, reason, detail);
		session_close(session, reason);
		return;
	}
	proved(session, proof, detail);
}

static void
prove_by_ticket(struct session *session)
{
	const struct settings *settings = session->settings;
	const struct listener_settings *listener = session->listener;
	struct negotiation_policy policy = {
	    .minimum = listener->minimum,
	    .maximum = listener->maximum,
	    .token_max = (uint32_t)settings->token_max,
	    .rounds_max = (uint32_t)settings->rounds_max,
	    .total_max = (uint32_t)settings->token_total_max,
	    .short_abort = settings->short_abort,
	    .allow_spnego = listener->allow_spnego,
	    .allow_nec = settings_networks_have(
		&listener->nec_networks, &session->client.address),
	};

	session->negotiation =
	    negotiation_start(session->bev, session->worker->authenticators,
		&policy, &session->facts, on_proved, session);
	if (session->negotiation == NULL)
		session_close(session, REASON_NO_MEMORY);
}

static void
claim(struct session *session, const char *name)
{
	(void)strlcpy(
	    session->identity.name, name, sizeof(session->identity.name));
}

static void
on_password(void *arg, const struct userpass_result *result)
{
	struct session *session = arg;
	enum reason reason = session_tls_reason(session, result->reason);

	session->userpass = NULL;
	health_note_login(&session->worker->shared->logins, reason);
	if (reason != REASON_OK) {
		claim(session, result->claimed);
		session_record(session, AUDIT_AUTH, reason, result->detail);
		session_close(session, reason);
		return;
	}
	proved(session, result->proof, result->detail);
}

static void
prove_by_password(struct session *session)
{
	session->userpass = session_start_userpass(session, on_password);
	if (session->userpass == NULL)
		session_close(session, REASON_NO_MEMORY);
}

static void
prove(struct session *session, enum method method)
{
	session->tried = method;
	switch (method) {
	case METHOD_GSSAPI:
		prove_by_ticket(session);
		return;
	case METHOD_PASSWORD:
		prove_by_password(session);
		return;
	case METHOD_NONE:
	case METHOD_COUNT:
		break;
	}
	must(false && "a method that the settings do not permit");
}

/* ---- proved: identity known once; groups asked for at once */

static void
on_subject(void *arg, enum reason reason, struct subject *subject)
{
	struct session *session = arg;

	session->lookup = NULL;
	session->has_subject = true;
	/* Without an answer a rule that asks for groups will deny. */
	(void)reason;
	session->subject = subject;
	/* What has changed since it was asked is seen when it stands. */
	if (session->has_request && session->udp == NULL)
		decide(session);
}

static bool
needs_subject(const struct session *session)
{
	return !session->has_subject && worker_needs_subject(session->worker);
}

/* Users or groups may have changed since the directory was asked.  Once it
 * stands, session_review sees to that. */
static void
forget_what_is_outdated(struct session *session)
{
	struct subject_cache *cache = session->worker->shared->subjects;

	if (session->is_standing || !session->has_subject ||
	    session->subject_epoch == subject_cache_epoch(cache))
		return;
	subject_unref(session->subject);
	session->subject = NULL;
	session->has_subject = false;
}

static void
ask_directory(struct session *session)
{
	session->subject_epoch =
	    subject_cache_epoch(session->worker->shared->subjects);
	session->lookup = lookup_start(session->worker->lookups,
	    session->identity.name, on_subject, session);
	if (session->lookup == NULL)
		session->has_subject = true;
}

bool
session_awaits_subject(struct session *session)
{
	forget_what_is_outdated(session);
	if (session->lookup == NULL && needs_subject(session))
		ask_directory(session);
	/* Asked again only, it is judged by what is known until then. */
	return session->lookup != NULL && !session->has_subject;
}

static void
proved(struct session *session, struct proof *proof, const char *detail)
{
	session->is_proved = true;
	session->identity = proof->identity;
	session->protection = proof->protection;
	session->seal = proof->seal;
	session->has_sequence = proof->has_sequence;
	session_tally_proof(session);
	session_record(session, AUDIT_AUTH, REASON_OK, detail);
	session->excess = budgets_prove(session->worker->shared->budgets,
	    session->settings, session->identity.name, &session->share);
	session->opened = evbuffer_new();
	if (session->opened == NULL) {
		session_close(session, REASON_NO_MEMORY);
		return;
	}
	if (session->excess == REASON_OK && needs_subject(session))
		ask_directory(session);
	bufferevent_setcb(
	    session->bev, request, NULL, on_client_event, session);
	if (bufferevent_enable(session->bev, EV_READ | EV_WRITE) != 0)
		session_close(session, REASON_NO_MEMORY);
	else
		request(session->bev, session);
}

/* ---- request: what is asked, out of the seal if there is one */

/*
 * The first octet behind the level exchange says what the client made of the
 * grant.  Granted none, it may encapsulate all the same, as it had asked for
 * (which is no less than integrity); granted more, it must.  Without a seal,
 * after a password, there was nothing to grant.
 */
static enum parse_result
settle_protection(struct session *session, enum reason *why)
{
	uint8_t first;

	if (evbuffer_copyout(bufferevent_get_input(session->bev), &first, 1) !=
	    1)
		return PARSE_MORE;
	if (session->seal == NULL)
		return PARSE_DONE;
	if (session->protection != PROTECTION_NONE) {
		if (first != SOCKS5_VERSION)
			return PARSE_DONE;
		*why = REASON_GSS_CLEAR;
		return PARSE_BAD;
	}
	if (first == RFC1961_VERSION) {
		session->protection = session->seal->protection;
	} else {
		seal_free(session->seal);
		session->seal = NULL;
	}
	return PARSE_DONE;
}

/* Pieces of the stream until the front sees a whole request. */
static enum parse_result
read_request(struct session *session, enum reason *why)
{
	struct evbuffer *opened = session->opened;
	enum parse_result result;
	size_t consumed;

	do {
		result = conversation_read(bufferevent_get_input(session->bev),
		    session->seal, opened, why);
		if (result != PARSE_DONE)
			return result;
		result = session->front->parse_request(
		    evbuffer_pullup(opened, -1), evbuffer_get_length(opened),
		    &consumed, &session->asked, why);
	} while (result == PARSE_MORE);
	session->is_reply_due = true;
	session->facts.stage = HINT_STAGE_REQUEST;
	if (result == PARSE_DONE)
		must(evbuffer_drain(opened, consumed) == 0);
	return result;
}

static void
refuse_judged(
    struct session *session, enum reason reason, const struct judged *judged)
{
	session_record_decision(session, reason, judged);
	session_close(session, reason);
}

/* Refuses a request that was read. */
static void
refuse(struct session *session, enum reason reason)
{
	refuse_judged(session, reason, &(struct judged){.count = 0});
}

/* Is it a request that can be judged? */
static bool
is_served(const struct session *session, enum reason *why)
{
	switch (session->asked.command) {
	case COMMAND_CONNECT:
		*why = REASON_PORT_ZERO;
		return session->asked.destination.port != 0;
	case COMMAND_BIND:
		return true;
	case COMMAND_UDP:
		*why = session_udp_check(session);
		return *why == REASON_OK;
	}
	*why = REASON_COMMAND_UNSUPPORTED;
	return false;
}

/* Are gaps in what it sends seen, where there may be none?  RFC 1961 section
 * 3.2: datagrams have no order. */
static bool
has_order(const struct session *session)
{
	return session->seal == NULL || session->has_sequence ||
	       session->listener->allow_missing_sequence ||
	       session->asked.command == COMMAND_UDP;
}

static void
request(struct bufferevent *bev, void *arg)
{
	struct session *session = arg;
	enum parse_result result = PARSE_DONE;
	enum reason why;

	if (evbuffer_get_length(session->opened) == 0)
		result = settle_protection(session, &why);
	if (result == PARSE_DONE)
		result = read_request(session, &why);
	if (result == PARSE_MORE)
		return;
	if (result == PARSE_BAD) {
		if (session->is_reply_due)
			refuse(session, why);
		else
			session_close(session, why);
		return;
	}
	/* What comes now is the target's; it waits in the socket. */
	(void)bufferevent_disable(bev, EV_READ);
	session->has_request = true;
	session->asked_us = clock_monotonic_us();
	if (!is_served(session, &why) || !session_limit_duration(session, &why))
		refuse(session, why);
	else if (session->excess != REASON_OK)
		refuse(session, session->excess);
	else if (!has_order(session))
		refuse(session, REASON_GSS_FLAGS);
	else if ((why = session_can_be_recorded(session)) != REASON_OK)
		refuse(session, why);
	else
		judge(session);
}

/* ---- judge: by name; where an address can matter, resolve, then each */

/* Judges each address; only those that are permitted are dialled. */
static void
judge_resolved(
    struct session *session, const struct address *addresses, size_t count)
{
	struct judge_context context = session_judge_context(session);
	struct request asked = session_request(session);
	struct judged judged = {addresses, count};
	struct address permitted[RESOLVER_ADDRESSES_MAX];
	size_t permitted_count;
	struct verdict verdict;

	must(count <= ARRAY_COUNT(permitted));
	verdict = judge_addresses(
	    &context, &asked, addresses, count, permitted, &permitted_count);
	session_keep_verdict(session, &verdict);
	if (permitted_count == 0)
		refuse_judged(session, verdict.reason, &judged);
	else
		record(session, permitted, permitted_count, &judged);
}

static void
on_resolved(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct session *session = arg;

	session->resolution = NULL;
	health_note_name(&session->worker->shared->names, reason);
	if (reason != REASON_OK)
		refuse(session, reason);
	else if (needs_subject(session))
		judge(session); /* the rules have changed meanwhile */
	else
		judge_resolved(session, addresses, count);
}

static void
judge(struct session *session)
{
	/* Rules, users and groups may have changed since the proof. */
	if (!session_awaits_subject(session))
		decide(session); /* else on_subject does */
}

static void
decide(struct session *session)
{
	const struct endpoint *destination = &session->asked.destination;
	struct judge_context context = session_judge_context(session);
	struct request asked = session_request(session);
	struct verdict verdict;

	verdict = asked.command == COMMAND_UDP
		      ? judge_command(&context, &asked)
		      : judge_request(&context, &asked);
	session_keep_verdict(session, &verdict);
	switch (verdict.decision) {
	case DECISION_DENY:
		refuse(session, verdict.reason);
		return;
	case DECISION_PERMIT:
		record(session, &destination->address, 1,
		    &(struct judged){.count = 0});
		return;
	case DECISION_DEPENDS:
		session->resolution =
		    resolution_start(session->worker->resolver,
			destination->name, on_resolved, session);
		if (session->resolution == NULL)
			refuse(session, REASON_NO_MEMORY);
		return;
	}
}

/* ---- record: the decision, before anything is reached (session_durable.c) */

static void
record(struct session *session, const struct address *addresses, size_t count,
    const struct judged *judged)
{
	enum reason why = session_use_rule(session);

	if (why == REASON_OK && session->asked.command == COMMAND_BIND)
		why = session_bind_prepare(session, addresses, count);
	if (why == REASON_OK && session->asked.command == COMMAND_UDP)
		why = session_udp_prepare(session);
	if (why != REASON_OK) {
		refuse_judged(session, why, judged);
		return;
	}
	session_record_decision(session, REASON_OK, judged);
	if (session_awaits_record(session))
		session_await_record(session, addresses, count);
	else
		session_reach(session, addresses, count);
}

/* ---- reach: dial the permitted addresses, or wait for a call from one of
 * them */

static void
on_dialled(void *arg, const struct dial_result *result)
{
	struct session *session = arg;
	enum reason reason = result->reason;

	session->dial = NULL;
	session->dialled = result->reached;
	session->egress = result->local;
	session->target_fd = result->fd;
	if (reason == REASON_OK)
		reason = session_settle_verdict(session);
	if (reason == REASON_OK)
		session->is_connected =
		    connected_add(session->worker->shared->connected,
			session->identity.name, &session->dialled.address);
	session_record(session, AUDIT_OPEN, reason, "");
	if (reason != REASON_OK)
		session_close(session, reason);
	else
		session_reply(session, &session->egress);
}

static void
reach_by_dialling(
    struct session *session, const struct address *addresses, size_t count)
{
	const struct settings *settings = session->settings;
	struct dial_settings dial = {
	    .attempt_delay_ms = (unsigned)settings->attempt_delay,
	    .attempt_timeout_ms = (unsigned)settings->attempt_timeout * 1000,
	    .timeout_ms = (unsigned)settings->connect_timeout * 1000,
	    .attempts_max = (unsigned)settings->attempts_max,
	};
	struct dial_target targets[RESOLVER_ADDRESSES_MAX];

	must(count <= ARRAY_COUNT(targets));
	for (size_t i = 0; i < count; i++)
		targets[i] = session_dial_target(session, &addresses[i]);
	session->dial = dial_start(session->worker->base, &dial, targets, count,
	    session->asked.destination.port, on_dialled, session);
	if (session->dial == NULL)
		session_close(session, REASON_NO_MEMORY);
}

void
session_reach(
    struct session *session, const struct address *addresses, size_t count)
{
	switch (session->asked.command) {
	case COMMAND_CONNECT:
		reach_by_dialling(session, addresses, count);
		return;
	case COMMAND_BIND:
		session_bind_listen(session);
		return;
	case COMMAND_UDP:
		session_udp_reply(session);
		return;
	}
	must(false && "a command that is not served");
}

/* ---- reply: with the real address, sealed if there is a seal */

enum reason
session_write_reply(struct session *session, enum reason reason,
    const struct socket_address *bound)
{
	uint8_t text[FRONT_REPLY_MAX];
	size_t len = session->front->print_reply(text, reason, bound);

	session->is_reply_due = false;
	return conversation_write(
	    bufferevent_get_output(session->bev), session->seal, text, len);
}

void
session_reply(struct session *session, const struct socket_address *bound)
{
	enum reason reason = session_write_reply(session, REASON_OK, bound);

	if (reason != REASON_OK) {
		session_close(session, reason);
		return;
	}
	/* For a client that does not read it. */
	session_set_deadline(session,
	    session->settings->handshake_timeout * 1000000,
	    REASON_HANDSHAKE_TIMEOUT);
	/* Called when the reply has left. */
	bufferevent_setcb(session->bev, NULL, relay, on_client_event, session);
}

/* ---- relay: bytes; from here on only limits and revocation */

static void
on_relayed(void *arg, enum reason reason, const struct tunnel_counts *counts)
{
	struct session *session = arg;

	session->tunnel = NULL;
	session->counts = *counts;
	session_close(session, reason);
}

static void
relay(struct bufferevent *bev, void *arg)
{
	struct session *session = arg;
	struct tunnel_settings limits = session_tunnel_settings(session);
	struct evbuffer *pending, *opened = session->opened;
	struct channel *client, *target;
	enum reason why;

	if (!session_limit_duration(session, &why)) {
		session_close(session, why);
		return;
	}
	if (session->udp != NULL) {
		session_udp_relay(session);
		return;
	}
	pending = evbuffer_new();
	if (pending == NULL ||
	    evbuffer_add_buffer(pending, bufferevent_get_input(bev)) != 0) {
		if (pending != NULL)
			evbuffer_free(pending);
		session_close(session, REASON_NO_MEMORY);
		return;
	}
	client = session_client_channel(session);
	target = channel_new_socket(session->target_fd);
	session->target_fd = -1;
	if (client != NULL && target != NULL) {
		session->tunnel = tunnel_start(session->worker->base, &limits,
		    client, target, session->seal, evbuffer_pullup(opened, -1),
		    evbuffer_get_length(opened), evbuffer_pullup(pending, -1),
		    evbuffer_get_length(pending), on_relayed, session);
		session->seal = NULL;
	} else {
		channel_free(client, true);
		channel_free(target, true);
	}
	evbuffer_free(pending);
	evbuffer_free(opened);
	session->opened = NULL;
	why =
	    session->tunnel == NULL ? REASON_NO_MEMORY : session_stand(session);
	if (why != REASON_OK)
		session_close(session, why);
}

/* ---- close: the only end */

static void
close_client(struct session *session, enum reason reason)
{
	struct bufferevent *bev = session->bev;

	if (bev == NULL)
		return;
	/* A password may have been sent ahead of its time. */
	wipe_drain_all(bufferevent_get_input(bev));
	/* A reply that cannot be sealed is not sent at all. */
	if (session->is_reply_due &&
	    session_write_reply(session, reason, &session->egress) != REASON_OK)
		log_debug(NULL, "a reply could not be written");
	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		lingers_add(session->worker->lingers, bev);
	else
		bufferevent_free(bev);
	session->bev = NULL;
}

static void
cancel_what_is_in_flight(struct session *session, enum reason reason)
{
	proxied_cancel(session->proxied);
	negotiation_cancel(session->negotiation);
	userpass_cancel(session->userpass);
	lookup_cancel(session->lookup);
	resolution_cancel(session->resolution);
	session_durable_cancel(session);
	dial_cancel(session->dial);
	session_bind_cancel(session);
	session_udp_end(session);
	if (session->target_fd >= 0)
		(void)close(session->target_fd);
	if (session->tunnel != NULL)
		tunnel_cancel(session->tunnel, true, &session->counts);
	session->tunnel = NULL;
	close_client(session, reason);
	session_review_cancel(session);
	session_interim_end(session);
	event_free(session->deadline);
}

static void
session_free(struct session *session)
{
	census_pass(session->worker->census, session);
	TAILQ_REMOVE(&session->worker->sessions, session, entry);
	budgets_leave(session->worker->shared->budgets, &session->share);
	rule_uses_give(session->worker->shared->rule_uses, session->rule_use);
	if (session->is_connected)
		connected_remove(session->worker->shared->connected,
		    session->identity.name, &session->dialled.address);
	if (session->opened != NULL)
		evbuffer_free(session->opened);
	seal_free(session->seal);
	subject_unref(session->subject);
	ruleset_unref(session->rules);
	tls_listeners_unref(session->tls_listeners);
	settings_unref(session->settings);
	free(session);
}

/* In the log, unless it is one of many like it. */
static void
log_end(const struct session *session, enum reason reason)
{
	char who[SESSION_WHO_SIZE];

	if (session_is_health_check(session, reason))
		return;
	log_info(session_who(session, who),
	    "closed: %s; %" PRIu64 " octets to the target, %" PRIu64
	    " to the client",
	    reason_name(reason), session->counts.to_target,
	    session->counts.to_client);
}

void
session_close(struct session *session, enum reason reason)
{
	if (session->userpass != NULL)
		claim(session, userpass_claimed(session->userpass));
	if (session->negotiation != NULL || session->userpass != NULL)
		/* cut off while proving */
		session_record(session, AUDIT_AUTH, reason, "");
	cancel_what_is_in_flight(session, reason);
	session_methods_learn(session, reason);
	session_tally_end(session, reason);
	session_record(session, AUDIT_CLOSE, reason, "");
	log_end(session, reason);
	session_free(session);
}

void
session_close_all(struct worker *worker, enum reason reason)
{
	while (!TAILQ_EMPTY(&worker->sessions))
		session_close(TAILQ_FIRST(&worker->sessions), reason);
}
