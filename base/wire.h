/* SPDX-License-Identifier: ISC */
/*
 * Octets read and written in network byte order, with a sticky error: read
 * ten fields, ask once whether all were there.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct wire_reader {
	const uint8_t *data; /* borrowed */
	size_t len;
	size_t at;
	bool failed; /* something was asked that is not there */
};

struct wire_writer {
	uint8_t *data; /* borrowed */
	size_t size;
	size_t len;
	bool failed; /* something did not fit; nothing is written since */
};

void wire_reader_init(struct wire_reader *reader, const void *data, size_t len);
void wire_writer_init(struct wire_writer *writer, void *data, size_t size);

/* Each returns 0 (NULL) once the reader has failed. */
uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
const uint8_t *wire_get_bytes(struct wire_reader *reader, size_t len);

/* A 32-bit length and that many octets; *len is 0 on failure. */
const uint8_t *wire_get_counted(struct wire_reader *reader, size_t *len);

/*
 * A counted string into out[size], always ended by NUL.  Fails if it does
 * not fit or has a NUL inside.
 */
void wire_get_string(struct wire_reader *reader, char *out, size_t size);

size_t wire_remaining(const struct wire_reader *reader);

/* True if nothing failed and nothing is left over. */
bool wire_is_done(const struct wire_reader *reader) must_check;

void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_u64(struct wire_writer *writer, uint64_t value);
void wire_put_bytes(struct wire_writer *writer, const void *data, size_t len);
void wire_put_counted(struct wire_writer *writer, const void *data, size_t len);
void wire_put_string(struct wire_writer *writer, const char *text);

#endif
