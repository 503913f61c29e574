/* SPDX-License-Identifier: ISC */
/*
 * SOCKS5 messages (RFC 1928), parsed and printed; both sides'.
 *
 * Each parser is total and pure: it looks at data[0 .. len), which begins at
 * the message's first octet, and answers as base/parse.h says.  On
 * PARSE_DONE *consumed octets were the message; what follows is not looked
 * at.  On PARSE_BAD *why is the reason.
 */
#ifndef BASE_SOCKS5_H
#define BASE_SOCKS5_H

#include "base/endpoint.h"
#include "base/parse.h"
#include "base/reason.h"

#define SOCKS5_VERSION	    5
#define SOCKS5_METHODS_MAX  255
#define SOCKS5_GREETING_MAX (2 + SOCKS5_METHODS_MAX)
#define SOCKS5_REQUEST_MAX  (4 + 1 + 255 + 2)
#define SOCKS5_REPLY_MAX    SOCKS5_REQUEST_MAX

struct socks5_greeting {
	uint8_t count;
	uint8_t methods[SOCKS5_METHODS_MAX];
};

/* RFC 1928 section 3.  Bad: REASON_BAD_VERSION, at the first octet. */
enum parse_result
socks5_greeting_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_greeting *greeting, enum reason *why) must_check;

bool
socks5_greeting_has(const struct socks5_greeting *greeting, uint8_t method);

struct socks5_request {
	uint8_t command; /* as sent: the caller knows what it serves */
	struct endpoint destination;
	/* What the client wrote as DST.ADDR when it was a name. */
	uint8_t asked_len;
	uint8_t asked[255];
};

/*
 * RFC 1928 section 4.  Bad: bad_request (VER not 5, RSV not 0),
 * address_type_unsupported, bad_name; known only when the message is whole,
 * except for the address type, whose length nobody knows.  `asked` is filled
 * in for bad_name too, and destination.port.
 */
enum parse_result
socks5_request_parse(const void *data, size_t len, size_t *consumed,
    struct socks5_request *request, enum reason *why) must_check;

/* RFC 1928 section 6: writes the reply and returns its length. */
size_t socks5_reply_print(uint8_t out[SOCKS5_REPLY_MAX], uint8_t reply,
    const struct socket_address *bound);

/* The client's side. */
struct socks5_reply {
	uint8_t reply;
	struct endpoint bound;
};

/* Bad: bad_request, address_type_unsupported, bad_name. */
enum parse_result socks5_reply_parse(const void *data, size_t len,
    size_t *consumed, struct socks5_reply *reply, enum reason *why) must_check;

/* Writes a request and returns its length. */
size_t socks5_request_print(uint8_t out[SOCKS5_REQUEST_MAX], uint8_t command,
    const struct endpoint *destination);

/* What RFC 1928 calls a REP value: "connection refused" and so on. */
const char *socks5_reply_text(uint8_t reply);

#endif
