/* SPDX-License-Identifier: ISC */
/*
 * The auditor's spool as it lies on a disk: a folder with segments, each named
 * after its first record's number, and their lines.
 *
 * It may be the one that the auditor writes to, or a copy.
 */
#ifndef CTL_SPOOL_H
#define CTL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/audit_chain_line.h"
#include "ctl/outcome.h"

#define SPOOL_DEFAULT LOCALSTATEDIR "/lib/gatewarden/auditor/spool"

struct spool;

struct spool_line {
	size_t segment;	  /* from 0 */
	uint64_t number;  /* within its segment, from 1 */
	uint64_t offset;  /* where it begins */
	const char *text; /* without its end */
	size_t len;	  /* AUDIT_CHAIN_LINE_MAX + 1: or longer */
	bool is_whole;	  /* it has an end */
};

/* Opens the folder and lists its segments; what else lies there is passed
 * over.  Not OUTCOME_OK: said on standard error. */
enum outcome spool_open(const char *path, struct spool **spool) must_check;
void spool_close(struct spool *spool); /* NULL is fine */

size_t spool_segment_count(const struct spool *spool);
/* Its file's name within the folder. */
const char *spool_segment_name(const struct spool *spool, size_t segment);

/* Opens the folder that the spool lies in, where the chain's key is kept: a
 * descriptor for the caller to close, or -errno. */
int spool_open_parent(const struct spool *spool) must_check;

/*
 * Calls `take` for each line, in order, until it returns false.  A segment that
 * was removed meanwhile has no lines.  Not OUTCOME_OK: said.
 */
enum outcome spool_each(struct spool *spool,
    bool (*take)(void *arg, const struct spool_line *line),
    void *arg) must_check;

/* Reads len octets of a segment again; false if they are not there. */
bool spool_read(struct spool *spool, size_t segment, uint64_t offset, void *out,
    size_t len) must_check;

#endif
