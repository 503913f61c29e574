/* SPDX-License-Identifier: ISC */
/*
 * A decision is on record before its target is reached: with `durable =
 * group` on the disk, and not at all while nothing can be recorded.
 */
#include "gateway/session_private.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/audit_sender.h"
#include "gateway/worker.h"

#define DURABLE_WAIT_US 5000000

/* Where it goes on when the record is safe. */
struct session_durable {
	struct audit_await *await;
	size_t count;
	struct address addresses[];
};

static bool
must_be_recorded(const struct session *session)
{
	return strcmp(session->settings->audit_on_failure, "refuse_new") == 0;
}

enum reason
session_can_be_recorded(const struct session *session)
{
	return must_be_recorded(session) &&
		       audit_sender_is_failing(session->worker->audit)
		   ? REASON_AUDIT_UNAVAILABLE
		   : REASON_OK;
}

static void
on_kept(void *arg, bool is_kept)
{
	struct session *session = arg;
	struct session_durable *durable = session->durable;
	enum reason why = REASON_AUDIT_UNAVAILABLE;

	durable->await = NULL;
	session->durable = NULL;
	if ((is_kept || !must_be_recorded(session)) &&
	    session_limit_duration(session, &why))
		session_reach(session, durable->addresses, durable->count);
	else
		session_close(session, why);
	free(durable);
}

bool
session_awaits_record(const struct session *session)
{
	/* What cannot be kept is not waited for: it is refused before, or
	 * served all the same. */
	return strcmp(session->settings->audit_durable, "group") == 0 &&
	       !audit_sender_is_failing(session->worker->audit);
}

void
session_await_record(
    struct session *session, const struct address *addresses, size_t count)
{
	struct session_durable *durable =
	    malloc(sizeof(*durable) + count * sizeof(*addresses));

	if (durable == NULL) {
		session_close(session, REASON_NO_MEMORY);
		return;
	}
	durable->count = count;
	if (count > 0)
		memcpy(
		    durable->addresses, addresses, count * sizeof(*addresses));
	session->durable = durable;
	durable->await =
	    audit_sender_await(session->worker->audit, on_kept, session);
	if (durable->await == NULL)
		session_close(session, REASON_NO_MEMORY);
	else
		session_set_deadline(
		    session, DURABLE_WAIT_US, REASON_AUDIT_UNAVAILABLE);
}

void
session_durable_cancel(struct session *session)
{
	if (session->durable == NULL)
		return;
	audit_await_cancel(session->durable->await);
	free(session->durable);
	session->durable = NULL;
}
