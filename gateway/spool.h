/* SPDX-License-Identifier: ISC */
/*
 * The auditor's spool: every record on disk, one line each, chained, in
 * segments to which is only ever appended.
 *
 * A folder of files %020u.log, each named after the number of its first
 * record; a line is MAC SP MESSAGE LF (base/audit_chain_line.h).  A line that
 * a crash left half written is cut off at the next start.  The key of the
 * chain is a file beside that folder (base/audit_chain_key.h).
 *
 * Results are 0 or -errno.
 */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct spool;

#define SPOOL_FOLDER	  "spool"
#define SPOOL_SEGMENT_MAX ((uint64_t)16 * 1024 * 1024) /* octets */
#define SPOOL_SEGMENTS	  8 /* at least, in a small spool */

/* Opens the spool below `folder` (a descriptor of the auditor's own folder,
 * borrowed), makes what is not there, and cuts off a torn end.  At most
 * `size_max` octets; keep_s is spool_prune's.  Dies without memory. */
int spool_open(int folder, uint64_t size_max, uint64_t keep_s,
    struct spool **spool) must_check;
void spool_close(struct spool *spool);

/* The number of the last record; 0 if there has never been one. */
uint64_t spool_last(const struct spool *spool);
/* The number that the next record must have at least: where the key file
 * has seen later epochs, records were lost. */
uint64_t spool_next(const struct spool *spool);
/* The number of the oldest record that is kept; 0 if there is none. */
uint64_t spool_first(const struct spool *spool);
/* Octets of all segments. */
uint64_t spool_size(const struct spool *spool);

/*
 * Appends a record, whole or not at all; `sequence` is spool_next or larger.
 * Segments whose records have all been forwarded (up to `forwarded`) are
 * removed where the room is needed; -ENOSPC if there is none left.
 */
int spool_append(struct spool *spool, uint64_t sequence, uint64_t forwarded,
    const char *message, size_t len) must_check;

/*
 * Removes segments to which nothing was appended for keep_s seconds and whose
 * records have all been forwarded; never the last.  A segment takes records of
 * one day then.  Nothing where keep_s is 0.
 */
void spool_prune(struct spool *spool, uint64_t forwarded);

/*
 * What must be synced so that all records up to now are on the disk: new
 * descriptors in fds, the caller's, and their count.  -errno where there is
 * none to be had; it is to be asked again then.
 */
#define SPOOL_SYNC_MAX 3
int spool_unsynced(struct spool *spool, int fds[SPOOL_SYNC_MAX]) must_check;

/* A sync has failed while a segment was put away: what counts as written may
 * be nowhere, and only spool_rewrite helps. */
bool spool_is_doubtful(const struct spool *spool) must_check;

/*
 * Writes what may not be on the disk, the last two segments, once more and
 * makes it durable: for after a sync that has failed.  Blocks.  0 or -errno;
 * then all is as it was.  No reader may be open.
 */
int spool_rewrite(struct spool *spool) must_check;

/* ---- reading, in order */

struct spool_reader;

/* From the record `sequence` on, or the oldest behind it.  Dies without
 * memory.  To be freed before the spool is closed. */
struct spool_reader *
spool_reader_new(const struct spool *spool, uint64_t sequence) must_check;
void spool_reader_free(struct spool_reader *reader);

struct spool_record {
	uint64_t sequence;
	const char *message; /* without NUL; until the next reading */
	size_t len;
};

/* 1: there is a record; it comes again until spool_reader_advance.  0: there
 * is none yet. */
int spool_reader_peek(
    struct spool_reader *reader, struct spool_record *record) must_check;
void spool_reader_advance(struct spool_reader *reader);

#endif
