/* SPDX-License-Identifier: ISC */
/* The other end of an authenticator's link, which does what tokens say. */
#include "tests/support/unit.h"

#include "tests/support/scripted_authenticator.h"

#include <stdio.h>
#include <string.h>

#include "auth/authenticator_protocol.h"
#include "base/link.h"
#include "base/wire.h"

static void
answer(struct scripted_authenticator *authenticator, uint64_t id, char what)
{
	static uint8_t message[ACCEPT_ANSWER_MAX];
	struct accept_answer said = {.outcome = what == 'C' ? ACCEPT_CONTINUE
						: what == 'F' || what == 'G'
						    ? ACCEPT_FAILED
						    : ACCEPT_DONE};
	const char *token = what == 'D'	  ? "ok"
			    : what == 'C' ? "more"
			    : what == 'F' ? "error"
					  : "";
	size_t len;

	said.token = (const uint8_t *)token;
	said.token_len = strlen(token);
	if (said.outcome == ACCEPT_FAILED) {
		said.reason = what == 'F' ? REASON_GSS_CLOCK_SKEW
					  : REASON_GSS_WRONG_SERVICE;
		(void)snprintf(said.text, sizeof(said.text), "too late");
	} else if (said.outcome == ACCEPT_DONE) {
		(void)snprintf(
		    said.name, sizeof(said.name), "alice@EXAMPLE.COM");
		said.flags = authenticator->flags;
		said.lifetime_us = authenticator->lifetime_us;
		said.exported = (const uint8_t *)(what == 'X' ? "NOT" : "TOY");
		said.exported_len = 3;
	}
	len = accept_answer_print(message, sizeof(message), &said);
	assert_true(len > 0);
	if (what == 'B')
		len--;
	assert_int_equal(
	    link_send(authenticator->link, ACCEPT_ANSWER, id, message, len), 0);
}

static void
on_step(void *arg, struct link_message *message)
{
	struct scripted_authenticator *authenticator = arg;
	struct accept_question question;

	assert_true(
	    accept_question_parse(message->data, message->len, &question));
	authenticator->steps++;
	authenticator->firsts += question.is_first;
	authenticator->last_acceptance = question.acceptance;
	authenticator->may_spnego = question.may_spnego;
	authenticator->held = message->id;
	authenticator->held_type = ACCEPT_STEP;
	if (!authenticator->is_silent && question.token[0] != 'H')
		scripted_authenticator_answer(
		    authenticator, (char)question.token[0]);
}

static void
on_forget(void *arg, struct link_message *message)
{
	struct scripted_authenticator *authenticator = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	authenticator->forgets++;
	authenticator->forgotten = wire_get_u64(&reader);
}

static void
on_probe(void *arg, struct link_message *message)
{
	struct scripted_authenticator *authenticator = arg;

	authenticator->probes++;
	authenticator->held = message->id;
	authenticator->held_type = ACCEPT_PROBE;
	if (!authenticator->is_silent)
		scripted_authenticator_answer(authenticator, 0);
}

static void
on_closed(void *arg)
{
	struct scripted_authenticator *authenticator = arg;

	authenticator->is_gone = true;
}

static const struct link_handler handlers[] = {
    {ACCEPT_STEP, 1, ACCEPT_QUESTION_MAX, on_step},
    {ACCEPT_FORGET, 8, 8, on_forget},
    {ACCEPT_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

void
scripted_authenticator_init(struct scripted_authenticator *authenticator,
    struct event_base *base, int *other)
{
	int fds[2];

	memset(authenticator, 0, sizeof(*authenticator));
	authenticator->flags = CONTEXT_MUTUAL | CONTEXT_REPLAY |
			       CONTEXT_INTEGRITY | CONTEXT_CONFIDENTIALITY |
			       CONTEXT_SEQUENCE;
	authenticator->lifetime_us = 1000000;
	assert_int_equal(link_pair(fds), 0);
	authenticator->link =
	    link_new(base, fds[0], handlers, on_closed, authenticator);
	assert_non_null(authenticator->link);
	*other = fds[1];
}

void
scripted_authenticator_fini(struct scripted_authenticator *authenticator)
{
	link_free(authenticator->link);
	authenticator->link = NULL;
}

void
scripted_authenticator_answer(
    struct scripted_authenticator *authenticator, char what)
{
	uint64_t id = authenticator->held;

	authenticator->held = 0;
	if (authenticator->held_type == ACCEPT_PROBE)
		assert_int_equal(
		    link_send(authenticator->link, ACCEPT_ALIVE, id, NULL, 0),
		    0);
	else
		answer(authenticator, id, what);
}
