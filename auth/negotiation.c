/* SPDX-License-Identifier: ISC */
/*
 * The gateway's side of the RFC 1961 sub-negotiation on one connection: from
 * the first context token to the granted protection level.
 *
 *     TOKEN    a context token is due (section 3)
 *     ASKED    an authenticator has it; nothing is read
 *     LEVEL    the context is there; its protection level is due (section 4)
 */
#include "auth/negotiation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/authenticator_protocol.h"
#include "auth/authenticators.h"
#include "auth/gss_context.h"
#include "base/context_token.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"

/* One sealed octet takes less than 100, whatever the keys. */
#define LEVEL_TOKEN_MAX 1024
#define WHY_SIZE	512

enum state { STATE_TOKEN, STATE_ASKED, STATE_LEVEL };

struct negotiation {
	struct bufferevent *bev;
	struct authenticators *authenticators;
	struct negotiation_policy policy;
	struct hint_facts *facts;
	negotiation_done_fn *done;
	void *arg;

	enum state state;
	uint32_t rounds; /* context tokens so far */
	uint32_t total;	 /* and their octets */
	struct acceptance *acceptance;
	struct gssctx *context;	   /* from STATE_LEVEL on */
	struct identity *identity; /* and this: strangers take little */
	uint32_t flags;
};

/* ---- the end ---- */

void
negotiation_cancel(struct negotiation *negotiation)
{
	if (negotiation == NULL)
		return;
	bufferevent_setcb(negotiation->bev, NULL, NULL, NULL, NULL);
	acceptance_free(negotiation->acceptance);
	gssctx_free(negotiation->context);
	free(negotiation->identity);
	free(negotiation);
}

static void
finish(struct negotiation *negotiation, enum reason reason, const char *detail,
    struct proof *proof)
{
	negotiation_done_fn *done = negotiation->done;
	void *arg = negotiation->arg;

	negotiation_cancel(negotiation);
	done(arg, reason, detail, proof);
}

/* False when there is no memory. */
static bool
send_message(const struct negotiation *negotiation, enum rfc1961_type type,
    const uint8_t *token, size_t len)
{
	struct evbuffer *output = bufferevent_get_output(negotiation->bev);
	uint8_t header[RFC1961_HEADER];

	must(len <= RFC1961_TOKEN_MAX);
	rfc1961_header(header, type, (uint16_t)len);
	return evbuffer_add(output, header, sizeof(header)) == 0 &&
	       evbuffer_add(output, token, len) == 0;
}

/* RFC 1961 section 3.3 has two octets; field clients wait for four before
 * they see what it is. */
static void
send_abort(const struct negotiation *negotiation)
{
	static const uint8_t octets[] = {RFC1961_VERSION, RFC1961_ABORT, 0, 0};

	/* Without memory the close must do. */
	(void)bufferevent_write(negotiation->bev, octets,
	    negotiation->policy.short_abort ? 2 : sizeof(octets));
}

static void
refuse(struct negotiation *negotiation, enum reason reason, const char *detail)
{
	send_abort(negotiation);
	finish(negotiation, reason, detail, NULL);
}

/* Takes the frame out of the input; what follows it is the next one's. */
static void
drain(const struct negotiation *negotiation, const struct rfc1961_frame *frame)
{
	(void)evbuffer_drain(bufferevent_get_input(negotiation->bev),
	    RFC1961_HEADER + (size_t)frame->token_len);
}

/* ---- the protection level ---- */

static enum protection
clamp(const struct negotiation_policy *policy, enum protection wish)
{
	if (wish < policy->minimum)
		return policy->minimum;
	return wish > policy->maximum ? policy->maximum : wish;
}

/*
 * RFC 1961 section 4: our octet goes out without confidentiality.  Who sent
 * its own bare gets ours bare.
 */
