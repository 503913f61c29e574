/* SPDX-License-Identifier: ISC */
/* The auditor's spool, read in order. */
#include "gateway/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/audit_chain_line.h"
#include "base/log.h"
#include "base/must.h"

/* More than a line has. */
#define BUFFER_SIZE (64 * 1024)
_Static_assert(BUFFER_SIZE > AUDIT_CHAIN_LINE_MAX + 1, "a line fits");

struct spool_reader {
	const struct spool *spool;
	uint64_t next;	/* records before it are passed over */
	uint64_t first; /* of the segment that is open */
	int fd;		/* -1: none */
	uint64_t read_to;
	size_t begin, end; /* what the buffer has, and is not used yet */
	size_t line;	   /* of the record that was shown, with its LF */
	char buffer[BUFFER_SIZE];
};

struct spool_reader *
spool_reader_new(const struct spool *spool, uint64_t sequence)
{
	struct spool_reader *reader = must_alloc(1, sizeof(*reader));

	reader->spool = spool;
	reader->next = sequence;
	reader->fd = -1;
	return reader;
}

static void
leave_segment(struct spool_reader *reader)
{
	if (reader->fd >= 0)
		(void)close(reader->fd);
	reader->fd = -1;
	reader->begin = reader->end = reader->line = 0;
}

void
spool_reader_free(struct spool_reader *reader)
{
	if (reader == NULL)
		return;
	leave_segment(reader);
	free(reader);
}

/* 1 if it is open, 0 if there is none. */
static int
enter_segment(struct spool_reader *reader, const struct spool_segment *segment)
{
	if (segment == NULL)
		return 0;
	leave_segment(reader);
	reader->fd =
	    spool_segment_open(reader->spool, segment->first, O_RDONLY);
	if (reader->fd < 0)
		return reader->fd;
	reader->first = segment->first;
	reader->read_to = 0;
	return 1;
}

/* The first segment behind the one that is open. */
static const struct spool_segment *
segment_behind(const struct spool_reader *reader)
{
	const struct spool_segment *segment;

	TAILQ_FOREACH (segment, &reader->spool->segments, entry)
		if (segment->first > reader->first)
			return segment;
	return NULL;
}

/* Octets that came, or -errno. */
static ssize_t
fill(struct spool_reader *reader)
{
	ssize_t got;

	memmove(reader->buffer, reader->buffer + reader->begin,
	    reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
	got = pread(reader->fd, reader->buffer + reader->end,
	    BUFFER_SIZE - reader->end, (off_t)reader->read_to);
	if (got < 0)
		return -errno;
	reader->end += (size_t)got;
	reader->read_to += (uint64_t)got;
	return got;
}

/* The length of the next line with its LF in *len, 0 where the segment has
 * no more; or -errno. */
static int
next_line(struct spool_reader *reader, size_t *len)
{
	*len = 0;
	for (;;) {
		const char *begin = reader->buffer + reader->begin;
		size_t held = reader->end - reader->begin;
		const char *end = memchr(begin, '\n', held);
		ssize_t got;

		if (end != NULL) {
			*len = (size_t)(end - begin) + 1;
			return 0;
		}
		if (held == BUFFER_SIZE)
			return -EBADMSG; /* no line of ours */
		got = fill(reader);
		if (got <= 0)
			return (int)got;
	}
}

/* False if it is to be passed over. */
static bool
is_wanted(struct spool_reader *reader, size_t len, struct spool_record *record)
{
	struct audit_chain_line line;

	if (!audit_chain_line_parse(
		reader->buffer + reader->begin, len - 1, &line)) {
		log_error(NULL,
		    "the spool has a line that is no record of ours, in the "
		    "segment that begins with record %" PRIu64,
		    reader->first);
		return false;
	}
	if (line.sequence < reader->next)
		return false;
	record->sequence = line.sequence;
	record->message = line.message;
	record->len = line.len;
	reader->line = len;
	return true;
}

int
spool_reader_peek(struct spool_reader *reader, struct spool_record *record)
{
	size_t len;
	int status = 1;

	if (reader->fd < 0)
		status = enter_segment(
		    reader, spool_segment_of(reader->spool, reader->next));
	while (status > 0) {
		status = next_line(reader, &len);
		if (status < 0)
			break;
		if (len == 0) {
			status = enter_segment(reader, segment_behind(reader));
			continue;
		}
		if (is_wanted(reader, len, record))
			return 1;
		reader->begin += len;
		status = 1;
	}
	return status;
}

void
spool_reader_advance(struct spool_reader *reader)
{
	struct audit_chain_line line;

	must(reader->line > 0);
	must(audit_chain_line_parse(
	    reader->buffer + reader->begin, reader->line - 1, &line));
	reader->next = line.sequence + 1;
	reader->begin += reader->line;
	reader->line = 0;
}
