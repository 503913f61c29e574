/* SPDX-License-Identifier: ISC */
/*
 * The values that LDAP content synchronisation (RFC 4533) adds to LDAP: the
 * request's control, the state of an entry, and what a server says between
 * entries.
 */
#ifndef BASE_RFC4533_H
#define BASE_RFC4533_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/parse.h"

#define RFC4533_REQUEST_OID "1.3.6.1.4.1.4203.1.9.1.1" /* a control */
#define RFC4533_STATE_OID   "1.3.6.1.4.1.4203.1.9.1.2" /* a control */
#define RFC4533_INFO_OID    "1.3.6.1.4.1.4203.1.9.1.4" /* a message */

#define RFC4533_UUID_SIZE  16
#define RFC4533_COOKIE_MAX 1024 /* octets that we send */
/* What a request needs around its cookie. */
#define RFC4533_REQUEST_SIZE (RFC4533_COOKIE_MAX + 16)

/*
 * Writes the control's value of a refreshAndPersist request (section 2.2)
 * with that cookie, or without one if cookie_len is 0.  Its length; 0 if the
 * cookie is longer than RFC4533_COOKIE_MAX.
 */
size_t rfc4533_print_request(uint8_t out[RFC4533_REQUEST_SIZE],
    const void *cookie, size_t cookie_len) must_check;

/* What became of an entry (section 2.3). */
enum rfc4533_change {
	RFC4533_PRESENT = 0, /* unchanged; only during a refresh */
	RFC4533_ADD = 1,
	RFC4533_MODIFY = 2,
	RFC4533_DELETE = 3
};

struct rfc4533_state {
	enum rfc4533_change change;
	const uint8_t *uuid; /* RFC4533_UUID_SIZE octets of the value */
};

/* The value of the control that comes with an entry.  DONE or BAD. */
enum parse_result rfc4533_parse_state(
    const void *value, size_t len, struct rfc4533_state *state) must_check;

/* What a message between entries is about (section 2.5). */
enum rfc4533_info_kind {
	RFC4533_NEW_COOKIE,
	RFC4533_REFRESH_DELETE,	 /* the end of a delete phase */
	RFC4533_REFRESH_PRESENT, /* the end of a present phase */
	RFC4533_ID_SET /* of entries that were deleted, or are there */
};

struct rfc4533_info {
	enum rfc4533_info_kind kind;
	bool is_done;	   /* the refresh is over; of the two phases' ends */
	bool are_deleted;  /* of an id set: gone, and not present */
	size_t uuid_count; /* of an id set */
};

/* The value of the message.  DONE or BAD. */
enum parse_result rfc4533_parse_info(
    const void *value, size_t len, struct rfc4533_info *info) must_check;

#endif
