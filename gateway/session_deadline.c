/* SPDX-License-Identifier: ISC */
/* When a session must be over: its handshake's time, its ticket's end, its
 * longest life. */
#include "gateway/session_private.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/timeval.h"

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	if (session->tunnel != NULL)
		tunnel_expire(session->tunnel, session->deadline_reason);
	else
		session_close(session, session->deadline_reason);
}

bool
session_make_deadline(struct session *session, struct event_base *base)
{
	session->deadline = evtimer_new(base, on_deadline, session);
	return session->deadline != NULL;
}

void
session_set_deadline(
    struct session *session, uint64_t after_us, enum reason reason)
{
	const struct timeval after = timeval_us(after_us);

	session->deadline_reason = reason;
	(void)evtimer_add(session->deadline, &after);
}

/* When it must be over: its ticket has ended, or it has lasted long enough. */
static uint64_t
end_of(const struct session *session, enum reason *why)
{
	const struct settings *settings = session->settings;
	uint64_t end = UINT64_MAX, expiry, lifetime;

	lifetime = session_lifetime_s(session);
	if (lifetime != 0) {
		end = session->opened_us + lifetime * 1000000;
		*why = REASON_LIFETIME;
	}
	if (!settings->end_with_ticket || session->identity.expires_us == 0)
		return end;
	expiry =
	    session->identity.expires_us + settings->expiry_grace * 1000000;
	if (expiry > end)
		return end;
	*why = REASON_CONTEXT_EXPIRED;
	return expiry;
}

/* libgssapi takes tickets that have ended within the clocks' skew. */
bool
session_limit_duration(struct session *session, enum reason *why)
{
	uint64_t now = clock_monotonic_us(), end = end_of(session, why);

	(void)evtimer_del(session->deadline);
	if (end <= now)
		return false;
	if (end != UINT64_MAX)
		session_set_deadline(session, end - now, *why);
	return true;
}
