/* SPDX-License-Identifier: ISC */
/*
 * The verdict of a session that stands, as long as it does: judged again when
 * the rules change, when the directory says something else of its client, and
 * when the passing of time could change it.
 *
 * What is not permitted any more ends at once.  Where the directory says
 * nothing, it goes on: an outage revokes nobody.  But time alone may.
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

static uint64_t
lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Until the verdict, or one on a destination, is not valid any more; just
 * past that. */
static uint64_t
valid_for_us(const struct session *session)
{
	uint64_t until_us = lesser(session->verdict.valid_until_us,
	    session_udp_valid_until_us(session));
	uint64_t now_us = clock_wall_us();

	if (until_us == UINT64_MAX)
		return UINT64_MAX;
	if (until_us <= now_us)
		return 0;
	return lesser(until_us - now_us, LATEST_US - 1000) + 1000;
}

static uint64_t
due_in_us(const struct session *session)
{
	uint64_t now_us = clock_monotonic_us();

	if (session->review_due_us == 0)
		return UINT64_MAX;
	return session->review_due_us > now_us ? session->review_due_us - now_us
					       : 0;
}

void
session_review_in_time(struct session *session)
{
	uint64_t after_us = lesser(valid_for_us(session), due_in_us(session));
	struct timeval after;

	if (session->review == NULL)
		return;
	if (after_us == UINT64_MAX) {
		(void)evtimer_del(session->review);
		return;
	}
	after = timeval_us(after_us);
	(void)evtimer_add(session->review, &after);
}

static void
retry(struct session *session)
{
	if (session->review_due_us == 0) /* nothing has changed meanwhile */
		session->review_due_us = clock_monotonic_us() + RETRY_US;
	session_review_in_time(session);
}

static void
revoke(struct session *session, const struct verdict *verdict)
{
	session->generation_before = ruleset_generation(session->rules);
	session_tally_rule(session);
	session_keep_verdict(session, verdict);
	session_record(session, AUDIT_REVOKED, REASON_REVOKED,
	    reason_name(verdict->reason));
	session_close(session, REASON_REVOKED);
}

static struct verdict
judge_by(struct session *session, const struct judge_context *context)
{
	struct request asked = session_request(session);

	if (session->udp != NULL)
		return judge_command(context, &asked);
	if (session->bind != NULL)
		return session_bind_judge(session, context);
	return judge_address(context, &asked, &session->dialled.address);
}

static struct verdict
judge_again(struct session *session)
{
	struct judge_context context = session_judge_context(session);

	return judge_by(session, &context);
}

/* It is not known whether it may. */
static bool
is_open(const struct verdict *verdict)
{
	return verdict->reason == REASON_POLICY_UNAVAILABLE ||
	       verdict->reason == REASON_DIRECTORY_UNAVAILABLE;
}

/* However long the directory has been silent; what they say stands until they
 * say something else. */
static bool
is_denied_by(struct session *session, const struct ruleset *rules,
    struct verdict *verdict)
{
	struct judge_context context = session_judge_context(session);

	context.rules = rules;
	*verdict = judge_by(session, &context);
	session->verdict.valid_until_us = verdict->valid_until_us;
	return verdict->decision != DECISION_PERMIT && !is_open(verdict);
}

/*
 * A grant that ends does so at its time, whether the directory answers or not:
 * neither the rules that let it in nor those in force permit it by what is
 * known of its user.  The latter's verdict is filled in.
 */
static bool
has_ended(struct session *session, struct verdict *verdict)
{
	return session->verdict.valid_until_us <= clock_wall_us() &&
	       is_denied_by(session, session->rules, verdict) &&
	       is_denied_by(session, session->worker->rules, verdict);
}

static void
on_review(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;
	struct verdict verdict;

	(void)fd;
	(void)what;
	session->review_due_us = 0;
	if (has_ended(session, &verdict)) {
		revoke(session, &verdict);
		return;
	}
	session_udp_rules_changed(session);
	session_review_in_time(session);
	session_review(session, true);
}

enum reason
session_stand(struct session *session)
{
	if (session->review == NULL)
		session->review =
		    evtimer_new(session->worker->base, on_review, session);
	if (session->review == NULL)
		return REASON_NO_MEMORY;
	session->is_standing = true;
	session_interim_begin(session);
	session_review_in_time(session);
	return REASON_OK;
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
	session_review_in_time(session);
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
	} else if (is_open(&verdict)) {
		retry(session);
	} else {
		revoke(session, &verdict);
	}
}

static void
on_subject(void *arg, enum reason reason, struct subject *subject)
{
	struct session *session = arg;

	session->lookup = NULL;
	session->is_asked_again = false;
	if (reason != REASON_OK) {
		retry(session);
		return;
	}
	subject_unref(session->subject);
	session->subject = subject;
	session->has_subject = true;
	/* Until now destinations were judged by what was known before. */
	session_udp_rules_changed(session);
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
	if (!session->is_standing) {
		session->review_due_us = clock_monotonic_us();
		return;
	}
	session_udp_rules_changed(session);
	if (!worker_needs_subject(session->worker)) {
		session->review_due_us = 0;
		review(session);
		return;
	}
	if (!ask_anew && stays_without_asking(session))
		return;
	/* One that is in flight may be older than what has changed.  It is
	 * waited for all the same, since changes may follow each other faster
	 * than the directory answers. */
	if (session->lookup != NULL && session->is_asked_again) {
		session->review_due_us = clock_monotonic_us();
		return;
	}
	session->review_due_us = 0;
	lookup_cancel(session->lookup);
	session->is_asked_again = true;
	session->lookup = lookup_start_of_standing(session->worker->lookups,
	    session->identity.name, on_subject, session);
	if (session->lookup == NULL)
		retry(session);
}

void
session_review_pause(struct session *session)
{
	session->is_standing = false;
	(void)evtimer_del(session->review);
	if (session->lookup != NULL)
		session->review_due_us = clock_monotonic_us();
	lookup_cancel(session->lookup);
	session->lookup = NULL;
	session->is_asked_again = false;
}

void
session_review_cancel(struct session *session)
{
	if (session->review != NULL)
		event_free(session->review);
	session->review = NULL;
}
