/* SPDX-License-Identifier: ISC */
/* SOCKS5 with GSSAPI, the client's side. */
#include "agent/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "agent/stream.h"
#include "auth/gss_context.h"
#include "auth/gss_initiator.h"
#include "base/method.h"
#include "base/must.h"
#include "base/request.h"
#include "base/seal.h"
#include "base/socks5.h"
#include "base/wire.h"

#define LEVEL_TOKEN_MAX 1024

static enum outcome
violated(const char *what)
{
	return outcome_say(OUTCOME_PROTOCOL,
	    "the gateway does not keep to the protocol: %s", what);
}

/* ---- method: GSSAPI and nothing else (RFC 1928 section 3) ---- */

static enum outcome
choose_method(struct stream *stream)
{
	static const uint8_t greeting[] = {
	    SOCKS5_VERSION, 1, METHOD_OCTET(METHOD_GSSAPI)};
	struct wire_reader reader;
	enum outcome outcome = stream_send(stream, greeting, sizeof(greeting));
	uint8_t version, method;

	while (outcome == OUTCOME_OK && stream->in_len - stream->in_at < 2)
		outcome = stream_wait(stream);
	if (outcome != OUTCOME_OK)
		return outcome;
	wire_reader_init(&reader, stream->in + stream->in_at, 2);
	version = wire_get_u8(&reader);
	method = wire_get_u8(&reader);
	stream->in_at += 2;
	if (version != SOCKS5_VERSION)
		return violated("this is no SOCKS5 server");
	if (method == METHOD_NOT_ACCEPTABLE)
		return outcome_say(
		    OUTCOME_ABORTED, "the gateway does not take Kerberos here");
	if (method != METHOD_OCTET(METHOD_GSSAPI))
		return violated("a method that was not offered");
	return OUTCOME_OK;
}

/* ---- RFC 1961 messages ---- */

static enum outcome
receive(
    struct stream *stream, enum rfc1961_type type, struct rfc1961_frame *frame)
{
	enum outcome outcome = OUTCOME_OK;
	enum stream_result result;

	while ((result = stream_take_frame(stream, frame)) == STREAM_MORE &&
	       outcome == OUTCOME_OK)
		outcome = stream_wait(stream);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (result == STREAM_BAD)
		return violated("a message that is not of RFC 1961");
	if (frame->type == RFC1961_ABORT)
		return outcome_say(OUTCOME_ABORTED,
		    "the gateway does not let you in (it aborted the "
		    "authentication); its administrators can see why");
	if (frame->type != type)
		return violated("a message out of turn");
	return OUTCOME_OK;
}

/* ---- context (RFC 1961 section 3) ---- */

static const enum outcome outcomes[GSSINIT_FAILURE_COUNT] = {
    [GSSINIT_NO_TICKET] = OUTCOME_NO_TICKET,
    [GSSINIT_NO_SERVICE] = OUTCOME_SERVICE,
    [GSSINIT_CLOCK] = OUTCOME_CLOCK,
    [GSSINIT_NO_KDC] = OUTCOME_KERBEROS,
    [GSSINIT_OTHER] = OUTCOME_KERBEROS,
};

static enum outcome
exchange_tokens(struct gssinit *init, struct stream *stream)
{
	struct rfc1961_frame answer = {.token = NULL};
	enum gssinit_outcome step;
	enum outcome outcome;
	const uint8_t *token;
	size_t len;

	for (;;) {
		step = gssinit_step(
		    init, answer.token, answer.token_len, &token, &len);
		if (step == GSSINIT_FAILED)
			return outcome_say(outcomes[gssinit_failure(init)],
			    "%s", gssinit_why(init));
		if (len == 0)
			break;
		outcome =
		    stream_send_frame(stream, RFC1961_CONTEXT, token, len);
		if (outcome == OUTCOME_OK)
			outcome = receive(stream, RFC1961_CONTEXT, &answer);
		if (outcome != OUTCOME_OK)
			return outcome;
		if (step == GSSINIT_DONE || answer.token_len == 0)
			break;
	}
	if (step != GSSINIT_DONE)
		return violated("it has not proved who it is");
	return OUTCOME_OK;
}

static enum outcome
establish(const struct handshake *handshake, struct stream *stream,
    struct gssctx **context)
{
	struct gssinit *init =
	    gssinit_new(handshake->service, handshake->service_host);
	enum outcome outcome;

	if (init == NULL)
		return outcome_say(OUTCOME_SERVICE,
		    "%s@%s is no name of a service", handshake->service,
		    handshake->service_host);
	outcome = exchange_tokens(init, stream);
	if (outcome == OUTCOME_OK) {
		*context = gssinit_take_context(init);
		if (*context == NULL)
			outcome = outcome_say(OUTCOME_LOCAL, "no memory");
	}
	gssinit_free(init);
	return outcome;
}

