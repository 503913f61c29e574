/* SPDX-License-Identifier: ISC */
/*
 * How a session reaches its target when the target calls back (RFC 1928
 * section 4, BIND): two replies, and between them a wait for the one caller
 * that was asked for.
 *
 * Whoever calls is judged by himself, as (name, address), by the rules that
 * are in force then; and who waits for nobody who still may call waits no
 * longer.
 */
#include "gateway/session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>

#include "gateway/budgets.h"
#include "gateway/connected.h"
#include "gateway/worker.h"
#include "relay/dialler.h"
#include "relay/hangup.h"
#include "relay/reception.h"
#include "relay/resolver.h"
#include "relay/sockets.h"

/* Refused callers that are recorded one by one; the rest are counted. */
#define CALLERS_RECORDED_MAX 64

struct session_bind {
	struct reception *reception;
	struct hangup *hangup;
	unsigned refused; /* callers */
	/* Who may call, where not anybody whom the rules permit. */
	size_t count;
	struct address expected[RESOLVER_ADDRESSES_MAX];
};

/* The client does not know who will call.  A name never means that, whatever
 * it leads to. */
static bool
expects_anybody(const struct session *session)
{
	return endpoint_is_unspecified(&session->asked.destination);
}

static bool
may_call_back(const struct session *session, const struct address *peer)
{
	return !session->settings->bind_require_connect ||
	       connected_has(session->worker->shared->connected,
		   session->identity.name, peer);
}

enum reason
session_bind_prepare(
    struct session *session, const struct address *addresses, size_t count)
{
	struct session_bind *bind;
	/* While it waits it has two more sockets than a client's. */
	enum reason why =
	    budgets_widen(session->worker->shared->budgets, &session->share);

	if (why != REASON_OK)
		return why;
	bind = calloc(1, sizeof(*bind));
	if (bind == NULL)
		return REASON_NO_MEMORY;
	session->bind = bind;
	for (size_t i = 0; i < count && i < RESOLVER_ADDRESSES_MAX; i++) {
		if (may_call_back(session,
			expects_anybody(session) ? NULL : &addresses[i]))
			bind->expected[bind->count++] = addresses[i];
	}
	return bind->count > 0 ? REASON_OK : REASON_BIND_NO_CONNECT;
}

/* That of the setting for the family; false without one. */
static bool
find_address(const struct settings_list *list, enum address_family family,
    struct address *address)
{
	struct address found;

	for (size_t i = 0; i < list->count; i++) {
		if (address_parse(list->texts[i], &found) &&
		    found.family == family) {
			*address = found;
			return true;
		}
	}
	return false;
}

/*
 * Where the first of those expected finds us: the setting; without one our
 * address on the way there, or where nobody knows who will call the one that
 * the client uses.
 */
static enum reason
listening_address(const struct session *session, struct address *address)
{
	const struct settings_list *own = &session->settings->bind_address;
	const struct address *peer = &session->bind->expected[0];
	int error;

	if (find_address(own, peer->family, address))
		return REASON_OK;
	if (own->count > 0)
		return REASON_NETWORK_UNREACHABLE;
	if (expects_anybody(session))
		return session_local_address(session, address);
	error = sockets_local_towards(peer, address);
	return error == 0 ? REASON_OK : dial_reason(error);
}

struct verdict
session_bind_judge(
    const struct session *session, const struct judge_context *context)
{
	const struct session_bind *bind = session->bind;
	struct request asked = session_request(session);
	struct address permitted[RESOLVER_ADDRESSES_MAX];
	size_t count;

	return judge_addresses(
	    context, &asked, bind->expected, bind->count, permitted, &count);
}

/* Why that caller is not the one, or REASON_OK. */
static enum reason
judge_caller(struct session *session, const struct address *caller,
    struct verdict *verdict)
{
	const struct session_bind *bind = session->bind;
	bool expected = expects_anybody(session);

