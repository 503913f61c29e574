/* SPDX-License-Identifier: ISC */
/* By which methods a client may prove itself, and what was learned of it. */
#include "gateway/session_private.h"

#include "base/clock.h"
#include "gateway/ticketless.h"
#include "gateway/worker.h"

/* Has it another way?  Where gssapi is the only one nothing is remembered. */
static bool
has_choice(const struct session *session)
{
	return session->listener->method_count > 1 &&
	       session->settings->ticketless_tries > 0;
}

static bool
has_no_ticket(const struct session *session)
{
	const struct settings *settings = session->settings;

	return has_choice(session) &&
	       ticketless_has(session->worker->shared->ticketless,
		   &session->client.address, clock_monotonic_us(),
		   settings->ticketless_tries,
		   settings->ticketless_memory * 1000000);
}

struct front_methods
session_methods(const struct session *session)
{
	const struct listener_settings *listener = session->listener;
	bool gssapi_comes_last = has_no_ticket(session), has_gssapi = false;
	struct front_methods methods = {.count = 0};

	for (size_t i = 0; i < listener->method_count; i++) {
		enum method method = listener->method[i];

		if (method == METHOD_GSSAPI && gssapi_comes_last)
			has_gssapi = true;
		else if (method == METHOD_PASSWORD &&
			 !session_may_use_password(session))
			methods.no_password_here = true;
		else
			methods.method[methods.count++] = method;
	}
	if (has_gssapi)
		methods.method[methods.count++] = METHOD_GSSAPI;
	return methods;
}

void
session_methods_learn(const struct session *session, enum reason reason)
{
	struct ticketless *ticketless = session->worker->shared->ticketless;
	const struct hint_facts *facts = &session->facts;

	if (!has_choice(session))
		return;
	/* Who was proved by a password has not shown a ticket. */
	if (session->is_proved && session->identity.method != METHOD_GSSAPI)
		return;
	if (facts->stage >= HINT_STAGE_CONTEXT)
		ticketless_forget(ticketless, &session->client.address);
	else if (facts->stage == HINT_STAGE_CHOSEN &&
		 (reason == REASON_CLIENT_CLOSED ||
		     reason == REASON_CLIENT_RESET))
		ticketless_note(ticketless, &session->client.address,
		    clock_monotonic_us(),
		    session->settings->ticketless_window * 1000000);
}
