/* SPDX-License-Identifier: ISC */
/*
 * The messages of RFC 1929: a name and a password, and what came of them.
 *
 * Names and passwords are counted octets and no C strings: empty ones and
 * those with a NUL inside are well formed here, and it is for who checks them
 * to refuse them.
 */
#ifndef BASE_RFC1929_H
#define BASE_RFC1929_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/parse.h"

#define RFC1929_VERSION	  1
#define RFC1929_HEADER	  2 /* version and the name's length */
#define RFC1929_FIELD_MAX 255
#define RFC1929_MAX	  (RFC1929_HEADER + 2 * RFC1929_FIELD_MAX + 1)
#define RFC1929_REPLY	  2

struct rfc1929_message {
	uint8_t user_len, password_len;
	const uint8_t *user, *password; /* inside the caller's data; NULL if
					 * empty */
};

/*
 * Reads `01 ulen user plen password` (RFC 1929 section 2).  PARSE_BAD at the
 * first octet if it is not 1; anything else is a message once it is whole.
 * PARSE_MORE says in *need how long it is as far as is known.
 */
enum parse_result rfc1929_parse(const void *data, size_t len, size_t *need,
    size_t *consumed, struct rfc1929_message *message) must_check;

/* Writes the reply: 01 00 for who is proved, 01 01 for all others. */
void rfc1929_reply(uint8_t out[RFC1929_REPLY], bool is_proved);

#endif
