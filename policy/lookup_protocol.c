/* SPDX-License-Identifier: ISC */
/* A subject on the link between directory-lookup and the gateway. */
#include "policy/lookup_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "policy/provenance.h"
#include "policy/subject.h"

/* Bits of the first octet; no other is set. */
enum { HAS_DN = 1, IS_DISABLED = 2 };

static int
writer_new(struct wire_writer *writer)
{
	uint8_t *data = malloc(LOOKUP_MESSAGE_MAX);

	if (data == NULL)
		return -ENOMEM;
	wire_writer_init(writer, data, LOOKUP_MESSAGE_MAX);
	return 0;
}

int
lookup_subject_encode(
    const struct subject *subject, size_t first, uint8_t **data, size_t *len)
{
	uint8_t bits = (uint8_t)((subject->dn != NULL ? HAS_DN : 0) |
				 (subject->is_disabled ? IS_DISABLED : 0));
	struct wire_writer writer;

	*data = NULL;
	if (writer_new(&writer) != 0)
		return -ENOMEM;
	wire_put_u8(&writer, bits);
	wire_put_string(&writer, subject->dn != NULL ? subject->dn : "");
	wire_put_u32(&writer, (uint32_t)first);
	wire_put_u32(&writer, (uint32_t)subject->count);
	for (size_t i = first; i < subject->count; i++)
		wire_put_string(&writer, subject->groups[i]);
	if (writer.failed) {
		free(writer.data);
		return -EMSGSIZE;
	}
	*data = writer.data;
	*len = writer.len;
	return 0;
}

int
lookup_groups_encode(const struct subject *subject, size_t *first,
    uint32_t number, uint8_t **data, size_t *len)
{
	struct wire_writer writer;

	*data = NULL;
	if (writer_new(&writer) != 0)
		return -ENOMEM;
	wire_put_u32(&writer, number);
	while (*first < subject->count) {
		const char *group = subject->groups[*first];

		if (4 + strlen(group) > writer.size - writer.len)
			break;
		wire_put_string(&writer, group);
		++*first;
	}
	*data = writer.data;
	*len = writer.len;
	return 0;
}

/* All that is left are groups.  0 or -errno. */
static int
read_groups(struct wire_reader *reader, struct subject *subject)
{
	char dn[LOOKUP_DN_MAX];
	int result = 0;

	while (result == 0 && !reader->failed && wire_remaining(reader) > 0) {
		wire_get_string(reader, dn, sizeof(dn));
		if (!reader->failed)
			result = subject->count < LOOKUP_GROUPS_MAX
				     ? subject_add_group(subject, dn)
				     : -EINVAL;
	}
	return reader->failed ? -EINVAL : result;
}

uint32_t
lookup_groups_number(const void *data, size_t len)
{
	struct wire_reader reader;

	wire_reader_init(&reader, data, len);
	return wire_get_u32(&reader);
}

int
lookup_groups_decode(const void *data, size_t len, struct subject *ahead)
{
	struct wire_reader reader;

	wire_reader_init(&reader, data, len);
	(void)wire_get_u32(&reader);
	return read_groups(&reader, ahead);
}

/* Who it is, without groups.  NULL and errno. */
static struct subject *
read_subject(struct wire_reader *reader)
{
	char dn[LOOKUP_DN_MAX];
	struct subject *subject;
	uint8_t bits = wire_get_u8(reader);

	wire_get_string(reader, dn, sizeof(dn));
	if (reader->failed || (bits & ~(HAS_DN | IS_DISABLED)) != 0 ||
	    ((bits & HAS_DN) == 0 && *dn != '\0')) {
		errno = EINVAL;
		return NULL;
	}
	subject = subject_new((bits & HAS_DN) != 0 ? dn : NULL);
	if (subject != NULL)
		subject->is_disabled = (bits & IS_DISABLED) != 0;
	return subject;
}

/* Those that went ahead must all be there.  0 or -errno. */
static int
take_ahead(struct subject *subject, uint32_t count, struct subject *ahead)
{
	if (count == 0)
		return 0;
	if (ahead == NULL || ahead->count != count)
		return -EINVAL;
	subject_move_groups(subject, ahead);
	return 0;
}

struct subject *
lookup_subject_decode(const void *data, size_t len, struct subject *ahead)
{
	struct wire_reader reader;
	struct subject *subject;
	uint32_t first, count;
	int result;

	wire_reader_init(&reader, data, len);
	subject = read_subject(&reader);
	if (subject == NULL)
		return NULL;
	first = wire_get_u32(&reader);
	count = wire_get_u32(&reader);
	result = reader.failed ? -EINVAL : take_ahead(subject, first, ahead);
	if (result == 0)
		result = read_groups(&reader, subject);
	if (result == 0 && subject->count != count)
		result = -EINVAL;
	if (result == 0) {
		subject_finish(subject);
		return subject;
	}
	subject_unref(subject);
	errno = -result;
	return NULL;
}

/* ---- where the groups come from */

#define FINDING_SIZE 9 /* u8 origin, u32 through, and the string's length */

int
lookup_findings_encode(const struct provenance *provenance, size_t *first,
    uint32_t number, uint8_t **data, size_t *len)
{
	struct wire_writer writer;

	*data = NULL;
	if (writer_new(&writer) != 0)
		return -ENOMEM;
	wire_put_u32(&writer, number);
	for (; *first < provenance->count; ++*first) {
		const struct finding *finding = &provenance->findings[*first];

		if (FINDING_SIZE + strlen(finding->group) >
		    writer.size - writer.len)
			break;
		wire_put_u8(&writer, (uint8_t)finding->origin);
		wire_put_u32(&writer, finding->through);
		wire_put_string(&writer, finding->group);
	}
	*data = writer.data;
	*len = writer.len;
	return 0;
}

static int
read_finding(
    struct wire_reader *reader, struct provenance *found, struct subject *ahead)
{
	int result;
	char dn[LOOKUP_DN_MAX];
	uint8_t origin = wire_get_u8(reader);
	uint32_t through = wire_get_u32(reader);

	wire_get_string(reader, dn, sizeof(dn));
	if (reader->failed || origin >= ORIGIN_COUNT ||
	    ahead->count >= LOOKUP_GROUPS_MAX)
		return -EINVAL;
	result = provenance_add(found, dn, (enum origin)origin, through);
	return result != 0 ? result : subject_add_group(ahead, dn);
}

int
lookup_findings_decode(const void *data, size_t len, struct provenance *found,
    struct subject *ahead)
{
	struct wire_reader reader;
	int result = 0;

	wire_reader_init(&reader, data, len);
	(void)wire_get_u32(&reader);
	while (result == 0 && !reader.failed && wire_remaining(&reader) > 0)
		result = read_finding(&reader, found, ahead);
	return reader.failed ? -EINVAL : result;
}
