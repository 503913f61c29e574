/* SPDX-License-Identifier: ISC */
/*
 * A session whose client exchanges datagrams (UDP ASSOCIATE): where they may
 * go, for how long, and what is on record of them.
 */
#include "gateway/session_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/seal.h"
#include "gateway/audit_sender.h"
#include "gateway/worker.h"
#include "relay/association.h"
#include "relay/datagrams.h"
#include "relay/resolver.h"

/* Names of one client that are resolved at a time. */
#define NAMES_MAX 16
/* What a client may say on a connection that only holds its association. */
#define CONTROL_OCTETS_MAX 65536
/* How long a ruling stands where the rules stay as they are, and how often a
 * denied destination is on record. */
#define RULING_US 60000000
/* For a name that has no address just now, and for one of unknown TTL. */
#define NAME_US 5000000

#define DESTINATIONS_LISTED_MAX 64
#define LIST_SIZE		1536
#define DROPS_SIZE		(AUDIT_DETAIL_SIZE - LIST_SIZE)

/* A name of a destination that is being resolved. */
struct asked_name {
	TAILQ_ENTRY(asked_name) entry;
	struct session *session;
	struct resolution *resolution;
	struct endpoint asked;
	struct association_question question;
};

struct session_udp {
	struct association *association;
	TAILQ_HEAD(, asked_name) names;
	size_t name_count;
	size_t control_octets;
	/* " 192.0.2.1:53 www.example.com:443": those that were permitted. */
	char list[LIST_SIZE];
	size_t list_len, listed;
	bool has_begun;
};

/* ---- the request */

enum reason
session_udp_check(const struct session *session)
{
	const struct endpoint *source = &session->asked.destination;
	static const struct address none[] = {
	    {.family = ADDRESS_IPV4}, {.family = ADDRESS_IPV6}};

	if (session->seal == NULL && !session->listener->allow_clear_udp)
		return REASON_UDP_CLEAR;
	/* RFC 1928 section 4: where it will send from, zeros for unknown; a
	 * name would narrow nothing. */
	if (source->kind == ENDPOINT_ADDRESS &&
	    !address_is_equal(&source->address, &none[0]) &&
	    !address_is_equal(&source->address, &none[1]) &&
	    !address_is_equal(&source->address, &session->client.address))
		return REASON_UDP_SOURCE;
	return REASON_OK;
}

/* The address at which the client reached us. */
static bool
local_address(const struct session *session, struct address *address)
{
	struct sockaddr_storage storage;
	struct socket_address local;
	socklen_t len = sizeof(storage);

	if (getsockname(bufferevent_getfd(session->bev),
		(struct sockaddr *)&storage, &len) < 0 ||
	    !socket_address_from((struct sockaddr *)&storage, len, &local))
		return false;
	*address = local.address;
	return true;
}

static struct association_answer
on_question(void *arg, const struct association_question *question);
static void on_notice(void *arg, const struct association_counts *so_far);

static void
on_done(void *arg, enum reason reason)
{
	session_close(arg, reason);
}

static struct association_settings
settings_of(const struct session *session, const struct address *local)
{
	const struct settings *settings = session->settings;

	return (struct association_settings){
	    .local = *local,
	    .port_min = (uint16_t)settings->udp_port_min,
	    .port_max = (uint16_t)settings->udp_port_max,
	    .client = {session->client.address,
		session->asked.destination.port},
	    .idle_ms = (unsigned)settings->udp_idle_timeout * 1000,
	    .destinations_max = (unsigned)settings->udp_destinations_max,
	    .new_max = (unsigned)settings->udp_destinations_rate,
	    .octets_max = settings->udp_rate_max,
	    .reassembly_octets =
		settings->udp_reassembly ? settings->udp_reassembly_max : 0,
	    .reassembly_timeout_ms =
		(unsigned)settings->udp_reassembly_timeout * 1000,
	};
}