	for (size_t i = 0; i < bind->count && !expected; i++)
		expected = address_is_equal(&bind->expected[i], caller);
	if (!expected)
		return REASON_BIND_STRANGER;
	*verdict = session_judge(session, caller);
	if (verdict->decision != DECISION_PERMIT)
		return verdict->reason;
	return may_call_back(session, caller) ? REASON_OK
					      : REASON_BIND_NO_CONNECT;
}

static bool
on_caller(void *arg, const struct socket_address *caller)
{
	struct session *session = arg;
	struct verdict verdict;
	enum reason reason = judge_caller(session, &caller->address, &verdict);

	if (reason == REASON_OK)
		session_keep_verdict(session, &verdict);
	else if (session->bind->refused++ >= CALLERS_RECORDED_MAX)
		return false;
	session_record_caller(session, reason,
	    reason == REASON_BIND_STRANGER ? NULL : &verdict, caller);
	return reason == REASON_OK;
}

/* How many callers have no record of their own. */
static void
print_refused(const struct session_bind *bind, char *out, size_t size)
{
	out[0] = '\0';
	if (bind->refused > CALLERS_RECORDED_MAX)
		(void)snprintf(out, size, "%u more callers were closed",
		    bind->refused - CALLERS_RECORDED_MAX);
}

static void
on_received(void *arg, const struct reception_result *result)
{
	struct session *session = arg;
	enum reason reason = result->reason;
	char detail[64];

	session->bind->reception = NULL;
	session_review_pause(session);
	print_refused(session->bind, detail, sizeof(detail));
	session_bind_cancel(session);
	session->dialled = result->caller;
	session->target_fd = result->fd;
	if (reason == REASON_OK)
		reason = session_settle_verdict(session);
	session_record(session, AUDIT_OPEN, reason, detail);
	if (reason != REASON_OK)
		session_close(session, reason);
	else
		session_reply(session, &session->dialled);
}

static void
on_hangup(void *arg, bool was_reset)
{
	session_close(
	    arg, was_reset ? REASON_CLIENT_RESET : REASON_CLIENT_CLOSED);
}

static enum reason
listen_for_callers(struct session *session)
{
	const struct settings *settings = session->settings;
	struct reception_settings where = {
	    .port_min = (uint16_t)settings->bind_port_min,
	    .port_max = (uint16_t)settings->bind_port_max,
	    .timeout_ms = (unsigned)settings->bind_timeout * 1000,
	};
	struct session_bind *bind = session->bind;
	enum reason reason = listening_address(session, &where.address);

	if (reason != REASON_OK)
		return reason;
	bind->reception = reception_start(session->worker->base, &where,
	    on_caller, on_received, session, &reason);
	if (bind->reception == NULL)
		return reason;
	session->egress = reception_address(bind->reception);
	bind->hangup = hangup_watch(session->worker->base,
	    bufferevent_getfd(session->bev), on_hangup, session);
	return bind->hangup != NULL ? REASON_OK : REASON_NO_DESCRIPTORS;
}

void
session_bind_listen(struct session *session)
{
	enum reason reason = listen_for_callers(session);
	struct socket_address advertised;

	if (reason != REASON_OK) {
		session_record(session, AUDIT_OPEN, reason, "");
		session_close(session, reason);
		return;
	}
	advertised = session->egress;
	(void)find_address(&session->settings->bind_advertise,
	    session->egress.address.family, &advertised.address);
	reason = session_write_reply(session, REASON_OK, &advertised);
	session->is_reply_due = true; /* the second one */
	if (reason == REASON_OK)
		reason = session_stand(session);
	if (reason != REASON_OK)
		session_close(session, reason);
}

void
session_bind_cancel(struct session *session)
{
	struct session_bind *bind = session->bind;

	if (bind == NULL)
		return;
	reception_cancel(bind->reception);
	hangup_cancel(bind->hangup);
	free(bind);
	session->bind = NULL;
}
