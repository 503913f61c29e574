/* SPDX-License-Identifier: ISC */
/* Octets read and written in network byte order, with a sticky error. */
#include "base/wire.h"

#include <string.h>

void
wire_reader_init(struct wire_reader *reader, const void *data, size_t len)
{
	/* No data at all may be NULL; a pointer into it may not. */
	*reader = (struct wire_reader){
	    .data = len == 0 ? (const uint8_t *)"" : data,
	    .len = len,
	};
}

void
wire_writer_init(struct wire_writer *writer, void *data, size_t size)
{
	*writer = (struct wire_writer){.data = data, .size = size};
}

static uint64_t
get(struct wire_reader *reader, size_t octets)
{
	const uint8_t *bytes = wire_get_bytes(reader, octets);
	uint64_t value = 0;

	for (size_t i = 0; bytes != NULL && i < octets; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t
wire_get_u8(struct wire_reader *reader)
{
	return (uint8_t)get(reader, 1);
}

uint16_t
wire_get_u16(struct wire_reader *reader)
{
	return (uint16_t)get(reader, 2);
}

uint32_t
wire_get_u32(struct wire_reader *reader)
{
	return (uint32_t)get(reader, 4);
}

uint64_t
wire_get_u64(struct wire_reader *reader)
{
	return get(reader, 8);
}

const uint8_t *
wire_get_bytes(struct wire_reader *reader, size_t len)
{
	const uint8_t *bytes;

	if (len > wire_remaining(reader))
		reader->failed = true;
	if (reader->failed)
		return NULL;
	bytes = reader->data + reader->at;
	reader->at += len;
	return bytes;
}

const uint8_t *
wire_get_counted(struct wire_reader *reader, size_t *len)
{
	const uint8_t *bytes;

	*len = wire_get_u32(reader);
	bytes = wire_get_bytes(reader, *len);
	if (bytes == NULL)
		*len = 0;
	return bytes;
}

void
wire_get_string(struct wire_reader *reader, char *out, size_t size)
{
	size_t len;
	const uint8_t *bytes = wire_get_counted(reader, &len);

	out[0] = '\0';
	if (bytes == NULL)
		return;
	if (len >= size || memchr(bytes, '\0', len) != NULL) {
		reader->failed = true;
		return;
	}
	memcpy(out, bytes, len);
	out[len] = '\0';
}

size_t
wire_remaining(const struct wire_reader *reader)
{
	return reader->len - reader->at;
}

bool
wire_is_done(const struct wire_reader *reader)
{
	return !reader->failed && wire_remaining(reader) == 0;
}

static void
put(struct wire_writer *writer, uint64_t value, size_t octets)
{
	uint8_t bytes[8];

	for (size_t i = octets; i > 0; i--) {
		bytes[i - 1] = (uint8_t)value;
		value >>= 8;
	}
	wire_put_bytes(writer, bytes, octets);
}

void
wire_put_u8(struct wire_writer *writer, uint8_t value)
{
	put(writer, value, 1);
}

void
wire_put_u16(struct wire_writer *writer, uint16_t value)
{
	put(writer, value, 2);
}

void
wire_put_u32(struct wire_writer *writer, uint32_t value)
{
	put(writer, value, 4);
}

void
wire_put_u64(struct wire_writer *writer, uint64_t value)
{
	put(writer, value, 8);
}

void
wire_put_bytes(struct wire_writer *writer, const void *data, size_t len)
{
	if (len > writer->size - writer->len)
		writer->failed = true;
	if (writer->failed || len == 0)
		return;
	memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}

void
wire_put_counted(struct wire_writer *writer, const void *data, size_t len)
{
	if (len > UINT32_MAX)
		writer->failed = true;
	wire_put_u32(writer, (uint32_t)len);
	wire_put_bytes(writer, data, len);
}

void
wire_put_string(struct wire_writer *writer, const char *text)
{
	wire_put_counted(writer, text, strlen(text));
}
