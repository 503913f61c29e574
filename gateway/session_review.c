/* SPDX-License-Identifier: ISC */
/*
 * The verdict of a session that stands, as long as it does: judged again when
 * the rules change, when the directory says something else of its client, and
 * when the passing of time could change it.
 *
 * What is not permitted any more ends at once.  Where the directory says
 * nothing, it goes on: an outage revokes nobody.
 */
#include "gateway/session_private.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timeval.h"
#include "gateway/worker.h"
#include "policy/lookups.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

/* After the directory did not say; and in any case, since the wall clock
 * may be set. */
#define RETRY_US  10000000
#define LATEST_US UINT64_C(3600000000)

static void
on_review(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	session_review(arg, true);
}

static void
review_in(struct session *session, uint64_t after_us)
{
	const struct timeval after = timeval_us(after_us);

	(void)evtimer_add(session->review, &after);
}

/* At the moment until which the verdict is valid, just past it. */
static void
review_in_time(struct session *session)
{
	uint64_t until_us = session->verdict.valid_until_us;
	uint64_t now_us = clock_wall_us(), after_us = LATEST_US;

	if (until_us == UINT64_MAX)
		return;
	if (until_us <= now_us)
		after_us = 0;
	else if (until_us - now_us < LATEST_US)
		after_us = until_us - now_us + 1000;
	review_in(session, after_us);
}

enum reason
session_stand(struct session *session)
{
	session->review =
	    evtimer_new(session->worker->base, on_review, session);
	if (session->review == NULL)
		return REASON_NO_MEMORY;
	session->is_standing = true;
	review_in_time(session);
	return REASON_OK;
}

static void
revoke(struct session *session, const struct verdict *verdict)
{
	session->generation_before = ruleset_generation(session->rules);
	session_keep_verdict(session, verdict);
	session_record(session, AUDIT_REVOKED, REASON_REVOKED,
	    reason_name(verdict->reason));
	session_close(session, REASON_REVOKED);
}

/* It goes on, by the limits of the rule that permits it now. */
static void
go_on(struct session *session)
{
	struct tunnel_settings limits = session_tunnel_settings(session);
	enum reason why;

	if (!session_limit_duration(session, &why)) {
		session_close(session, why);
		return;
	}
	if (session->tunnel != NULL)
		tunnel_limit(session->tunnel, &limits);
	review_in_time(session);
}

static struct verdict
judge_again(struct session *session)
{
	struct judge_context context = session_judge_context(session);
	struct request asked = session_request(session);

	return session->udp != NULL
		   ? judge_command(&context, &asked)
		   : judge_address(&context, &asked, &session->dialled.address);
}

static void
stay(struct session *session, const struct verdict *verdict)
{
	session_adopt_verdict(session, verdict);
	go_on(session);
}

static void
review(struct session *session)
{
	struct verdict verdict = judge_again(session);

	if (verdict.decision == DECISION_PERMIT) {
		stay(session, &verdict);
	} else if (verdict.reason == REASON_POLICY_UNAVAILABLE ||
		   verdict.reason == REASON_DIRECTORY_UNAVAILABLE) {
		review_in(session, RETRY_US);
	} else {
		revoke(session, &verdict);
	}
}

static void
on_subject(void *arg, enum reason reason, struct subject *subject)
{
	struct session *session = arg;

	session->lookup = NULL;
	if (reason != REASON_OK) {
		review_in(session, RETRY_US);
		return;
	}
	subject_unref(session->subject);
	session->subject = subject;
	session->has_subject = true;
	review(session);
}

/* New rules permit it by what is known of its user.  Ten thousand sessions are
 * not ten thousand questions to the directory then; only those who would lose
 * something are asked about, since a group may have come with the rules.  Of an
 * association one cannot say, which goes to many destinations. */
static bool
stays_without_asking(struct session *session)
{
	struct verdict verdict;

	if (!session->has_subject || session->udp != NULL)
		return false;
	verdict = judge_again(session);
	if (verdict.decision != DECISION_PERMIT)
		return false;
	stay(session, &verdict);
	return true;
}

void
session_review(struct session *session, bool ask_anew)
{
	if (!session->is_standing)
		return;
	session_udp_rules_changed(session);
	if (!worker_needs_subject(session->worker)) {
		review(session);
		return;
	}
	if (!ask_anew && stays_without_asking(session))
		return;
	/* One that is in flight may be older than what has changed. */
	lookup_cancel(session->lookup);
	session->lookup = lookup_start_of_standing(session->worker->lookups,
	    session->identity.name, on_subject, session);
	if (session->lookup == NULL)
		review_in(session, RETRY_US);
}

void
session_review_cancel(struct session *session)
{
	if (session->review != NULL)
		event_free(session->review);
	session->review = NULL;
}