static enum reason
grant(struct negotiation *negotiation, enum protection protection, bool is_bare)
{
	uint8_t token[LEVEL_TOKEN_MAX] = {protection_to_level(protection)};
	size_t len = 1;
	enum reason reason = REASON_OK;

	negotiation->facts->granted = token[0];
	if (!is_bare)
		reason = gssctx_wrap_level(
		    negotiation->context, token[0], token, sizeof(token), &len);
	if (reason == REASON_OK &&
	    !send_message(negotiation, RFC1961_LEVEL, token, len))
		reason = REASON_NO_MEMORY;
	return reason;
}

static bool
may_encrypt(const struct negotiation *negotiation)
{
	return (negotiation->flags & CONTEXT_CONFIDENTIALITY) != 0;
}

static void
prove(struct negotiation *negotiation, enum protection granted,
    enum protection wish, const char *detail)
{
	struct gssctx *context = negotiation->context;
	struct proof proof = {
	    .identity = *negotiation->identity,
	    .protection = granted,
	    .has_sequence = (negotiation->flags & CONTEXT_SEQUENCE) != 0,
	};

	negotiation->facts->stage = HINT_STAGE_LEVEL;
	negotiation->context = NULL;
	/* Granted none, a client that encapsulates keeps to its wish. */
	proof.seal = gssctx_into_seal(context,
	    granted == PROTECTION_NONE && may_encrypt(negotiation) ? wish
								   : granted);
	if (proof.seal == NULL)
		refuse(negotiation, REASON_GSS_SEAL, "no seal of the context");
	else
		finish(negotiation, REASON_OK, detail, &proof);
}

static void
settle(struct negotiation *negotiation, enum protection wish, bool is_bare)
{
	struct negotiation_policy policy = negotiation->policy;
	enum protection granted;
	enum reason reason;

	/* Anybody on the way can change a bare octet: never to none. */
	if (is_bare && policy.minimum < PROTECTION_INTEGRITY)
		policy.minimum = PROTECTION_INTEGRITY;
	if (policy.minimum > policy.maximum) {
		refuse(negotiation, REASON_GSS_LEVEL, "");
		return;
	}
	granted = clamp(&policy, wish);
	if (granted > PROTECTION_INTEGRITY && !may_encrypt(negotiation)) {
		refuse(negotiation, REASON_GSS_FLAGS,
		    "the flag confidentiality is missing");
		return;
	}
	reason = grant(negotiation, granted, is_bare);
	if (reason != REASON_OK)
		refuse(negotiation, reason, "");
	else
		prove(negotiation, granted, wish,
		    is_bare ? "the protection level was agreed unprotected "
			      "(NEC style)"
			    : "");
}

/* The level in a message: a sealed octet, or where it is allowed a bare one.
 * Nothing sealed is as short. */
static enum reason
open_level(const struct negotiation *negotiation,
    const struct rfc1961_frame *frame, uint8_t *level, bool *is_bare)
{
	*is_bare = frame->token_len == 1 && negotiation->policy.allow_nec;
	if (*is_bare) {
		*level = *frame->token;
		return REASON_OK;
	}
	negotiation->facts->bare_level = frame->token_len == 1;
	return gssctx_unwrap_level(
	    negotiation->context, frame->token, frame->token_len, level);
}

static void
on_level(struct negotiation *negotiation, const struct rfc1961_frame *frame)
{
	enum protection wish;
	uint8_t level;
	bool is_bare;
	enum reason reason = open_level(negotiation, frame, &level, &is_bare);

	drain(negotiation, frame);
	if (reason == REASON_OK && !protection_from_level(level, &wish))
		reason = REASON_GSS_LEVEL;
	if (reason != REASON_OK) {
		refuse(negotiation, reason, "");
		return;
	}
	negotiation->facts->wish = level;
	settle(negotiation, wish, is_bare);
}

/* ---- the context ---- */

static void advance(struct negotiation *negotiation);

/* What the client has sent ahead waits in the input already: no read
 * callback will come for it. */
static void
go_on(struct negotiation *negotiation, enum state state)
{
	negotiation->state = state;
	if (bufferevent_enable(negotiation->bev, EV_READ) != 0)
		refuse(negotiation, REASON_NO_MEMORY, "");
	else
		advance(negotiation);
}

