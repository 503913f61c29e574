/* SPDX-License-Identifier: ISC */
/* A session that lasts has a record now and then of how much went so far: an
 * auditor need not wait for its end, which may be a crash. */
#include "gateway/session_private.h"

#include <event2/event.h>

#include "base/log.h"
#include "base/timeval.h"
#include "gateway/worker.h"

static void
arm(struct session *session)
{
	const struct timeval after =
	    timeval_us(session->settings->audit_interim * 1000000);

	(void)evtimer_add(session->interim, &after);
}

static void
on_interim(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	session_record(session, AUDIT_INTERIM, REASON_OK, "");
	arm(session);
}

void
session_interim_begin(struct session *session)
{
	if (session->settings->audit_interim == 0 || session->interim != NULL)
		return;
	session->interim =
	    evtimer_new(session->worker->base, on_interim, session);
	if (session->interim == NULL)
		log_warning(NULL, "no memory for interim records of a session");
	else
		arm(session);
}

void
session_interim_end(struct session *session)
{
	if (session->interim != NULL)
		event_free(session->interim);
}
