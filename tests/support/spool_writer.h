/* SPDX-License-Identifier: ISC */
/* Writes a spool as the auditor does: chained records in segments, and the
 * running key beside them. */
#ifndef TESTS_SUPPORT_SPOOL_WRITER_H
#define TESTS_SUPPORT_SPOOL_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/audit_chain.h"
#include "base/audit_record.h"

struct spool_writer {
	char folder[64]; /* the auditor's */
	char spool[80];	 /* within it */
	uint64_t segment_records;
	uint64_t sequence; /* of the last record */
	struct audit_chain chain;
};

/* The key of all that a writer writes. */
void spool_writer_key(uint8_t key[AUDIT_CHAIN_KEY_SIZE]);

/* In a new folder below /tmp; a segment has so many records. */
void spool_writer_open(struct spool_writer *writer, uint64_t segment_records);
/* Removes the folder, with whatever is in it. */
void spool_writer_close(struct spool_writer *writer);

/* So many records more; a record's number says what is in it. */
void spool_writer_append(struct spool_writer *writer, uint64_t count);

/* The record that has this number, and its line's message, which ends in NUL.
 * Returns the length. */
struct audit_record spool_writer_record(uint64_t sequence);
size_t spool_writer_message(uint64_t sequence, char message[AUDIT_RECORD_MAX]);

/* The lines of a segment, or of all; spool_writer_put writes what was read
 * into the segment that begins with this record, in place of what there is. */
char *spool_writer_get(
    const struct spool_writer *writer, uint64_t first, size_t *len);
void spool_writer_put(const struct spool_writer *writer, uint64_t first,
    const char *text, size_t len);
void spool_writer_remove(const struct spool_writer *writer, uint64_t first);

#endif
