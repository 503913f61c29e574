/* SPDX-License-Identifier: ISC */
/*
 * One worker thread's links to the authenticators, and the contexts that are
 * being established over them.
 */
#include "auth/authenticators.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "auth/authenticator_protocol.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/wire.h"

/* Asked of one that was silent; it answers when it goes on. */
#define PROBE_TIMEOUT_MS (60 * 60 * 1000)

struct member {
	TAILQ_ENTRY(member) entry;
	struct authenticators *pool;
	uint32_t index;
	struct link *link; /* NULL: dead, until it is linked anew */
	unsigned outstanding;
	struct question *probe; /* it was silent and has not answered yet */
	TAILQ_HEAD(acceptance_list, acceptance) acceptances;
};

struct authenticators {
	struct event_base *base;
	unsigned timeout_ms;
	uint64_t acceptance_count;
	TAILQ_HEAD(, member) members;
	uint8_t message[ACCEPT_QUESTION_MAX];
};

struct acceptance {
	TAILQ_ENTRY(acceptance) entry; /* of member, if there is one */
	struct member *member;
	uint64_t number;
	bool is_held; /* the authenticator may have a half-made context */
	struct question *question;
	struct event *later; /* says `reason` */
	enum reason reason;
	acceptance_done_fn *done;
	void *arg;
};

/* ---- the members ---- */

static void
on_unasked(void *arg, struct link_message *message)
{
	/* An authenticator says nothing unasked; a late answer ends here if
	 * the question is not known any more. */
	(void)arg;
	(void)message;
}

static const struct link_handler handlers[] = {
    {ACCEPT_ANSWER, 1, ACCEPT_ANSWER_MAX, on_unasked},
    {ACCEPT_ALIVE, 0, 0, on_unasked},
    {.handle = NULL},
};

static void
part(struct acceptance *acceptance)
{
	if (acceptance->member == NULL)
		return;
	TAILQ_REMOVE(&acceptance->member->acceptances, acceptance, entry);
	acceptance->member = NULL;
}

static void
disconnect(struct member *member)
{
	struct link *link = member->link;
	struct acceptance *acceptance;

	member->link = NULL;
	question_cancel(member->probe);
	member->probe = NULL;
	link_free(link); /* the questions fail in here */
	while ((acceptance = TAILQ_FIRST(&member->acceptances)) != NULL)
		part(acceptance);
	member->outstanding = 0;
}

static void
on_closed(void *arg)
{
	disconnect(arg);
}

static void probe(struct member *member);

static void
on_probed(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct member *member = arg;

	(void)answer;
	member->probe = NULL;
	if (outcome == ANSWER_TIMEOUT)
		probe(member);
	else if (outcome == ANSWER_GIVEN)
		log_info(NULL, "authenticator %u answers again",
		    (unsigned)member->index);
}

/* From here on it gets no tokens until it has answered. */
static void
probe(struct member *member)
{
	if (member->probe == NULL && member->link != NULL)
		member->probe = question_start(member->link, ACCEPT_PROBE, NULL,
		    0, PROBE_TIMEOUT_MS, on_probed, member);
}

static struct member *
find_or_add(struct authenticators *pool, uint32_t index)
{
	struct member *member;

	TAILQ_FOREACH (member, &pool->members, entry) {
		if (member->index == index)
			return member;
	}
	member = calloc(1, sizeof(*member));
	if (member == NULL)
		return NULL;
	member->pool = pool;
	member->index = index;
	TAILQ_INIT(&member->acceptances);
	TAILQ_INSERT_TAIL(&pool->members, member, entry);
	return member;
}

void
authenticators_link(struct authenticators *pool, uint32_t index, int fd)
{
	struct member *member = find_or_add(pool, index);

	if (member != NULL) {
		disconnect(member);
		member->link =
		    link_new(pool->base, fd, handlers, on_closed, member);
	} else {
		(void)close(fd);
	}
	if (member == NULL || member->link == NULL)
		log_error(NULL, "authenticator %u cannot be linked: %s",
		    (unsigned)index, strerror(errno));
}

