/* SPDX-License-Identifier: ISC */
/* The auditor's spool: every record on disk. */
#include "gateway/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/audit_chain_key.h"
#include "base/audit_chain_line.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "gateway/spool_private.h"

#define NAME_DIGITS 20
#define DAY_S	    86400

/* Segments */

void
spool_segment_name(uint64_t first, char name[SPOOL_NAME_SIZE])
{
	(void)snprintf(name, SPOOL_NAME_SIZE, "%020" PRIu64 ".log", first);
}

/* False if the file is none of ours. */
static bool
parse_name(const char *name, uint64_t *first)
{
	char digits[NAME_DIGITS + 1], again[SPOOL_NAME_SIZE];
	const char *begin = digits;

	if (strlen(name) != NAME_DIGITS + strlen(".log"))
		return false;
	memcpy(digits, name, NAME_DIGITS);
	digits[NAME_DIGITS] = '\0';
	while (begin[0] == '0' && begin[1] != '\0')
		begin++;
	if (!text_parse_u64(begin, 1, UINT64_MAX, first))
		return false;
	spool_segment_name(*first, again);
	return strcmp(name, again) == 0;
}

int
spool_segment_open(const struct spool *spool, uint64_t first, int flags)
{
	char name[SPOOL_NAME_SIZE];
	int fd;

	spool_segment_name(first, name);
	fd = openat(spool->folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

const struct spool_segment *
spool_segment_of(const struct spool *spool, uint64_t sequence)
{
	const struct spool_segment *segment, *found = NULL;

	TAILQ_FOREACH (segment, &spool->segments, entry) {
		if (found != NULL && segment->first > sequence)
			break;
		found = segment;
	}
	return found;
}

static struct spool_segment *
add_segment(struct spool *spool, uint64_t first, uint64_t size)
{
	struct spool_segment *segment = must_alloc(1, sizeof(*segment));
	struct spool_segment *behind;

	segment->first = first;
	segment->size = size;
	spool->size += size;
	TAILQ_FOREACH (behind, &spool->segments, entry) {
		if (behind->first > first) {
			TAILQ_INSERT_BEFORE(behind, segment, entry);
			return segment;
		}
	}
	TAILQ_INSERT_TAIL(&spool->segments, segment, entry);
	return segment;
}

static void
forget_segment(struct spool *spool, struct spool_segment *segment)
{
	TAILQ_REMOVE(&spool->segments, segment, entry);
	spool->size -= segment->size;
	free(segment);
}

static int
remove_segment(struct spool *spool, struct spool_segment *segment)
{
	char name[SPOOL_NAME_SIZE];

	spool_segment_name(segment->first, name);
	if (unlinkat(spool->folder, name, 0) < 0 && errno != ENOENT)
		return -errno;
	forget_segment(spool, segment);
	return 0;
}

static int
list_segments(struct spool *spool)
{
	int copy = openat(spool->folder, ".", O_RDONLY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *file;
	struct stat status;
	uint64_t first;

	if (folder == NULL) {
		int error = errno;

		if (copy >= 0)
			(void)close(copy);
		return -error;
	}
	while ((file = readdir(folder)) != NULL)
		if (parse_name(file->d_name, &first) &&
		    fstatat(spool->folder, file->d_name, &status,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(status.st_mode))
			(void)add_segment(
			    spool, first, (uint64_t)status.st_size);
	(void)closedir(folder);
	return 0;
}

/* Recovery */

/* The last whole line that ends at or before `end`: where it begins, and what
 * it says.  0 in *begins and sequence 0 if there is none. */
struct last_line {
	uint64_t begins, ends; /* ends: behind its LF */
	uint64_t sequence;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
};

/* Reads `size` octets up to `end`; false if the file is not what it was. */
static bool
read_at(int fd, char *octets, size_t size, uint64_t from)
{
	return pread(fd, octets, size, (off_t)from) == (ssize_t)size;
}

/*
 * The tail has room for the last whole line and a torn one behind it: neither
 * is longer than a line may be.
 */
#define TAIL_MAX (2 * (AUDIT_CHAIN_LINE_MAX + 1))

static bool
find_last_line(int fd, uint64_t end, struct last_line *line)
{
	char tail[TAIL_MAX];
	size_t size = end < TAIL_MAX ? (size_t)end : TAIL_MAX;
	uint64_t base = end - size;
	struct audit_chain_line parsed;
	size_t finish, begin;

	memset(line, 0, sizeof(*line));
	if (!read_at(fd, tail, size, base))
		return false;
	for (finish = size; finish > 0; finish = begin) {
		/* A line ends at finish, with its LF. */
		if (tail[finish - 1] != '\n') {
			begin = finish - 1;
			continue;
		}
		for (begin = finish - 1; begin > 0; begin--)
			if (tail[begin - 1] == '\n')
				break;
		if (audit_chain_line_parse(
			tail + begin, finish - 1 - begin, &parsed) &&
		    parsed.sequence != 0)
			break;
	}
	if (finish == 0)
		return true;
	line->begins = base + begin;
	line->ends = base + finish;
	line->sequence = parsed.sequence;
	memcpy(line->mac, parsed.mac, sizeof(line->mac));
	return true;
}

static void
take_end(struct spool *spool, const struct last_line *line)
{
	spool->last = line->sequence;
	memcpy(spool->chain.mac, line->mac, sizeof(spool->chain.mac));
}

/* When something was last appended to it, by the wall clock. */
static uint64_t
written_s(const struct spool *spool, const struct spool_segment *segment)
{
	char name[SPOOL_NAME_SIZE];
	struct stat status;

	spool_segment_name(segment->first, name);
	if (fstatat(spool->folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return clock_wall_us() / 1000000;
	return (uint64_t)status.st_mtime;
}

static int
recover_segment(
    struct spool *spool, struct spool_segment *segment, bool *is_empty)
{
	struct last_line line;
	int fd = spool_segment_open(spool, segment->first, O_RDWR | O_APPEND);

	if (fd < 0)
		return fd;
	if (!find_last_line(fd, segment->size, &line)) {
		(void)close(fd);
		return -EIO;
	}
	if (line.ends < segment->size) {
		log_warning(NULL,
		    "the spool's last record was not written whole: %" PRIu64
		    " octets are cut off behind record %" PRIu64,
		    segment->size - line.ends, line.sequence);
		if (ftruncate(fd, (off_t)line.ends) < 0) {
			int error = errno;

			(void)close(fd);
			return -error;
		}
		spool->size -= segment->size - line.ends;
		segment->size = line.ends;
	}
	*is_empty = line.sequence == 0;
	if (*is_empty) {
		(void)close(fd);
		return remove_segment(spool, segment);
	}
	take_end(spool, &line);
	spool->fd = fd;
	spool->begun_s = written_s(spool, segment);
	return 0;
}

static int
recover(struct spool *spool)
{
	struct spool_segment *segment;
	bool is_empty = true;
	int status = 0;

	while (status == 0 && is_empty &&
	       (segment = TAILQ_LAST(&spool->segments, spool_segments)) != NULL)
		status = recover_segment(spool, segment, &is_empty);
	return status;
}

/* A kill took the auditor that should have synced the last two. */
static int
take_unsynced(struct spool *spool)
{
	const struct spool_segment *last =
	    TAILQ_LAST(&spool->segments, spool_segments);
	const struct spool_segment *before =
	    last == NULL ? NULL : TAILQ_PREV(last, spool_segments, entry);

	spool->is_new = last != NULL;
	if (before == NULL)
		return 0;
	spool->full = spool_segment_open(spool, before->first, O_RDONLY);
	return spool->full < 0 ? spool->full : 0;
}

/* The chain's key */

static int
make_key(struct spool *spool)
{
	uint8_t k0[AUDIT_CHAIN_KEY_SIZE];
	int status;

	if (getrandom(k0, sizeof(k0), 0) != sizeof(k0))
		return -EIO;
	audit_chain_init(&spool->chain, k0);
	explicit_bzero(k0, sizeof(k0));
	status = audit_chain_key_write(spool->home, &spool->chain);
	if (status == 0)
		log_warning(NULL,
		    "the audit records' chain has begun with a key that nobody "
		    "was told: gatewardenctl audit init, before the first "
		    "start, makes one by which they can be verified");
	return status;
}

static int
open_key(struct spool *spool)
{
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	int status;

	memcpy(mac, spool->chain.mac, sizeof(mac));
	status = audit_chain_key_read(spool->home, &spool->chain);
	if (status == -ENOENT)
		status = make_key(spool);
	memcpy(spool->chain.mac, mac, sizeof(mac));
	return status;
}

/* The key of an epoch is on disk before its first record, and the key before
 * it is gone by then. */
static int
turn_key(struct spool *spool, uint64_t sequence)
{
	uint64_t epoch = audit_chain_epoch(sequence);

	if (epoch == spool->chain.epoch)
		return 0;
	audit_chain_turn(&spool->chain, epoch);
	return audit_chain_key_write(spool->home, &spool->chain);
}

/* Beginning and end */

static int
open_folder(struct spool *spool)
{
	if (mkdirat(spool->home, SPOOL_FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	spool->folder = openat(spool->home, SPOOL_FOLDER,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return spool->folder < 0 ? -errno : 0;
}

static struct spool *
spool_new(uint64_t size_max)
{
	struct spool *spool = must_alloc(1, sizeof(*spool));

	spool->home = spool->folder = spool->fd = spool->full = -1;
	spool->size_max = size_max;
	spool->segment_max = size_max / SPOOL_SEGMENTS < SPOOL_SEGMENT_MAX
				 ? size_max / SPOOL_SEGMENTS
				 : SPOOL_SEGMENT_MAX;
	TAILQ_INIT(&spool->segments);
	return spool;
}

int
spool_open(int folder, uint64_t size_max, uint64_t keep_s, struct spool **spool)
{
	struct spool *opened = spool_new(size_max);
	int status = 0;

	opened->keep_s = keep_s;
	opened->home = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	if (opened->home < 0)
		status = -errno;
	if (status == 0)
		status = open_folder(opened);
	if (status == 0)
		status = list_segments(opened);
	if (status == 0)
		status = recover(opened);
	if (status == 0)
		status = take_unsynced(opened);
	if (status == 0)
		status = open_key(opened);
	if (status < 0) {
		spool_close(opened);
		return status;
	}
	*spool = opened;
	return 0;
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void
spool_close(struct spool *spool)
{
	struct spool_segment *segment;

	if (spool == NULL)
		return;
	while ((segment = TAILQ_FIRST(&spool->segments)) != NULL)
		forget_segment(spool, segment);
	close_if_open(spool->fd);
	close_if_open(spool->full);
	close_if_open(spool->folder);
	close_if_open(spool->home);
	audit_chain_wipe(&spool->chain);
	free(spool);
}

uint64_t
spool_last(const struct spool *spool)
{
	return spool->last;
}

uint64_t
spool_next(const struct spool *spool)
{
	uint64_t epoch_begins = spool->chain.epoch * AUDIT_EPOCH_RECORDS + 1;

	return spool->last + 1 > epoch_begins ? spool->last + 1 : epoch_begins;
}

uint64_t
spool_first(const struct spool *spool)
{
	const struct spool_segment *segment = TAILQ_FIRST(&spool->segments);

	return segment != NULL ? segment->first : 0;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->size;
}

/* Appending */

static bool
is_forwarded(const struct spool_segment *segment, uint64_t forwarded)
{
	const struct spool_segment *next = TAILQ_NEXT(segment, entry);

	return next != NULL && next->first <= forwarded + 1;
}

/* For the longest line: what is shorter does not go in where that would not,
 * so that the spool is full for all records or for none. */
static int
make_room(struct spool *spool, uint64_t forwarded)
{
	while (spool->size + AUDIT_CHAIN_LINE_MAX + 1 > spool->size_max) {
		struct spool_segment *oldest = TAILQ_FIRST(&spool->segments);
		int status;

		if (oldest == NULL || !is_forwarded(oldest, forwarded))
			return -ENOSPC;
		status = remove_segment(spool, oldest);
		if (status < 0)
			return status;
	}
	return 0;
}

void
spool_prune(struct spool *spool, uint64_t forwarded)
{
	uint64_t now_s = clock_wall_us() / 1000000;
	struct spool_segment *oldest;

	while (spool->keep_s > 0 &&
	       (oldest = TAILQ_FIRST(&spool->segments)) != NULL &&
	       is_forwarded(oldest, forwarded) &&
	       written_s(spool, oldest) + spool->keep_s < now_s)
		if (remove_segment(spool, oldest) < 0)
			return;
}

bool
spool_is_doubtful(const struct spool *spool)
{
	return spool->is_doubtful;
}

/* A segment that is full is still to be synced; one at a time. */
static int
put_away(struct spool *spool)
{
	if (spool->full >= 0) {
		/* Two in one turn of the loop: nobody could sync it yet. */
		if (fdatasync(spool->full) < 0) {
			spool->is_doubtful = true;
			return -errno;
		}
		(void)close(spool->full);
	}
	spool->full = spool->fd;
	spool->fd = -1;
	return 0;
}

static int
begin_segment(struct spool *spool, uint64_t first)
{
	int status = spool->fd >= 0 ? put_away(spool) : 0;
	int fd;

	if (status < 0)
		return status;
	fd = spool_segment_open(
	    spool, first, O_RDWR | O_APPEND | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	spool->fd = fd;
	spool->is_new = true;
	spool->begun_s = clock_wall_us() / 1000000;
	(void)add_segment(spool, first, 0);
	return 0;
}

/* So that what is too old is a segment of its own. */
static bool
is_of_yesterday(const struct spool *spool)
{
	return spool->keep_s > 0 &&
	       clock_wall_us() / 1000000 >= spool->begun_s + DAY_S;
}

static int
need_segment(struct spool *spool, uint64_t sequence, size_t size)
{
	const struct spool_segment *last =
	    TAILQ_LAST(&spool->segments, spool_segments);

	if (spool->fd >= 0 && last->size + size <= spool->segment_max &&
	    !is_of_yesterday(spool))
		return 0;
	return begin_segment(spool, sequence);
}

static int
write_line(
    struct spool *spool, const char *prefix, const char *message, size_t len)
{
	struct spool_segment *last =
	    TAILQ_LAST(&spool->segments, spool_segments);
	char end[] = "\n";
	struct iovec parts[] = {
	    {(void *)(uintptr_t)prefix, AUDIT_CHAIN_PREFIX},
	    {(void *)(uintptr_t)message, len},
	    {end, 1},
	};
	size_t size = AUDIT_CHAIN_PREFIX + len + 1;
	ssize_t written = writev(spool->fd, parts, ARRAY_COUNT(parts));
	int error = written < 0 ? errno : ENOSPC;

	if (written == (ssize_t)size) {
		last->size += size;
		spool->size += size;
		return 0;
	}
	/* What cannot be taken back is cut off at the next start. */
	if (written > 0 && ftruncate(spool->fd, (off_t)last->size) < 0)
		error = errno;
	return -error;
}

int
spool_append(struct spool *spool, uint64_t sequence, uint64_t forwarded,
    const char *message, size_t len)
{
	char prefix[AUDIT_CHAIN_PREFIX + 1];
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	size_t size = AUDIT_CHAIN_PREFIX + len + 1;
	int status;

	must(sequence >= spool_next(spool));
	must(len < AUDIT_RECORD_MAX && memchr(message, '\n', len) == NULL);
	status = make_room(spool, forwarded);
	if (status == 0)
		status = turn_key(spool, sequence);
	if (status == 0)
		status = need_segment(spool, sequence, size);
	if (status < 0)
		return status;
	audit_chain_mac(&spool->chain, spool->chain.mac, message, len, mac);
	audit_chain_line_prefix(mac, prefix);
	status = write_line(spool, prefix, message, len);
	if (status < 0)
		return status;
	memcpy(spool->chain.mac, mac, sizeof(mac));
	spool->last = sequence;
	return 0;
}

static int
copy_of(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

int
spool_unsynced(struct spool *spool, int fds[SPOOL_SYNC_MAX])
{
	const int wanted[] = {
	    spool->full, spool->fd, spool->is_new ? spool->folder : -1};
	int count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
		int copy = wanted[i] >= 0 ? copy_of(wanted[i]) : -1;

		if (wanted[i] >= 0 && copy < 0) {
			while (count > 0)
				(void)close(fds[--count]);
			return copy;
		}
		if (copy >= 0)
			fds[count++] = copy;
	}
	close_if_open(spool->full);
	spool->full = -1;
	spool->is_new = false;
	return count;
}