enum reason
session_udp_prepare(struct session *session)
{
	const struct association_owner owner = {
	    on_question, on_notice, on_done, session};
	struct association_settings settings;
	struct session_udp *udp;
	struct address local;
	enum reason why;

	if (!local_address(session, &local))
		return REASON_CLIENT_ERROR;
	/* It has the client's connection and up to three sockets. */
	why = budgets_widen(session->worker->shared->budgets, &session->share);
	if (why != REASON_OK)
		return why;
	udp = calloc(1, sizeof(*udp));
	if (udp == NULL)
		return REASON_NO_MEMORY;
	TAILQ_INIT(&udp->names);
	settings = settings_of(session, &local);
	udp->association =
	    association_open(session->worker->base, &settings, &owner, &why);
	if (udp->association == NULL) {
		free(udp);
		return why;
	}
	session->udp = udp;
	session->egress = association_bound(udp->association);
	return REASON_OK;
}

void
session_udp_reply(struct session *session)
{
	struct socket_address told = session->egress;
	const struct address *advertise =
	    &session->listener->udp_advertise_address;

	session_record(session, AUDIT_OPEN, REASON_OK, "");
	if (advertise->family != ADDRESS_NONE)
		told.address = *advertise;
	session_reply(session, &told);
}

/* ---- where datagrams may go */

static bool
is_listed(const struct session_udp *udp, const char *text, size_t len)
{
	const char *found = udp->list;

	while ((found = strstr(found, text)) != NULL) {
		if (found[len] == ' ' || found[len] == '\0')
			return true;
		found += len;
	}
	return false;
}

/* Puts a permitted destination on the summary's list, once. */
static void
list(struct session_udp *udp, const struct endpoint *asked)
{
	char text[ENDPOINT_TEXT_SIZE + 1] = " ";
	size_t len;

	(void)endpoint_print(asked, text + 1);
	len = strlen(text);
	if (udp->listed == DESTINATIONS_LISTED_MAX ||
	    len >= sizeof(udp->list) - udp->list_len ||
	    is_listed(udp, text, len))
		return;
	memcpy(udp->list + udp->list_len, text, len + 1);
	udp->list_len += len;
	udp->listed++;
}

static void
record_ruling(struct session *session,
    const struct association_question *question, const struct verdict *verdict,
    const struct address *address)
{
	struct socket_address leads_to = {.port = question->asked->port};
	char detail[64] = "";

	if (verdict->reason == REASON_OK)
		leads_to.address = *address;
	else
		leads_to.port = 0;
	if (question->refused > 0)
		(void)snprintf(detail, sizeof(detail),
		    "%" PRIu64 " datagrams were dropped before",
		    question->refused);
	session_record_destination(
	    session, verdict, question->asked, &leads_to, detail);
}

/* A permission is on record once, a denial once a minute. */
static struct association_answer
conclude(struct session *session, const struct association_question *question,
    const struct verdict *verdict, const struct address *address,
    uint64_t expires_us)
{
	uint64_t now = clock_monotonic_us();
	struct association_answer answer = {
	    .ruling = RULING_PERMIT,
	    .expires_us = expires_us,
	    .note = question->note,
	};

	if (verdict->reason == REASON_OK) {
		answer.address = *address;
		answer.told = question->before != RULING_PERMIT;
		answer.note = 0;
		list(session->udp, question->asked);
	} else {
		answer.ruling = verdict->decision == DECISION_DENY
				    ? RULING_DENY
				    : RULING_NOWHERE;
		answer.told =
		    question->note == 0 || now - question->note >= RULING_US;
		if (answer.told)
			answer.note = now;
	}
	if (answer.told)
		record_ruling(session, question, verdict, address);
	return answer;
}

/*
 * The address that it led to before, if it still may; else the first that
 * may and that there is a way to.
 */
static const struct address *
choose(
    const struct address *addresses, size_t count, const struct address *before)
{
	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&addresses[i], before))
			return &addresses[i];
	for (size_t i = 0; i < count; i++)
		if (datagrams_has_route(&addresses[i]))
			return &addresses[i];
	return &addresses[0];
}

static uint64_t
name_expiry_us(struct session *session, const char *name)
{
	uint64_t least = clock_monotonic_us() + NAME_US;
	uint64_t expiry = resolver_expiry_us(session->worker->resolver, name);

	return expiry > least ? expiry : least;
}

