/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the reader and the writer: the input says which fields are read off
 * itself; what could be read is written and must be the same octets.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/wire.h"

#define FIELDS_MAX 64
#define OUT_SIZE   8192
#define TEXT_SIZE  40

enum field { U8, U16, U32, U64, BYTES, COUNTED, STRING, FIELD_COUNT };

/* Copies one field from reader to writer. */
static void
copy(struct wire_reader *reader, struct wire_writer *writer, unsigned field)
{
	const uint8_t *bytes;
	char text[TEXT_SIZE];
	size_t len = field / FIELD_COUNT;

	switch ((enum field)(field % FIELD_COUNT)) {
	case U8:
		wire_put_u8(writer, wire_get_u8(reader));
		break;
	case U16:
		wire_put_u16(writer, wire_get_u16(reader));
		break;
	case U32:
		wire_put_u32(writer, wire_get_u32(reader));
		break;
	case U64:
		wire_put_u64(writer, wire_get_u64(reader));
		break;
	case BYTES:
		bytes = wire_get_bytes(reader, len);
		property((bytes == NULL) == reader->failed);
		if (bytes != NULL)
			wire_put_bytes(writer, bytes, len);
		break;
	case COUNTED:
		bytes = wire_get_counted(reader, &len);
		property((bytes == NULL) == reader->failed);
		property(bytes != NULL || len == 0);
		wire_put_counted(writer, bytes, len);
		break;
	case STRING:
		wire_get_string(reader, text, sizeof(text));
		property(memchr(text, '\0', sizeof(text)) != NULL);
		wire_put_string(writer, text);
		break;
	case FIELD_COUNT:
		break;
	}
}

/* A reader that has failed gives nothing any more. */
static void
check_failed(struct wire_reader *reader)
{
	size_t at = reader->at, len;

	property(!wire_is_done(reader));
	property(wire_get_u8(reader) == 0);
	property(wire_get_u16(reader) == 0);
	property(wire_get_u32(reader) == 0);
	property(wire_get_u64(reader) == 0);
	property(wire_get_bytes(reader, 0) == NULL);
	property(wire_get_counted(reader, &len) == NULL && len == 0);
	property(reader->at == at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[OUT_SIZE];
	struct wire_reader reader;
	struct wire_writer writer;
	size_t fields, good_len = 0;

	if (size < 2)
		return 0;
	fields = data[0] % FIELDS_MAX;
	wire_writer_init(&writer, out, (size_t)data[1] * 16);
	data += 2;
	size -= 2;
	if (fields > size)
		fields = size;
	wire_reader_init(&reader, data + fields, size - fields);
	for (size_t i = 0; i < fields && !reader.failed; i++) {
		property(reader.at <= reader.len);
		if (!writer.failed)
			good_len = writer.len;
		copy(&reader, &writer, data[i]);
		property(writer.len <= writer.size);
		if (!reader.failed && !writer.failed)
			good_len = writer.len;
	}
	if (reader.failed)
		check_failed(&reader);
	property(wire_is_done(&reader) ==
		 (!reader.failed && wire_remaining(&reader) == 0));
	property(good_len == 0 || memcmp(out, data + fields, good_len) == 0);
	return 0;
}
