/* SPDX-License-Identifier: ISC */
/* The SOCKS5 front (RFC 1928). */
#include "gateway/front.h"

#include <string.h>

#include <event2/buffer.h>

#include "base/must.h"
#include "base/socks5.h"

/* The first of our methods that the client offered: the client's order says
 * nothing. */
static bool
choose_method(const struct socks5_greeting *greeting,
    const struct front_methods *methods, enum method *method)
{
	for (size_t i = 0; i < methods->count; i++) {
		if (socks5_greeting_has(
			greeting, METHOD_OCTET(methods->method[i]))) {
			*method = methods->method[i];
			return true;
		}
	}
	return false;
}

/* Would a password have done, had it been inside TLS? */
static enum reason
why_none(
    const struct socks5_greeting *greeting, const struct front_methods *methods)
{
	return methods->no_password_here && socks5_greeting_has(greeting,
						METHOD_OCTET(METHOD_PASSWORD))
		   ? REASON_PASSWORD_NOT_ALLOWED
		   : REASON_NO_METHOD;
}

/* What its offer says of a client, for the hint. */
static void
note_offer(const struct socks5_greeting *greeting, struct hint_facts *facts)
{
	facts->offers_as_curl_does = greeting->count >= 2 &&
				     greeting->methods[0] == METHOD_NONE &&
				     greeting->methods[1] == METHOD_GSSAPI;
	facts->offers_only_none = greeting->count > 0;
	for (size_t i = 0; i < greeting->count; i++)
		if (greeting->methods[i] != METHOD_NONE)
			facts->offers_only_none = false;
}

static enum parse_result
greet(struct evbuffer *input, struct evbuffer *output,
    const struct front_methods *methods, struct hint_facts *facts,
    enum method *method, enum reason *why)
{
	struct socks5_greeting greeting;
	uint8_t data[SOCKS5_GREETING_MAX];
	uint8_t answer[2] = {SOCKS5_VERSION, METHOD_NOT_ACCEPTABLE};
	ssize_t len = evbuffer_copyout(input, data, sizeof(data));
	size_t consumed;
	enum parse_result result;

	result = socks5_greeting_parse(
	    data, len > 0 ? (size_t)len : 0, &consumed, &greeting, why);
	/* A password may stand behind it. */
	explicit_bzero(data, sizeof(data));
	if (result != PARSE_DONE)
		return result;
	must(evbuffer_drain(input, consumed) == 0);
	note_offer(&greeting, facts);
	if (choose_method(&greeting, methods, method)) {
		answer[1] = METHOD_OCTET(*method);
	} else {
		*why = why_none(&greeting, methods);
		result = PARSE_BAD;
	}
	if (evbuffer_add(output, answer, sizeof(answer)) != 0) {
		*why = REASON_NO_MEMORY;
		result = PARSE_BAD;
	}
	return result;
}

static enum parse_result
parse_request(const uint8_t *data, size_t len, size_t *consumed,
    struct front_request *request, enum reason *why)
{
	struct socks5_request parsed = {0};
	enum parse_result result;

	result = socks5_request_parse(data, len, consumed, &parsed, why);
	if (result == PARSE_MORE)
		return result;
	/* One that nobody knows has no name in a record. */
	if (parsed.command >= COMMAND_CONNECT && parsed.command <= COMMAND_UDP)
		request->command = (enum command)parsed.command;
	request->destination = parsed.destination;
	request->asked_len = parsed.asked_len;
	memcpy(request->asked, parsed.asked, parsed.asked_len);
	if (result == PARSE_DONE && request->command == 0) {
		*why = REASON_COMMAND_UNSUPPORTED;
		return PARSE_BAD;
	}
	return result;
}

static size_t
print_reply(uint8_t out[FRONT_REPLY_MAX], enum reason reason,
    const struct socket_address *bound)
{
	return socks5_reply_print(out, reason_reply(reason), bound);
}

const struct front front_socks5 = {
    .greet = greet,
    .parse_request = parse_request,
    .print_reply = print_reply,
};