static void
established(
    struct negotiation *negotiation, const struct acceptance_answer *answer)
{
	char why[WHY_SIZE] = "";

	acceptance_free(negotiation->acceptance);
	negotiation->acceptance = NULL;
	negotiation->identity = malloc(sizeof(*negotiation->identity));
	if (negotiation->identity == NULL) {
		refuse(negotiation, REASON_NO_MEMORY, "");
		return;
	}
	*negotiation->identity = answer->identity;
	negotiation->flags = answer->flags;
	negotiation->facts->stage = HINT_STAGE_CONTEXT;
	negotiation->context = gssctx_import(
	    answer->exported, answer->exported_len, why, sizeof(why));
	if (negotiation->context == NULL)
		refuse(negotiation, REASON_GSS_SEAL, why);
	/* An empty message where there is no token to return. */
	else if (!send_message(negotiation, RFC1961_CONTEXT, answer->token,
		     answer->token_len))
		refuse(negotiation, REASON_NO_MEMORY, "");
	else
		go_on(negotiation, STATE_LEVEL);
}

static void
continues(
    struct negotiation *negotiation, const struct acceptance_answer *answer)
{
	if (!send_message(
		negotiation, RFC1961_CONTEXT, answer->token, answer->token_len))
		refuse(negotiation, REASON_NO_MEMORY, "");
	else
		go_on(negotiation, STATE_TOKEN);
}

static void
failed(struct negotiation *negotiation, const struct acceptance_answer *answer)
{
	/* An error token is for the client's diagnosis; the abort says the
	 * rest. */
	if (answer->token_len > 0)
		(void)send_message(negotiation, RFC1961_CONTEXT, answer->token,
		    answer->token_len);
	refuse(negotiation, answer->reason, answer->text);
}

static void
on_answer(void *arg, const struct acceptance_answer *answer)
{
	struct negotiation *negotiation = arg;

	switch (answer->outcome) {
	case ACCEPTANCE_CONTINUE:
		continues(negotiation, answer);
		return;
	case ACCEPTANCE_DONE:
		established(negotiation, answer);
		return;
	case ACCEPTANCE_FAILED:
		failed(negotiation, answer);
		return;
	}
}

static void
on_token(struct negotiation *negotiation, const struct rfc1961_frame *frame)
{
	struct acceptance *acceptance;

	if (negotiation->rounds++ == 0)
		negotiation->facts->mech =
		    context_token_mech(frame->token, frame->token_len);
	negotiation->facts->stage = HINT_STAGE_TOKEN;
	negotiation->total += frame->token_len;
	if (negotiation->rounds > negotiation->policy.rounds_max ||
	    negotiation->total > negotiation->policy.total_max) {
		refuse(negotiation, REASON_GSS_ROUNDS, "");
		return;
	}
	acceptance = acceptance_step(negotiation->authenticators,
	    negotiation->acceptance, negotiation->policy.allow_spnego,
	    frame->token, frame->token_len, on_answer, negotiation);
	drain(negotiation, frame);
	if (acceptance == NULL) {
		refuse(negotiation, REASON_NO_MEMORY, "");
		return;
	}
	negotiation->acceptance = acceptance;
	negotiation->state = STATE_ASKED;
	(void)bufferevent_disable(negotiation->bev, EV_READ);
}

/* ---- frames ---- */

/* What is due in each state. */
static const struct {
	enum rfc1961_type type;
	void (*take)(struct negotiation *, const struct rfc1961_frame *);
} due[] = {
    [STATE_TOKEN] = {RFC1961_CONTEXT, on_token},
    [STATE_LEVEL] = {RFC1961_LEVEL, on_level},
};

static size_t
token_max(const struct negotiation *negotiation)
{
	return negotiation->state == STATE_TOKEN ? negotiation->policy.token_max
						 : LEVEL_TOKEN_MAX;
}

/* Parses what stands first in the input; *need is known after it. */
static enum parse_result
peek(struct evbuffer *input, size_t want, size_t *need,
    struct rfc1961_frame *frame)
{
	size_t consumed, len = evbuffer_get_length(input);
	const uint8_t *data;