/* ---- level (RFC 1961 section 4) ---- */

static enum outcome
exchange_levels(enum protection wish, struct stream *stream,
    struct gssctx *context, enum protection *granted)
{
	uint8_t token[LEVEL_TOKEN_MAX], level;
	struct rfc1961_frame answer;
	enum outcome outcome;
	size_t len;

	if (gssctx_wrap_level(context, protection_to_level(wish), token,
		sizeof(token), &len) != REASON_OK)
		return outcome_say(
		    OUTCOME_KERBEROS, "the protection level was not sealed");
	outcome = stream_send_frame(stream, RFC1961_LEVEL, token, len);
	if (outcome == OUTCOME_OK)
		outcome = receive(stream, RFC1961_LEVEL, &answer);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (gssctx_unwrap_level(
		context, answer.token, answer.token_len, &level) != REASON_OK ||
	    !protection_from_level(level, granted))
		return violated("a protection level that is none");
	if (*granted < wish)
		return outcome_say(OUTCOME_PROTECTION,
		    "the gateway grants no more than the protection %s, and "
		    "%s was asked for (see --protection)",
		    protection_name(*granted), protection_name(wish));
	return OUTCOME_OK;
}

/* ---- request and reply (RFC 1928 sections 4 and 6) ---- */

static enum outcome
send_request(const struct endpoint *destination, struct stream *stream)
{
	struct seal *seal = stream->seal;
	uint8_t request[SOCKS5_REQUEST_MAX], *token;
	size_t token_len,
	    len = socks5_request_print(request, COMMAND_CONNECT, destination);
	enum outcome outcome;

	if (seal == NULL)
		return stream_send(stream, request, len);
	token = malloc(seal->header + len + seal->trailer);
	if (token == NULL)
		return outcome_say(OUTCOME_LOCAL, "no memory");
	memcpy(token + seal->header, request, len);
	if (seal_wrap(seal, token, len, &token_len) == REASON_OK)
		outcome =
		    stream_send_frame(stream, RFC1961_DATA, token, token_len);
	else
		outcome =
		    outcome_say(OUTCOME_KERBEROS, "the request was not sealed");
	free(token);
	return outcome;
}

static enum outcome
receive_plain(struct stream *stream)
{
	enum outcome outcome = OUTCOME_OK;
	enum stream_result result;
	const uint8_t *plain;
	size_t len = 0;

	while (
	    (result = stream_take_plain(stream, &plain, &len)) == STREAM_MORE &&
	    outcome == OUTCOME_OK)
		outcome = stream_wait(stream);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (result == STREAM_BAD ||
	    len > sizeof(stream->early) - stream->early_len)
		return violated("a reply that is not sealed as agreed");
	memcpy(stream->early + stream->early_len, plain, len);
	stream->early_len += len;
	return OUTCOME_OK;
}

/* What follows the reply is the target's. */
static enum outcome
receive_reply(struct stream *stream, uint8_t *reply_code)
{
	struct socks5_reply reply;
	enum outcome outcome;
	enum reason why;

	for (;;) {
		switch (socks5_reply_parse(stream->early, stream->early_len,
		    &stream->early_at, &reply, &why)) {
		case PARSE_DONE:
			*reply_code = reply.reply;
			return OUTCOME_OK;
		case PARSE_BAD:
			return violated("a reply that is not of RFC 1928");
		case PARSE_MORE:
			break;
		}
		outcome = receive_plain(stream);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
}

static enum outcome
ask(const struct endpoint *destination, struct stream *stream)
{
	char text[ENDPOINT_TEXT_SIZE];
	uint8_t reply = 0;
	enum outcome outcome = send_request(destination, stream);

	if (outcome == OUTCOME_OK)
		outcome = receive_reply(stream, &reply);
	if (outcome != OUTCOME_OK || reply == 0)
		return outcome;
	return outcome_say(OUTCOME_REFUSED, "no connection to %s: %s",
	    endpoint_print(destination, text), socks5_reply_text(reply));
}

/* ---- all of it ---- */

enum outcome
handshake_run(const struct handshake *handshake, struct stream *stream)
{
	struct gssctx *context = NULL;
	enum protection granted;
	enum outcome outcome = choose_method(stream);

	if (outcome == OUTCOME_OK)
		outcome = establish(handshake, stream, &context);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome =
	    exchange_levels(handshake->protection, stream, context, &granted);
	if (outcome != OUTCOME_OK || granted == PROTECTION_NONE) {
		gssctx_free(context);
	} else {
		stream->seal = gssctx_into_seal(context, granted);
		if (stream->seal == NULL)
			outcome = outcome_say(
			    OUTCOME_KERBEROS, "no seal can be made");
	}
	return outcome == OUTCOME_OK ? ask(&handshake->destination, stream)
				     : outcome;
}
