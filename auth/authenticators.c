/* SPDX-License-Identifier: ISC */
/*
 * One worker thread's links to the authenticators, and the contexts that are
 * being established over them.
 */
#include "auth/authenticators.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "auth/authenticator_protocol.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/link_pool.h"
#include "base/log.h"
#include "base/must.h"
#include "base/wire.h"

struct authenticators {
	struct link_pool *links;
	uint64_t acceptance_count;
	TAILQ_HEAD(, acceptance) acceptances;
	uint8_t message[ACCEPT_QUESTION_MAX];
};

struct acceptance {
	TAILQ_ENTRY(acceptance) entry;
	struct authenticators *pool; /* NULL once that is gone */
	struct link_pool_peer peer;  /* who holds it, from the first token on */
	uint64_t number;
	bool is_held; /* the authenticator may have a half-made context */
	struct inquiry *inquiry;
	acceptance_done_fn *done;
	void *arg;
};

/* ---- the links ---- */

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

static const struct link_pool_kind kind = {
    .name = "authenticator",
    .handlers = handlers,
    .probe = ACCEPT_PROBE,
};

struct authenticators *
authenticators_new(struct event_base *base, unsigned timeout_ms)
{
	struct authenticators *pool = malloc(sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->acceptance_count = 0;
	TAILQ_INIT(&pool->acceptances);
	pool->links = link_pool_new(base, &kind, timeout_ms);
	if (pool->links == NULL) {
		free(pool);
		return NULL;
	}
	return pool;
}

void
authenticators_free(struct authenticators *pool)
{
	struct acceptance *acceptance;

	if (pool == NULL)
		return;
	link_pool_free(pool->links); /* what was asked fails in here */
	TAILQ_FOREACH (acceptance, &pool->acceptances, entry)
		acceptance->pool = NULL;
	free(pool);
}

void
authenticators_set_timeout(struct authenticators *pool, unsigned timeout_ms)
{
	link_pool_set_timeout(pool->links, timeout_ms);
}

void
authenticators_link(struct authenticators *pool, uint32_t index, int fd)
{
	link_pool_link(pool->links, index, fd);
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
	    .identity.mechanism = said->by_spnego ? "spnego" : "krb5",
	    .flags = said->flags,
	    .exported = said->exported,
	    .exported_len = said->exported_len,
	};

	memcpy(answer.identity.name, said->name, sizeof(said->name));
	memcpy(answer.identity.indicators, said->indicators,
	    sizeof(said->indicators));
	if (__builtin_add_overflow(clock_monotonic_us(), said->lifetime_us,
		&answer.identity.expires_us))
		answer.identity.expires_us = UINT64_MAX;
	acceptance->is_held = said->outcome == ACCEPT_CONTINUE;
	tell(acceptance, &answer);
}

static void
on_answer(void *arg, enum inquiry_outcome outcome, struct link_message *message)
{
	static const enum reason reasons[] = {
	    [INQUIRY_ANSWERED] = REASON_AUTH_LOST, /* and cannot be read */
	    [INQUIRY_TIMEOUT] = REASON_AUTH_TIMEOUT,
	    [INQUIRY_LOST] = REASON_AUTH_LOST,
	    [INQUIRY_BUSY] = REASON_AUTH_BUSY,
	};
	struct acceptance *acceptance = arg;
	struct accept_answer said;

	acceptance->inquiry = NULL;
	if (outcome == INQUIRY_ANSWERED && message->type == ACCEPT_ANSWER &&
	    accept_answer_parse(message->data, message->len, &said)) {
		tell_answer(acceptance, &said);
		return;
	}
	if (outcome == INQUIRY_ANSWERED)
		log_error(NULL,
		    "an authenticator gave an answer that cannot be read");
	tell_failure(acceptance, reasons[outcome]);
}

/* ---- steps ---- */

static struct acceptance *
begin(struct authenticators *pool)
{
	struct acceptance *acceptance = calloc(1, sizeof(*acceptance));

	if (acceptance == NULL)
		return NULL;
	acceptance->pool = pool;
	acceptance->number = ++pool->acceptance_count;
	TAILQ_INSERT_TAIL(&pool->acceptances, acceptance, entry);
	return acceptance;
}

static struct inquiry *
ask(struct authenticators *pool, struct acceptance *acceptance, bool may_spnego,
    const void *token, size_t len)
{
	struct accept_question question = {
	    .acceptance = acceptance->number,
	    .is_first = !acceptance->is_held,
	    .may_spnego = may_spnego,
	    .token = token,
	    .token_len = len,
	};
	size_t size = accept_question_print(
	    pool->message, sizeof(pool->message), &question);

	must(size > 0);
	acceptance->is_held = true;
	/* One that died between two tokens took the context with it. */
	return inquiry_start(pool->links, &acceptance->peer, ACCEPT_STEP,
	    pool->message, size, on_answer, acceptance);
}

struct acceptance *
acceptance_step(struct authenticators *pool, struct acceptance *acceptance,
    bool may_spnego, const void *token, size_t len, acceptance_done_fn *done,
    void *arg)
{
	bool is_first = acceptance == NULL;

	if (is_first)
		acceptance = begin(pool);
	if (acceptance == NULL)
		return NULL;
	must(acceptance->done == NULL);
	acceptance->done = done;
	acceptance->arg = arg;
	acceptance->inquiry = ask(pool, acceptance, may_spnego, token, len);
	if (acceptance->inquiry != NULL)
		return acceptance;
	if (is_first)
		acceptance_free(acceptance);
	return NULL;
}

static void
forget(const struct acceptance *acceptance)
{
	struct wire_writer writer;
	uint8_t number[sizeof(acceptance->number)];

	wire_writer_init(&writer, number, sizeof(number));
	wire_put_u64(&writer, acceptance->number);
	link_pool_tell(&acceptance->peer, ACCEPT_FORGET, number, writer.len);
}

void
acceptance_free(struct acceptance *acceptance)
{
	if (acceptance == NULL)
		return;
	inquiry_cancel(acceptance->inquiry);
	if (acceptance->pool != NULL) {
		if (acceptance->is_held)
			forget(acceptance);
		TAILQ_REMOVE(&acceptance->pool->acceptances, acceptance, entry);
	}
	free(acceptance);
}
