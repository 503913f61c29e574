/* SPDX-License-Identifier: ISC */
/* A directory entry as plain data: a DN and its attributes' values. */
#include "policy/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/link.h"
#include "base/wire.h"

/* More than any directory gives one entry; bounds the work of decoding. */
#define ATTRIBUTES_MAX 1000

struct entry *
entry_new(const char *dn)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->dn = strdup(dn);
	if (entry->dn == NULL) {
		entry_free(entry);
		return NULL;
	}
	return entry;
}

void
entry_free(struct entry *entry)
{
	if (entry == NULL)
		return;
	for (size_t i = 0; i < entry->count; i++) {
		struct entry_attribute *attribute = &entry->attributes[i];

		for (size_t j = 0; j < attribute->count; j++)
			free(attribute->values[j].octets);
		free(attribute->values);
		free(attribute->name);
	}
	free(entry->attributes);
	free(entry->dn);
	free(entry);
}

/* An attribute's name ends where its options begin (RFC 4512 section 2.5). */
static size_t
name_len(const char *name)
{
	return strcspn(name, ";");
}

static struct entry_attribute *
find(const struct entry *entry, const char *name)
{
	size_t len = name_len(name);

	for (size_t i = 0; i < entry->count; i++) {
		struct entry_attribute *attribute = &entry->attributes[i];

		if (strncasecmp(attribute->name, name, len) == 0 &&
		    attribute->name[len] == '\0')
			return attribute;
	}
	return NULL;
}

static struct entry_attribute *
add_attribute(struct entry *entry, const char *name)
{
	struct entry_attribute *grown;
	char *copy = strndup(name, name_len(name));

	if (copy == NULL)
		return NULL;
	grown =
	    reallocarray(entry->attributes, entry->count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(copy);
		return NULL;
	}
	entry->attributes = grown;
	grown[entry->count] = (struct entry_attribute){.name = copy};
	return &grown[entry->count++];
}

static int
add_value(struct entry_attribute *attribute, const void *value, size_t len)
{
	struct entry_value *grown;
	uint8_t *octets = malloc(len + 1);

	if (octets == NULL)
		return -ENOMEM;
	grown = reallocarray(
	    attribute->values, attribute->count + 1, sizeof(*grown));
	if (grown == NULL) {
		free(octets);
		return -ENOMEM;
	}
	if (len > 0)
		memcpy(octets, value, len);
	octets[len] = '\0';
	attribute->values = grown;
	grown[attribute->count++] = (struct entry_value){len, octets};
	return 0;
}

int
entry_add(struct entry *entry, const char *name, const void *value, size_t len)
{
	struct entry_attribute *attribute = find(entry, name);

	if (attribute == NULL)
		attribute = add_attribute(entry, name);
	return attribute == NULL ? -ENOMEM : add_value(attribute, value, len);
}

const struct entry_attribute *
entry_find(const struct entry *entry, const char *name)
{
	const struct entry_attribute *attribute = find(entry, name);

	/* A first value that found no memory leaves a name without values. */
	return attribute != NULL && attribute->count > 0 ? attribute : NULL;
}

bool
entry_is_a(const struct entry *entry, const char *class)
{
	const struct entry_attribute *classes =
	    entry_find(entry, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->count; i++)
		if (strcasecmp(
			(const char *)classes->values[i].octets, class) == 0)
			return true;
	return false;
}

/*
 * DN, number of attributes, and for each its name, number of values and the
 * values.  Texts and values are counted.
 */
static size_t
encoded_len(const struct entry *entry)
{
	size_t len = 4 + strlen(entry->dn) + 4;

	for (size_t i = 0; i < entry->count; i++) {
		const struct entry_attribute *attribute = &entry->attributes[i];

		len += 4 + strlen(attribute->name) + 4;
		for (size_t j = 0; j < attribute->count; j++)
			len += 4 + attribute->values[j].len;
	}
	return len;
}

static void
write_attribute(
    struct wire_writer *writer, const struct entry_attribute *attribute)
{
	wire_put_string(writer, attribute->name);
	wire_put_u32(writer, (uint32_t)attribute->count);
	for (size_t i = 0; i < attribute->count; i++)
		wire_put_counted(writer, attribute->values[i].octets,
		    attribute->values[i].len);
}

int
entry_encode(const struct entry *entry, uint8_t **data, size_t *len)
{
	struct wire_writer writer;
	size_t size = encoded_len(entry);
	uint8_t *buf;

	if (size > LINK_MESSAGE_MAX || entry->count > ATTRIBUTES_MAX)
		return -EMSGSIZE;
	buf = malloc(size);
	if (buf == NULL)
		return -ENOMEM;
	wire_writer_init(&writer, buf, size);
	wire_put_string(&writer, entry->dn);
	wire_put_u32(&writer, (uint32_t)entry->count);
	for (size_t i = 0; i < entry->count; i++)
		write_attribute(&writer, &entry->attributes[i]);
	*data = buf;
	*len = size;
	return 0;
}

/* A counted text, malloc'ed.  NULL and errno if there is none. */
static char *
read_text(struct wire_reader *reader)
{
	size_t len;
	const uint8_t *octets = wire_get_counted(reader, &len);

	if (reader->failed || memchr(octets, '\0', len) != NULL) {
		errno = EINVAL;
		return NULL;
	}
	return strndup((const char *)octets, len);
}

/* 0 or -errno. */
static int
read_values(struct wire_reader *reader, struct entry *entry, const char *name)
{
	uint32_t count = wire_get_u32(reader);

	for (uint32_t i = 0; i < count; i++) {
		size_t len;
		const uint8_t *octets = wire_get_counted(reader, &len);
		int error;

		if (reader->failed)
			return -EINVAL;
		error = entry_add(entry, name, octets, len);
		if (error != 0)
			return error;
	}
	return reader->failed ? -EINVAL : 0;
}

static int
read_attributes(struct wire_reader *reader, struct entry *entry)
{
	uint32_t count = wire_get_u32(reader);

	if (count > ATTRIBUTES_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		char *name = read_text(reader);
		int error;

		if (name == NULL)
			return -errno;
		error = read_values(reader, entry, name);
		free(name);
		if (error != 0)
			return error;
	}
	return wire_is_done(reader) ? 0 : -EINVAL;
}

struct entry *
entry_decode(const void *data, size_t len)
{
	struct wire_reader reader;
	struct entry *entry;
	char *dn;
	int error;

	wire_reader_init(&reader, data, len);
	dn = read_text(&reader);
	if (dn == NULL)
		return NULL;
	entry = entry_new(dn);
	free(dn);
	if (entry == NULL)
		return NULL;
	error = read_attributes(&reader, entry);
	if (error != 0) {
		entry_free(entry);
		errno = -error;
		return NULL;
	}
	return entry;
}
