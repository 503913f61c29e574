/* SPDX-License-Identifier: ISC */
/*
 * Segments written once more, into files of their own.
 *
 * Where fsync has failed, the kernel counts the pages that it could not write
 * as written: to ask again says nothing.  What they hold is still in memory.
 */
#include "gateway/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "base/write_whole.h"
#include "gateway/spool_private.h"

#define BESIDE	   "rewritten" /* no segment's name: left over, it is nothing */
#define PIECE_SIZE 65536

/* All of it, or -errno. */
static int
copy(int from, int to)
{
	char *piece = must_alloc(1, PIECE_SIZE);
	off_t at = 0;
	ssize_t got;
	int status = 0;

	while (status == 0 && (got = pread(from, piece, PIECE_SIZE, at)) != 0) {
		status = got < 0 ? -errno : write_whole(to, piece, (size_t)got);
		at += got;
	}
	free(piece);
	return status;
}

static int
rewrite_segment(const struct spool *spool, const struct spool_segment *segment)
{
	char name[SPOOL_NAME_SIZE];
	int from = spool_segment_open(spool, segment->first, O_RDONLY);
	int to, status;

	if (from < 0)
		return from;
	to = openat(spool->folder, BESIDE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	status = to < 0 ? -errno : copy(from, to);
	if (status == 0 && fsync(to) < 0)
		status = -errno;
	spool_segment_name(segment->first, name);
	if (status == 0 &&
	    (renameat(spool->folder, BESIDE, spool->folder, name) < 0 ||
		fsync(spool->folder) < 0))
		status = -errno;
	if (to >= 0)
		(void)close(to);
	(void)close(from);
	return status;
}

/* The descriptors are still those of the old files. */
static int
take_anew(struct spool *spool, const struct spool_segment *last)
{
	int fd = spool_segment_open(spool, last->first, O_RDWR | O_APPEND);

	if (fd < 0)
		return fd;
	(void)close(spool->fd);
	spool->fd = fd;
	if (spool->full >= 0)
		(void)close(spool->full);
	spool->full = -1;
	spool->is_new = false;
	return 0;
}

int
spool_rewrite(struct spool *spool)
{
	const struct spool_segment *last =
	    TAILQ_LAST(&spool->segments, spool_segments);
	const struct spool_segment *before =
	    last == NULL ? NULL : TAILQ_PREV(last, spool_segments, entry);
	int status = 0;

	if (last == NULL)
		return 0;
	if (before != NULL)
		status = rewrite_segment(spool, before);
	if (status == 0)
		status = rewrite_segment(spool, last);
	return status < 0 ? status : take_anew(spool, last);
}
