/* SPDX-License-Identifier: ISC */
/* What is counted of a session, for who watches us (control_metrics.c). */
#include "gateway/session_private.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "gateway/counters.h"
#include "gateway/latency.h"
#include "gateway/rule_totals.h"
#include "gateway/worker.h"

void
session_tally_proof(const struct session *session)
{
	if (session->tried != METHOD_NONE)
		latency_note(
		    &session->worker->shared->handshakes[session->tried],
		    clock_monotonic_us() - session->opened_us);
}

void
session_tally_decision(const struct session *session)
{
	/* What was no request has not been waited for. */
	if (session->has_request)
		latency_note(&session->worker->shared->decisions,
		    clock_monotonic_us() - session->asked_us);
}

void
session_tally_rule(const struct session *session)
{
	const struct tunnel_counts counts = session_count(session);

	if (session->rules != NULL &&
	    session->verdict.decision == DECISION_PERMIT)
		rule_totals_add(session->worker->shared->rule_totals,
		    session->verdict.rule, counts.to_target, counts.to_client);
}

void
session_tally_end(const struct session *session, enum reason reason)
{
	struct shared *shared = session->worker->shared;

	session_tally_rule(session);
	if (session->tried != METHOD_NONE)
		(void)atomic_fetch_add(
		    &shared->proofs[session->tried][session->is_proved], 1);
	if (session_is_health_check(session, reason))
		counters_add(&shared->counters, COUNTER_HEALTH_CHECKS);
	else
		counters_add_end(&shared->counters, reason);
}