struct authenticators *
authenticators_new(struct event_base *base, unsigned timeout_ms)
{
	struct authenticators *pool = malloc(sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->base = base;
	pool->timeout_ms = timeout_ms;
	pool->acceptance_count = 0;
	TAILQ_INIT(&pool->members);
	return pool;
}

void
authenticators_free(struct authenticators *pool)
{
	struct member *member;

	if (pool == NULL)
		return;
	while ((member = TAILQ_FIRST(&pool->members)) != NULL) {
		disconnect(member);
		TAILQ_REMOVE(&pool->members, member, entry);
		free(member);
	}
	free(pool);
}

/* The one that lives, is not silent, and has least to do. */
static struct member *
choose(struct authenticators *pool, enum reason *why)
{
	struct member *member, *best = NULL;

	*why = REASON_AUTH_LOST;
	TAILQ_FOREACH (member, &pool->members, entry) {
		if (member->link == NULL)
			continue;
		*why = REASON_AUTH_BUSY;
		if (member->probe == NULL &&
		    (best == NULL || member->outstanding < best->outstanding))
			best = member;
	}
	return best;
}

/* ---- answers ---- */

static void
tell(struct acceptance *acceptance, const struct acceptance_answer *answer)
{
	acceptance_done_fn *done = acceptance->done;

	acceptance->done = NULL;
	done(acceptance->arg, answer); /* may free it */
}

static void
tell_failure(struct acceptance *acceptance, enum reason reason)
{
	struct acceptance_answer answer = {
	    .outcome = ACCEPTANCE_FAILED, .reason = reason, .text = ""};

	tell(acceptance, &answer);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct acceptance *acceptance = arg;

	(void)fd;
	(void)what;
	tell_failure(acceptance, acceptance->reason);
}

static void
fail_later(struct acceptance *acceptance, enum reason reason)
{
	acceptance->reason = reason;
	event_active(acceptance->later, EV_TIMEOUT, 0);
}

static const enum acceptance_outcome outcomes[ACCEPT_OUTCOME_COUNT] = {
    [ACCEPT_CONTINUE] = ACCEPTANCE_CONTINUE,
    [ACCEPT_DONE] = ACCEPTANCE_DONE,
    [ACCEPT_FAILED] = ACCEPTANCE_FAILED,
};

static void
tell_answer(struct acceptance *acceptance, const struct accept_answer *said)
{
	struct acceptance_answer answer = {
	    .outcome = outcomes[said->outcome],
	    .reason = said->reason,
	    .text = said->text,
	    .token = said->token,
	    .token_len = said->token_len,
	    .identity.method = METHOD_GSSAPI,
	    .identity.mechanism = "krb5",
	    .flags = said->flags,
	    .exported = said->exported,
	    .exported_len = said->exported_len,
	};

	memcpy(answer.identity.name, said->name, sizeof(said->name));
	if (__builtin_add_overflow(clock_monotonic_us(), said->lifetime_us,
		&answer.identity.expires_us))
		answer.identity.expires_us = UINT64_MAX;
	acceptance->is_held = said->outcome == ACCEPT_CONTINUE;
	tell(acceptance, &answer);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *message)
{
	struct acceptance *acceptance = arg;
	struct member *member = acceptance->member;
	struct accept_answer said;

	acceptance->question = NULL;
	member->outstanding--;
	switch (outcome) {
	case ANSWER_GIVEN:
		if (message->type == ACCEPT_ANSWER &&
		    accept_answer_parse(message->data, message->len, &said)) {
			tell_answer(acceptance, &said);
			return;
		}
		log_error(NULL,
		    "authenticator %u gave an answer that cannot "
		    "be read",
		    (unsigned)member->index);
		tell_failure(acceptance, REASON_AUTH_LOST);
		return;
	case ANSWER_TIMEOUT:
		log_warning(NULL, "authenticator %u does not answer",
		    (unsigned)member->index);
		probe(member);
		tell_failure(acceptance, REASON_AUTH_TIMEOUT);
		return;
	case ANSWER_LOST:
		tell_failure(acceptance, REASON_AUTH_LOST);
		return;
	}
}

/* ---- steps ---- */

static struct acceptance *
begin(struct authenticators *pool)
{
	struct acceptance *acceptance = calloc(1, sizeof(*acceptance));

	if (acceptance == NULL)
		return NULL;
	acceptance->later = event_new(pool->base, -1, 0, on_later, acceptance);
	if (acceptance->later == NULL) {
		free(acceptance);
		return NULL;
	}
	acceptance->number = ++pool->acceptance_count;
	acceptance->member = choose(pool, &acceptance->reason);
	if (acceptance->member != NULL)
		TAILQ_INSERT_TAIL(
		    &acceptance->member->acceptances, acceptance, entry);
	return acceptance;
}

static void
ask(struct authenticators *pool, struct acceptance *acceptance,
    const void *token, size_t len)
{
	struct member *member = acceptance->member;
	struct accept_question question = {
	    .acceptance = acceptance->number,
	    .is_first = !acceptance->is_held,
	    .token = token,
	    .token_len = len,
	};
	size_t size = accept_question_print(
	    pool->message, sizeof(pool->message), &question);

	must(size > 0);
	acceptance->question = question_start(member->link, ACCEPT_STEP,
	    pool->message, size, pool->timeout_ms, on_answer, acceptance);
	if (acceptance->question == NULL) {
		fail_later(acceptance,
		    errno == EPIPE ? REASON_AUTH_LOST : REASON_AUTH_BUSY);
		return;
	}
	acceptance->is_held = true;
	member->outstanding++;
}

struct acceptance *
acceptance_step(struct authenticators *pool, struct acceptance *acceptance,
    const void *token, size_t len, acceptance_done_fn *done, void *arg)
{
	if (acceptance == NULL) {
		acceptance = begin(pool);
		if (acceptance == NULL)
			return NULL;
	} else if (acceptance->member == NULL) {
		/* It died between two tokens, and the context with it. */
		acceptance->reason = REASON_AUTH_LOST;
	}
	must(acceptance->done == NULL);
	acceptance->done = done;
	acceptance->arg = arg;
	if (acceptance->member == NULL)
		fail_later(acceptance, acceptance->reason);
	else
		ask(pool, acceptance, token, len);
	return acceptance;
}

static void
forget(const struct acceptance *acceptance)
{
	struct wire_writer writer;
	uint8_t number[sizeof(acceptance->number)];

	wire_writer_init(&writer, number, sizeof(number));
	wire_put_u64(&writer, acceptance->number);
	/* If it cannot be sent, the link is going and the context with it. */
	if (link_send(acceptance->member->link, ACCEPT_FORGET, 0, number,
		writer.len) < 0)
		log_debug(NULL, "authenticator %u could not be told to forget",
		    (unsigned)acceptance->member->index);
}

void
acceptance_free(struct acceptance *acceptance)
{
	if (acceptance == NULL)
		return;
	if (acceptance->question != NULL) {
		question_cancel(acceptance->question);
		acceptance->member->outstanding--;
	}
	if (acceptance->is_held && acceptance->member != NULL &&
	    acceptance->member->link != NULL)
		forget(acceptance);
	part(acceptance);
	event_free(acceptance->later);
	free(acceptance);
}
