/* SPDX-License-Identifier: ISC */
/* What the policy says of a session: what is asked of it, by which rules,
 * and the verdict that stands. */
#include "gateway/session_private.h"

#include "base/clock.h"
#include "gateway/worker.h"
#include "policy/ruleset.h"

struct judge_context
session_judge_context(struct session *session)
{
	struct worker *worker = session->worker;
	uint64_t stale_max_us = session->settings->stale_max * 1000000;
	uint64_t confirmed_us = atomic_load(&worker->shared->confirmed_us);
	struct judge_context context = {
	    .rules = worker->rules,
	    .subject = session->subject,
	    .own = &worker->own,
	};

	session->is_stale = !atomic_load(&worker->shared->directory_up);
	if (session->is_stale && confirmed_us + stale_max_us < clock_wall_us())
		context.rules = NULL;
	return context;
}

enum protection
session_protection(const struct session *session)
{
	if (session->is_tls && session->asked.command != COMMAND_UDP &&
	    session->protection < PROTECTION_CONFIDENTIALITY)
		return PROTECTION_CONFIDENTIALITY;
	return session->protection;
}

struct request
session_request_to(
    const struct session *session, const struct endpoint *destination)
{
	return (struct request){
	    .identity = &session->identity,
	    .command = session->asked.command,
	    .destination = *destination,
	    .client = session->client,
	    .listener = session->listener->name,
	    .protection = session_protection(session),
	};
}

struct request
session_request(const struct session *session)
{
	return session_request_to(session, &session->asked.destination);
}

struct verdict
session_judge(struct session *session, const struct address *address)
{
	struct judge_context context = session_judge_context(session);
	struct request asked = session_request(session);

	return judge_address(&context, &asked, address);
}

void
session_keep_verdict(struct session *session, const struct verdict *verdict)
{
	ruleset_unref(session->rules);
	session->rules = NULL;
	if (session->worker->rules != NULL)
		session->rules = ruleset_ref(session->worker->rules);
	session->verdict = *verdict;
}

void
session_settle_verdict(struct session *session)
{
	struct judge_context context = {
	    .rules = session->rules,
	    .subject = session->subject,
	    .own = &session->worker->own,
	};
	struct request asked = session_request(session);
	struct verdict verdict =
	    judge_address(&context, &asked, &session->dialled.address);

	if (verdict.decision == DECISION_PERMIT)
		session->verdict = verdict;
}
