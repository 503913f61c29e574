/* SPDX-License-Identifier: ISC */
/* Who was proved: fixed at authentication, the same until the session ends. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/method.h"

/* A principal longer than this is refused, never cut. */
#define IDENTITY_NAME_MAX  512
#define IDENTITY_NAME_SIZE (IDENTITY_NAME_MAX + 1)

/* The same for all indicators of a ticket together. */
#define IDENTITY_INDICATORS_SIZE 128

struct identity {
	char name[IDENTITY_NAME_SIZE]; /* principal@REALM, whole */
	enum method method;
	/* How it was proved, e.g. "krb5"; a static string. */
	const char *mechanism;
	/* Authentication indicators that the ticket carries, with a space
	 * between two. */
	char indicators[IDENTITY_INDICATORS_SIZE];
	/* When what proved it ends, by the monotonic clock; 0 never. */
	uint64_t expires_us;
};

/*
 * True for a name that may be an identity: 1 to IDENTITY_NAME_MAX octets of
 * printable ASCII or valid UTF-8 without controls.
 */
bool identity_name_is_valid(const char *name, size_t len) must_check;

#endif