	if (want > len)
		want = len;
	data = evbuffer_pullup(input, (ev_ssize_t)want);
	return rfc1961_parse(
	    data, data != NULL ? want : 0, need, &consumed, frame);
}

/*
 * The next frame of a length that is in bounds.  The header is looked at
 * alone: a length out of bounds is refused before its token is there.
 */
static enum parse_result
next_frame(const struct negotiation *negotiation, struct rfc1961_frame *frame)
{
	struct evbuffer *input = bufferevent_get_input(negotiation->bev);
	size_t need;
	enum parse_result result = peek(input, RFC1961_HEADER, &need, frame);

	if (result != PARSE_MORE)
		return result;
	if (need > RFC1961_HEADER + token_max(negotiation))
		return PARSE_BAD;
	if (need <= RFC1961_HEADER || need > evbuffer_get_length(input))
		return PARSE_MORE;
	return peek(input, need, &need, frame);
}

static void
take(struct negotiation *negotiation, const struct rfc1961_frame *frame)
{
	if (frame->type == RFC1961_ABORT)
		finish(negotiation, REASON_CLIENT_CLOSED,
		    "the client sent an abort", NULL);
	else if (frame->type != due[negotiation->state].type ||
		 frame->token_len == 0)
		refuse(negotiation, REASON_GSS_BAD_FRAME, "");
	else
		due[negotiation->state].take(negotiation, frame);
}

/* For the hint: what is no message may be a request in clear. */
static void
note_first_octet(const struct negotiation *negotiation)
{
	(void)evbuffer_copyout(bufferevent_get_input(negotiation->bev),
	    &negotiation->facts->first_octet, 1);
}

/* One frame at most: whoever takes it goes on from there, or ends it. */
static void
advance(struct negotiation *negotiation)
{
	struct rfc1961_frame frame;

	if (negotiation->state == STATE_ASKED)
		return;
	switch (next_frame(negotiation, &frame)) {
	case PARSE_MORE:
		return;
	case PARSE_BAD:
		note_first_octet(negotiation);
		refuse(negotiation, REASON_GSS_BAD_FRAME, "");
		return;
	case PARSE_DONE:
		take(negotiation, &frame);
		return;
	}
}

/* ---- the connection ---- */

static void
on_readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	advance(arg);
}

static void
on_eof(struct negotiation *negotiation)
{
	struct evbuffer *input = bufferevent_get_input(negotiation->bev);

	if (evbuffer_get_length(input) > 0)
		finish(negotiation, REASON_TRUNCATED, "", NULL);
	else
		finish(negotiation, REASON_CLIENT_CLOSED, "", NULL);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct negotiation *negotiation = arg;

	(void)bev;
	if ((what & BEV_EVENT_ERROR) != 0)
		finish(negotiation, reason_of_client(errno), "", NULL);
	else if ((what & BEV_EVENT_EOF) != 0)
		on_eof(negotiation);
}

struct negotiation *
negotiation_start(struct bufferevent *bev,
    struct authenticators *authenticators,
    const struct negotiation_policy *policy, struct hint_facts *facts,
    negotiation_done_fn *done, void *arg)
{
	struct negotiation *negotiation = calloc(1, sizeof(*negotiation));

	if (negotiation == NULL)
		return NULL;
	negotiation->bev = bev;
	negotiation->authenticators = authenticators;
	negotiation->policy = *policy;
	negotiation->facts = facts;
	facts->stage = HINT_STAGE_CHOSEN;
	facts->may_spnego = policy->allow_spnego;
	negotiation->done = done;
	negotiation->arg = arg;
	bufferevent_setcb(bev, on_readable, NULL, on_event, negotiation);
	bufferevent_setwatermark(bev, EV_READ, 0, RFC1961_FRAME_MAX);
	if (bufferevent_enable(bev, EV_READ | EV_WRITE) != 0) {
		negotiation_cancel(negotiation);
		return NULL;
	}
	/* What the client sent behind its greeting is here already. */
	bufferevent_trigger(bev, EV_READ,
	    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	return negotiation;
}
