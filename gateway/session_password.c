/* SPDX-License-Identifier: ISC */
/* Proving who a client is by a name and a password: where that is allowed, by
 * which settings, and what counts against a source that fails. */
#include "gateway/session_private.h"

#include "auth/userpass.h"
#include "gateway/worker.h"

static bool
is_loopback(const struct address *address)
{
	static const struct network ipv4 = {
	    .base = {ADDRESS_IPV4, {127}}, .prefix_len = 8};
	static const struct network ipv6 = {
	    .base = {ADDRESS_IPV6, {[15] = 1}}, .prefix_len = 128};

	return network_has(&ipv4, address) || network_has(&ipv6, address);
}

/* Behind a load balancer the client is not on this host, whatever it says. */
static bool
is_local(const struct session *session)
{
	return session->via.address.family == ADDRESS_NONE &&
	       is_loopback(&session->client.address) &&
	       is_loopback(&session->listener->bind.address);
}

bool
session_may_use_password(const struct session *session)
{
	return session->is_tls || is_local(session) ||
	       settings_networks_have(&session->settings->cleartext_networks,
		   &session->client.address);
}

static struct budget
budget_of(uint64_t burst, uint64_t refill)
{
	return (struct budget){
	    .burst = (uint32_t)burst, .refill_us = refill * 1000000};
}

static struct throttle_budgets
budgets_of(const struct settings *s)
{
	return (struct throttle_budgets){
	    .pair = budget_of(s->password_pair_burst, s->password_pair_refill),
	    .name = budget_of(s->password_name_burst, s->password_name_refill),
	    .source =
		budget_of(s->password_source_burst, s->password_source_refill),
	};
}

/* The reply must have left before the session is cut. */
static unsigned
delay_max_ms(const struct settings *s)
{
	uint64_t half_ms = s->handshake_timeout * 1000 / 2;

	return (unsigned)(s->password_failure_delay_max < half_ms
			      ? s->password_failure_delay_max
			      : half_ms);
}

struct userpass *
session_start_userpass(struct session *session, userpass_done_fn *done)
{
	const struct settings *s = session->settings;
	struct userpass_policy policy = {
	    .realm = s->password_realm,
	    .name_max = s->password_name_max,
	    .lower_case = s->password_lower_case,
	    .delay_ms = (unsigned)s->password_failure_delay,
	    .delay_max_ms = delay_max_ms(s),
	    .wait_ms = (unsigned)s->password_timeout * 1000,
	    .budgets = budgets_of(s),
	};

	return userpass_start(session->bev, session->worker->passwords,
	    session->worker->shared->throttle, &policy,
	    &session->client.address, done, session);
}

/* Those of a client that tries what it has not got; not those that honest
 * ones meet, with old tickets or by a keytab that is out of date. */
static bool
is_failing_proof(enum reason reason)
{
	return reason == REASON_GSS_DEFECTIVE_TOKEN ||
	       reason == REASON_GSS_TOKEN_REPLAY ||
	       reason == REASON_GSS_ANONYMOUS || reason == REASON_GSS_ROUNDS;
}

void
session_blame_source(const struct session *session, enum reason reason)
{
	const struct throttle_budgets budgets = budgets_of(session->settings);

	if (is_failing_proof(reason))
		throttle_blame(session->worker->shared->throttle, &budgets,
		    &session->client.address);
}
