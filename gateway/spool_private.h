/* SPDX-License-Identifier: ISC */
/* What spool.c and spool_reader.c share. */
#ifndef GATEWAY_SPOOL_PRIVATE_H
#define GATEWAY_SPOOL_PRIVATE_H

#include <sys/queue.h>

#include "base/audit_chain.h"
#include "gateway/spool.h"

#define SPOOL_NAME_SIZE 32

struct spool_segment {
	TAILQ_ENTRY(spool_segment) entry;
	uint64_t first; /* the number of its first record */
	uint64_t size;
};

struct spool {
	int home;	  /* the auditor's folder */
	int folder;	  /* the segments' */
	int fd;		  /* the last segment, appended to; -1: none */
	bool is_new;	  /* it is not certain to be in the folder yet */
	int full;	  /* the segment before, not synced yet, or -1 */
	bool is_doubtful; /* a sync has failed */
	uint64_t size_max, segment_max, size, last;
	uint64_t keep_s, begun_s; /* begun: the last segment, wall clock */
	TAILQ_HEAD(spool_segments, spool_segment) segments;
	struct audit_chain chain;
};

/* The segment that has the record, or the first behind it; NULL: none. */
const struct spool_segment *
spool_segment_of(const struct spool *spool, uint64_t sequence) must_check;
/* Its file, by the number of its first record. */
void spool_segment_name(uint64_t first, char name[SPOOL_NAME_SIZE]);
/* The segment opened; a descriptor or -errno. */
int spool_segment_open(
    const struct spool *spool, uint64_t first, int flags) must_check;

#endif