static struct association_answer
conclude_name(struct session *session,
    const struct association_question *question,
    const struct address *addresses, size_t count)
{
	struct request asked = session_request_to(session, question->asked);
	struct judge_context context = session_judge_context(session);
	struct address permitted[RESOLVER_ADDRESSES_MAX];
	const struct address *chosen = NULL;
	size_t permitted_count = 0;
	struct verdict verdict = {.rule = ""};

	for (size_t i = 0; i < count && i < ARRAY_COUNT(permitted); i++) {
		verdict = judge_address(&context, &asked, &addresses[i]);
		if (verdict.decision == DECISION_PERMIT)
			permitted[permitted_count++] = addresses[i];
	}
	if (permitted_count > 0) {
		chosen = choose(permitted, permitted_count, &question->address);
		verdict = judge_address(&context, &asked, chosen);
	}
	return conclude(session, question, &verdict, chosen,
	    name_expiry_us(session, question->asked->name));
}

static void
forget_name(struct session_udp *udp, struct asked_name *name)
{
	TAILQ_REMOVE(&udp->names, name, entry);
	udp->name_count--;
	resolution_cancel(name->resolution);
	free(name);
}

static void
on_resolved(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct asked_name *name = arg;
	struct session *session = name->session;
	struct verdict nowhere = {DECISION_DEPENDS, reason, ""};
	struct association_answer answer = {
	    .ruling = RULING_BUSY, .note = name->question.note};
	struct endpoint asked = name->asked;

	name->resolution = NULL;
	if (reason == REASON_OK)
		answer =
		    conclude_name(session, &name->question, addresses, count);
	else if (reason != REASON_RESOLVER_BUSY && reason != REASON_NO_MEMORY)
		answer = conclude(session, &name->question, &nowhere, NULL,
		    clock_monotonic_us() + NAME_US);
	forget_name(session->udp, name);
	association_answer(session->udp->association, &asked, &answer);
}

static enum ruling
resolve(struct session *session, const struct association_question *question)
{
	struct session_udp *udp = session->udp;
	struct asked_name *name;

	if (udp->name_count == NAMES_MAX)
		return RULING_BUSY;
	name = calloc(1, sizeof(*name));
	if (name == NULL)
		return RULING_BUSY;
	name->session = session;
	name->asked = *question->asked;
	name->question = *question;
	name->question.asked = &name->asked;
	name->resolution = resolution_start(session->worker->resolver,
	    question->asked->name, on_resolved, name);
	if (name->resolution == NULL) {
		free(name);
		return RULING_BUSY;
	}
	TAILQ_INSERT_TAIL(&udp->names, name, entry);
	udp->name_count++;
	return RULING_WAIT;
}

/* By where it leads already, if that may still be. */
static bool
is_still_permitted(struct session *session,
    const struct association_question *question, struct verdict *verdict)
{
	struct request asked = session_request_to(session, question->asked);
	struct judge_context context = session_judge_context(session);

	if (question->has_expired || question->address.family == ADDRESS_NONE)
		return false;
	*verdict = judge_address(&context, &asked, &question->address);
	return verdict->decision == DECISION_PERMIT;
}

static struct association_answer
on_question(void *arg, const struct association_question *question)
{
	struct session *session = arg;
	struct request asked = session_request_to(session, question->asked);
	struct judge_context context = session_judge_context(session);
	struct association_answer answer = {
	    .ruling = RULING_BUSY, .note = question->note};
	struct verdict verdict;

	/* The rules may ask for groups since a moment ago. */
	if (session_awaits_subject(session))
		return answer;
	if (is_still_permitted(session, question, &verdict))
		return conclude(session, question, &verdict, &question->address,
		    question->expires_us);
	verdict = judge_request(&context, &asked);
	if (verdict.decision != DECISION_DEPENDS)
		return conclude(session, question, &verdict,
		    &question->asked->address,
		    clock_monotonic_us() + RULING_US);
	answer.ruling = resolve(session, question);
	return answer;
}

void
session_udp_rules_changed(struct session *session)
{
	if (session->udp != NULL)
		association_rules_changed(session->udp->association);
}

/* ---- the relay, and the connection that holds it */

