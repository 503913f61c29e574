/* SPDX-License-Identifier: ISC */
/*
 * Where an association's datagrams may go: each destination is judged,
 * resolved and recorded as that of a CONNECT is.
 */
#include "gateway/session_udp_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "gateway/judging.h"
#include "gateway/worker.h"
#include "relay/resolver.h"

/* Names of one client that are resolved at a time. */
#define NAMES_MAX 16
/* For a name that has no address just now, and for one of unknown TTL. */
#define NAME_US 5000000

/* A name of a destination that is being resolved. */
struct asked_name {
	TAILQ_ENTRY(asked_name) entry;
	struct session *session;
	struct resolution *resolution;
	struct endpoint asked;
	struct association_question question;
};

/* Where a destination leads, and for how long that is so. */
struct lead {
	const struct address *address; /* if it is permitted */
	struct judged judged;
	uint64_t expires_us;
};

/* At the end of what the verdict is valid for, all destinations are judged
 * again, also for what comes back from them. */
static void
keep_in_time(struct session *session, const struct verdict *verdict)
{
	struct session_udp *udp = session->udp;

	if (verdict->valid_until_us >= udp->valid_until_us)
		return;
	udp->valid_until_us = verdict->valid_until_us;
	session_review_in_time(session);
}

/* A permission is on record once for each address, a denial once a minute. */
static struct association_answer
conclude(struct session *session, const struct association_question *question,
    const struct verdict *verdict, const struct lead *lead)
{
	uint64_t now = clock_monotonic_us();
	struct association_answer answer = {
	    .ruling = RULING_PERMIT,
	    .expires_us = lead->expires_us,
	    .note = question->note,
	};

	keep_in_time(session, verdict);
	if (verdict->reason == REASON_OK) {
		answer.address = *lead->address;
		answer.told =
		    question->before != RULING_PERMIT ||
		    !address_is_equal(lead->address, &question->address);
		answer.note = 0;
		if (answer.told)
			session_udp_list(session->udp, question->asked);
	} else {
		answer.ruling = verdict->decision == DECISION_DENY
				    ? RULING_DENY
				    : RULING_NOWHERE;
		answer.told = question->note == 0 ||
			      now - question->note >= SESSION_UDP_RULING_US;
		if (answer.told)
			answer.note = now;
	}
	if (answer.told)
		session_udp_record_ruling(
		    session, question, verdict, lead->address, &lead->judged);
	return answer;
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
	struct lead lead = {.judged = {addresses, count},
	    .expires_us = name_expiry_us(session, question->asked->name)};
	size_t permitted_count;
	struct verdict verdict;

	must(count <= ARRAY_COUNT(permitted));
	verdict = judge_addresses(
	    &context, &asked, addresses, count, permitted, &permitted_count);
	if (permitted_count > 0) {
		lead.address = judging_choose(
		    permitted, permitted_count, &question->address);
		verdict = judge_address(&context, &asked, lead.address);
	}
	return conclude(session, question, &verdict, &lead);
}

static void
forget_name(struct session_udp *udp, struct asked_name *name)
{
	TAILQ_REMOVE(&udp->names, name, entry);
	udp->name_count--;
	resolution_cancel(name->resolution);
	free(name);
}

static struct association_answer
answer_of(struct session *session, const struct association_question *question,
    enum reason reason, const struct address *addresses, size_t count)
{
	struct verdict nowhere = {.decision = DECISION_DEPENDS,
	    .reason = reason,
	    .valid_until_us = UINT64_MAX,
	    .rule = "",
	    .reported = ""};
	struct association_answer busy = {
	    .ruling = RULING_BUSY, .note = question->note};
	struct lead lead = {.expires_us = clock_monotonic_us() + NAME_US};

	/* The rules may ask for groups since a moment ago. */
	if (session_awaits_subject(session))
		return busy;
	if (reason == REASON_OK)
		return conclude_name(session, question, addresses, count);
	if (reason == REASON_RESOLVER_BUSY || reason == REASON_NO_MEMORY)
		return busy;
	return conclude(session, question, &nowhere, &lead);
}

static void
on_resolved(void *arg, enum reason reason, const struct address *addresses,
    size_t count)
{
	struct asked_name *name = arg;
	struct session *session = name->session;
	struct endpoint asked = name->asked;
	struct association_answer answer;

	name->resolution = NULL;
	health_note_name(&session->worker->shared->names, reason);
	answer = answer_of(session, &name->question, reason, addresses, count);
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

struct association_answer
session_udp_judge(void *arg, const struct association_question *question)
{
	struct session *session = arg;
	struct request asked = session_request_to(session, question->asked);
	struct judge_context context = session_judge_context(session);
	struct association_answer answer = {
	    .ruling = RULING_BUSY, .note = question->note};
	struct lead lead = {
	    .address = &question->address, .expires_us = question->expires_us};
	struct verdict verdict;

	/* The rules may ask for groups since a moment ago. */
	if (session_awaits_subject(session))
		return answer;
	if (is_still_permitted(session, question, &verdict))
		return conclude(session, question, &verdict, &lead);
	verdict = judge_request(&context, &asked);
	lead.address = &question->asked->address;
	lead.expires_us = clock_monotonic_us() + SESSION_UDP_RULING_US;
	if (verdict.decision != DECISION_DEPENDS)
		return conclude(session, question, &verdict, &lead);
	answer.ruling = resolve(session, question);
	return answer;
}

void
session_udp_forget_names(struct session_udp *udp)
{
	while (!TAILQ_EMPTY(&udp->names))
		forget_name(udp, TAILQ_FIRST(&udp->names));
}
