/* SPDX-License-Identifier: ISC */
/*
 * What the gateway asks of directory-lookup, and its answer: one name, and
 * the DN and groups of whom it belongs to.
 */
#ifndef POLICY_LOOKUP_PROTOCOL_H
#define POLICY_LOOKUP_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct subject;

enum lookup_type {
	/* gateway to lookup, a question */
	LOOKUP_NAME = 1, /* string: the identity's name */
	/* lookup to gateway, with the question's id */
	LOOKUP_SUBJECT, /* lookup_subject_encode */
	LOOKUP_NOBODY,	/* the directory has no such user, and need not */
	LOOKUP_FAILED	/* string: why the directory did not say */
};

/* *data is malloc'ed.  0, -ENOMEM, or -EMSGSIZE when it is more than a
 * message of a link holds. */
int lookup_subject_encode(
    const struct subject *subject, uint8_t **data, size_t *len) must_check;

/* NULL and errno: EINVAL if the octets are not what the above writes. */
struct subject *lookup_subject_decode(const void *data, size_t len) must_check;

#endif
