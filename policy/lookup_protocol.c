/* SPDX-License-Identifier: ISC */
/* A subject on the link between directory-lookup and the gateway. */
#include "policy/lookup_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/link.h"
#include "base/wire.h"
#include "policy/subject.h"

#define DN_MAX 8192 /* octets of one DN */

/* Bits of the first octet; no other is set. */
enum { HAS_DN = 1, IS_DISABLED = 2 };

int
lookup_subject_encode(
    const struct subject *subject, uint8_t **data, size_t *len)
{
	struct wire_writer writer;

	*data = malloc(LINK_MESSAGE_MAX);
	if (*data == NULL)
		return -ENOMEM;
	wire_writer_init(&writer, *data, LINK_MESSAGE_MAX);
	wire_put_u8(
	    &writer, (uint8_t)((subject->dn != NULL ? HAS_DN : 0) |
			       (subject->is_disabled ? IS_DISABLED : 0)));
	wire_put_string(&writer, subject->dn != NULL ? subject->dn : "");
	wire_put_u32(&writer, (uint32_t)subject->count);
	for (size_t i = 0; i < subject->count; i++)
		wire_put_string(&writer, subject->groups[i]);
	if (writer.failed) {
		free(*data);
		*data = NULL;
		return -EMSGSIZE;
	}
	*len = writer.len;
	return 0;
}

static struct subject *
read_subject(struct wire_reader *reader)
{
	char dn[DN_MAX];
	struct subject *subject;
	uint8_t bits = wire_get_u8(reader);
	uint32_t count;

	wire_get_string(reader, dn, sizeof(dn));
	count = wire_get_u32(reader);
	if (reader->failed || (bits & ~(HAS_DN | IS_DISABLED)) != 0 ||
	    ((bits & HAS_DN) == 0 && *dn != '\0')) {
		errno = EINVAL;
		return NULL;
	}
	subject = subject_new((bits & HAS_DN) != 0 ? dn : NULL);
	if (subject != NULL)
		subject->is_disabled = (bits & IS_DISABLED) != 0;
	for (uint32_t i = 0; subject != NULL && i < count; i++) {
		wire_get_string(reader, dn, sizeof(dn));
		errno =
		    reader->failed ? EINVAL : -subject_add_group(subject, dn);
		if (errno != 0) {
			subject_unref(subject);
			subject = NULL;
		}
	}
	return subject;
}

struct subject *
lookup_subject_decode(const void *data, size_t len)
{
	struct wire_reader reader;
	struct subject *subject;

	wire_reader_init(&reader, data, len);
	subject = read_subject(&reader);
	if (subject != NULL && !wire_is_done(&reader)) {
		subject_unref(subject);
		subject = NULL;
		errno = EINVAL;
	}
	if (subject != NULL)
		subject_finish(subject);
	return subject;
}
