/* SPDX-License-Identifier: ISC */
/* What the policy says of a session: what is asked of it, by which rules,
 * and the verdict that stands. */
#include "gateway/session_private.h"

#include <string.h>

#include "base/clock.h"
#include "gateway/judging.h"
#include "gateway/rule_uses.h"
#include "gateway/worker.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "relay/dialler.h"

struct judge_context
session_judge_context(struct session *session)
{
	const struct worker *worker = session->worker;
	const struct judging judging = {
	    .shared = worker->shared,
	    .settings = session->settings,
	    .rules = worker->rules,
	    .own = &worker->own,
	};

	return judging_context(&judging, session->subject, &session->is_stale);
}

enum protection
session_protection(const struct session *session)
{
	return judging_protection(
	    session->is_tls, session->asked.command, session->protection);
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
	    .time_us = clock_wall_us(),
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

/* The lesser of two limits, of which 0 is none. */
static uint64_t
lesser(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t
session_lifetime_s(const struct session *session)
{
	const struct rule_limits *limits = session->verdict.limits;

	return lesser(session->settings->lifetime,
	    limits == NULL ? 0 : limits->max_duration_s);
}

struct tunnel_settings
session_tunnel_settings(const struct session *session)
{
	const struct settings *settings = session->settings;
	uint64_t idle_s = lesser(
	    settings->idle_timeout, session->verdict.limits->idle_timeout_s);

	return (struct tunnel_settings){
	    .idle_ms = idle_s * 1000,
	    .half_close_ms = settings->half_close_timeout * 1000,
	    .rate = rule_uses_rate(
		session->worker->shared->rule_uses, session->rule_use),
	};
}

struct dial_target
session_dial_target(struct session *session, const struct address *address)
{
	struct verdict verdict = session_judge(session, address);
	struct dial_target target = {.address = *address};

	if (verdict.limits != NULL)
		target.source = verdict.limits->egress;
	return target;
}

enum reason
session_use_rule(struct session *session)
{
	const struct verdict *verdict = &session->verdict;

	return rule_uses_take(session->worker->shared->rule_uses, verdict->rule,
	    session->identity.name, verdict->limits, &session->rule_use);
}

/* Another rule permits it now, or the same with other limits: its use for the
 * one in hand. */
static enum reason
change_use(struct session *session, const struct verdict *verdict)
{
	struct rule_uses *uses = session->worker->shared->rule_uses;
	struct rule_use *taken;
	enum reason reason;

	if (session->rule_use != NULL &&
	    strcmp(verdict->rule, session->verdict.rule) == 0) {
		rule_uses_adjust(uses, session->rule_use, verdict->limits);
		return REASON_OK;
	}
	reason = rule_uses_take(uses, verdict->rule, session->identity.name,
	    verdict->limits, &taken);
	if (reason != REASON_OK)
		return reason;
	rule_uses_give(uses, session->rule_use);
	session->rule_use = taken;
	return REASON_OK;
}

void
session_adopt_verdict(struct session *session, const struct verdict *verdict)
{
	enum reason too_many = change_use(session, verdict);

	/* Who is in stays in, with what it has. */
	(void)too_many;
	session_keep_verdict(session, verdict);
}

enum reason
session_settle_verdict(struct session *session)
{
	struct verdict verdict =
	    session_judge(session, &session->dialled.address);
	enum reason reason = verdict.reason;

	if (verdict.decision == DECISION_PERMIT)
		reason = change_use(session, &verdict);
	if (reason == REASON_OK)
		session_keep_verdict(session, &verdict);
	return reason;
}
