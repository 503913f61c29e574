/* SPDX-License-Identifier: ISC */
/* A session's audit records: what it knows, put into the record's fields. */
#include "gateway/session_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "gateway/audit_sender.h"
#include "gateway/worker.h"
#include "policy/ruleset.h"
#include "relay/resolver.h"

static void
put_identity(const struct session *session, struct audit_record *record)
{
	record->is_claimed = !session->is_proved;
	if (!session->is_proved && !session->settings->audit_failed_names)
		return;
	(void)strlcpy(
	    record->identity, session->identity.name, sizeof(record->identity));
	if (!session->is_proved)
		return;
	record->has_method = true;
	record->method = session->identity.method;
	(void)strlcpy(record->mechanism, session->identity.mechanism,
	    sizeof(record->mechanism));
	(void)strlcpy(record->indicators, session->identity.indicators,
	    sizeof(record->indicators));
	record->has_protection = true;
	record->protection = session_protection(session);
}

/* Who the client's certificate names proves nobody, and is known to all. */
static void
put_tls(const struct session *session, struct audit_record *record)
{
	size_t len = strlen(record->detail);

	(void)strlcpy(record->tls, session->tls.version, sizeof(record->tls));
	if (record->event == AUDIT_AUTH && session->tls.subject[0] != '\0')
		(void)snprintf(record->detail + len,
		    sizeof(record->detail) - len, "%sclient certificate %s",
		    len > 0 ? "; " : "", session->tls.subject);
}

static void
put_request(const struct session *session, struct audit_record *record)
{
	const struct front_request *asked = &session->asked;

	record->command = (uint8_t)asked->command;
	record->asked_len = asked->asked_len;
	memcpy(record->asked, asked->asked, asked->asked_len);
	/* Of UDP ASSOCIATE it is where the client will send from, if it
	 * knows. */
	record->has_destination =
	    session->has_request &&
	    !(asked->command == COMMAND_UDP &&
		endpoint_is_unspecified(&asked->destination));
	record->destination = asked->destination;
}

/* What those rules said. */
static void
put_verdict(const struct session *session, const struct ruleset *rules,
    const struct verdict *verdict, struct audit_record *record)
{
	record->generation = rules == NULL ? 0 : ruleset_generation(rules);
	record->stale = session->is_stale;
	(void)strlcpy(record->rule, verdict->rule, sizeof(record->rule));
	(void)strlcpy(
	    record->reported, verdict->reported, sizeof(record->reported));
	record->would_permit = verdict->would_permit;
}

static void
put_decision(const struct session *session, struct audit_record *record)
{
	if (session->rules == NULL)
		return;
	put_verdict(session, session->rules, &session->verdict, record);
	if (record->event == AUDIT_REVOKED)
		record->generation_before = session->generation_before;
}

/* How much, and how long, so far or in the end. */
static void
put_amounts(const struct session *session, struct audit_record *record)
{
	const struct tunnel_counts counts = session_count(session);

	record->bytes_to_target = counts.to_target;
	record->bytes_to_client = counts.to_client;
	record->duration_us = clock_monotonic_us() - session->opened_us;
}

bool
session_is_health_check(const struct session *session, enum reason reason)
{
	return session->is_of_balancer && !session->is_proved &&
	       (reason == REASON_CLIENT_CLOSED ||
		   reason == REASON_CLIENT_RESET);
}

struct audit_record
session_begin_record(const struct session *session, enum audit_event event,
    enum reason reason, const char *detail)
{
	struct audit_record record = {
	    .event = event,
	    .reason = reason,
	    /* To go away before the proof is no error, but no proof. */
	    .failed = reason_is_error(reason) ||
		      (event == AUDIT_AUTH && !session->is_proved),
	    .session = session->id,
	    .client = session->client,
	    .via = session->via,
	    .dialled = session->dialled,
	    .egress = session->egress,
	};

	(void)strlcpy(
	    record.listener, session->listener->name, sizeof(record.listener));
	(void)strlcpy(record.detail, detail, sizeof(record.detail));
	put_tls(session, &record);
	put_identity(session, &record);
	put_request(session, &record);
	put_decision(session, &record);
	if (event == AUDIT_AUTH || event == AUDIT_CLOSE)
		record.hint = hint_find(&session->facts, reason);
	return record;
}

void
session_record(const struct session *session, enum audit_event event,
    enum reason reason, const char *detail)
{
	struct audit_record record;

	if (session_is_health_check(session, reason))
		return;
	record = session_begin_record(session, event, reason, detail);
	if (event == AUDIT_CLOSE || event == AUDIT_INTERIM)
		put_amounts(session, &record);
	audit_sender_write(session->worker->audit, &record);
}

_Static_assert(RESOLVER_ADDRESSES_MAX <= AUDIT_ADDRESSES_MAX,
    "what was judged is on record");

static void
put_judged(const struct judged *judged, struct audit_record *record)
{
	must(judged->count <= ARRAY_COUNT(record->addresses));
	record->address_count = (uint8_t)judged->count;
	for (size_t i = 0; i < judged->count; i++)
		record->addresses[i] = judged->addresses[i];
}

void
session_record_decision(const struct session *session, enum reason reason,
    const struct judged *judged)
{
	struct audit_record record =
	    session_begin_record(session, AUDIT_DECISION, reason, "");

	put_judged(judged, &record);
	audit_sender_write(session->worker->audit, &record);
	session_tally_decision(session);
}

void
session_record_destination(const struct session *session,
    const struct verdict *verdict,
    const struct session_destination *destination, const char *detail)
{
	struct audit_record record = session_begin_record(
	    session, AUDIT_DECISION, verdict->reason, detail);

	record.asked_len = 0;
	record.has_destination = true;
	record.destination = *destination->asked;
	record.dialled = destination->leads_to;
	put_judged(&destination->judged, &record);
	put_verdict(session, session->worker->rules, verdict, &record);
	audit_sender_write(session->worker->audit, &record);
}

void
session_record_caller(const struct session *session, enum reason reason,
    const struct verdict *verdict, const struct socket_address *caller)
{
	struct audit_record record =
	    session_begin_record(session, AUDIT_BIND_PEER, reason, "");

	record.dialled = *caller;
	if (verdict != NULL)
		put_verdict(session, session->worker->rules, verdict, &record);
	audit_sender_write(session->worker->audit, &record);
}

const char *
session_who(const struct session *session, char out[SESSION_WHO_SIZE])
{
	char name[256] = "-";
	char client[SOCKET_ADDRESS_TEXT_SIZE];

	if (session->is_proved)
		(void)text_quote(name, sizeof(name), session->identity.name,
		    strlen(session->identity.name));
	(void)snprintf(out, SESSION_WHO_SIZE, "[s:%" PRIu64 " %s %s]",
	    session->id, name, socket_address_print(&session->client, client));
	return out;
}
