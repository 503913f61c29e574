/* SPDX-License-Identifier: ISC */
/*
 * The framing of RFC 1961: version, message type, length, token.
 */
#ifndef BASE_RFC1961_H
#define BASE_RFC1961_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/parse.h"

#define RFC1961_VERSION	  1
#define RFC1961_HEADER	  4
#define RFC1961_TOKEN_MAX 65535
#define RFC1961_FRAME_MAX (RFC1961_HEADER + RFC1961_TOKEN_MAX)

enum rfc1961_type {
	RFC1961_CONTEXT = 1, /* section 3: a context token */
	RFC1961_LEVEL = 2,   /* section 4: a protection level */
	RFC1961_DATA = 3,    /* section 5: user data */
	RFC1961_ABORT = 0xff /* section 3.3: two octets, no length */
};

struct rfc1961_frame {
	enum rfc1961_type type;
	uint16_t token_len;
	const uint8_t *token; /* inside the caller's data; NULL if empty */
};

/*
 * Reads one frame.  PARSE_BAD at the earliest octet that shows it: a version
 * other than 1, a type that is none of the above.  An abort is done after
 * two octets (consumed 2, no token).  PARSE_MORE says in *need how long the
 * whole frame is, as far as is known: 2 (it could be an abort), then 4.
 */
enum parse_result rfc1961_parse(const void *data, size_t len, size_t *need,
    size_t *consumed, struct rfc1961_frame *frame) must_check;

/* Writes the four octets in front of a token of token_len octets. */
void rfc1961_header(
    uint8_t out[RFC1961_HEADER], enum rfc1961_type type, uint16_t token_len);

#endif