static void
on_control_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	/* RFC 1928 section 7: its end is the association's. */
	if ((what & BEV_EVENT_EOF) != 0)
		session_close(arg, REASON_OK);
	else if (errno == ECONNRESET)
		session_close(arg, REASON_CLIENT_RESET);
	else
		session_close(arg, REASON_CLIENT_ERROR);
}

/* Nothing is to be said there: it is not looked at. */
static void
on_control_octets(struct bufferevent *bev, void *arg)
{
	struct session *session = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	must(evbuffer_drain(input, len) == 0);
	session->udp->control_octets += len;
	if (session->udp->control_octets > CONTROL_OCTETS_MAX)
		session_close(session, REASON_UDP_CONTROL);
}

/* The reply was the last message that had to come in order. */
static enum reason
begin(struct session *session)
{
	struct seal *seal = session->seal;
	enum reason reason = REASON_OK;

	if (seal != NULL)
		reason = seal_into_datagram(seal);
	if (reason != REASON_OK)
		return reason;
	session->seal = NULL;
	session->udp->has_begun = true;
	return association_start(session->udp->association, seal);
}

void
session_udp_relay(struct session *session)
{
	enum reason why = begin(session);

	if (why != REASON_OK) {
		session_close(session, why);
		return;
	}
	bufferevent_setcb(
	    session->bev, on_control_octets, NULL, on_control_event, session);
	if (bufferevent_enable(session->bev, EV_READ) != 0)
		session_close(session, REASON_NO_MEMORY);
	else if (evbuffer_get_length(bufferevent_get_input(session->bev)) > 0)
		on_control_octets(session->bev, session);
}

/* ---- the end */

/* "dropped: source 3, replay 1; sent to: 192.0.2.1:53", and how many in
 * all were dropped. */
static uint64_t
print_drops(
    const struct association_counts *counts, char out[AUDIT_DETAIL_SIZE])
{
	uint64_t all = 0;
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < DROP_COUNT; i++) {
		if (counts->drops[i] == 0)
			continue;
		len += (size_t)snprintf(out + len, DROPS_SIZE - len,
		    "%s%s %" PRIu64, all == 0 ? "dropped: " : ", ",
		    association_drop_name((enum association_drop)i),
		    counts->drops[i]);
		must(len < DROPS_SIZE);
		all += counts->drops[i];
	}
	return all;
}

static struct audit_record
begin_counts(const struct session *session, enum audit_event event,
    const struct association_counts *counts)
{
	struct audit_record record =
	    session_begin_record(session, event, REASON_OK, "");

	record.dropped = print_drops(counts, record.detail);
	record.datagrams_to_target = counts->datagrams_to_target;
	record.datagrams_to_client = counts->datagrams_to_client;
	record.bytes_to_target = counts->bytes_to_target;
	record.bytes_to_client = counts->bytes_to_client;
	record.duration_us = clock_monotonic_us() - session->opened_us;
	return record;
}

static void
on_notice(void *arg, const struct association_counts *so_far)
{
	const struct session *session = arg;
	struct audit_record record =
	    begin_counts(session, AUDIT_UDP_DROPS, so_far);

	record.failed = true;
	audit_sender_write(session->worker->audit, &record);
}

static void
record_summary(
    const struct session *session, const struct association_counts *counts)
{
	const struct session_udp *udp = session->udp;
	struct audit_record record =
	    begin_counts(session, AUDIT_UDP_SUMMARY, counts);

	if (udp->listed > 0) {
		(void)strlcat(record.detail,
		    record.dropped > 0 ? "; sent to:" : "sent to:",
		    sizeof(record.detail));
		(void)strlcat(record.detail, udp->list, sizeof(record.detail));
	}
	audit_sender_write(session->worker->audit, &record);
}

void
session_udp_end(struct session *session)
{
	struct session_udp *udp = session->udp;
	struct association_counts counts;

	if (udp == NULL)
		return;
	association_close(udp->association, &counts);
	while (!TAILQ_EMPTY(&udp->names))
		forget_name(udp, TAILQ_FIRST(&udp->names));
	session->counts.to_target = counts.bytes_to_target;
	session->counts.to_client = counts.bytes_to_client;
	if (udp->has_begun)
		record_summary(session, &counts);
	session->udp = NULL;
	free(udp);
}
