/* SPDX-License-Identifier: ISC */
/* The auditor's spool as it lies on a disk. */
#include "ctl/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

#define NAME_DIGITS 20
#define NAME_END    ".log"
#define NAME_SIZE   (NAME_DIGITS + sizeof(NAME_END))
#define BUFFER_SIZE (256 * 1024)
#define LINE_MOST   (AUDIT_CHAIN_LINE_MAX + 1)

struct segment {
	char name[NAME_SIZE];
};

/* A piece of one segment. */
struct window {
	int fd; /* -1: of none */
	size_t segment;
	uint64_t offset;
	size_t len;
	char octets[BUFFER_SIZE];
};

struct spool {
	char *path;
	int folder;
	size_t count, room;
	struct segment *segments;
	struct window window;
	char beginning[LINE_MOST]; /* of a line that the window is too small for
				    */
};

/* ---- the folder */

static bool
is_segment(const char *name)
{
	return strspn(name, "0123456789") == NAME_DIGITS &&
	       strcmp(name + NAME_DIGITS, NAME_END) == 0;
}

static void
add_segment(struct spool *spool, const char *name)
{
	if (spool->count == spool->room) {
		spool->room = 2 * spool->room + 64;
		spool->segments = reallocarray(
		    spool->segments, spool->room, sizeof(*spool->segments));
		if (spool->segments == NULL)
			die("out of memory");
	}
	(void)strlcpy(spool->segments[spool->count++].name, name, NAME_SIZE);
}

static int
compare_names(const void *a, const void *b)
{
	const struct segment *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* 0 or -errno. */
static int
list_segments(struct spool *spool)
{
	int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int status;

	if (dir == NULL) {
		status = -errno;
		if (fd >= 0)
			(void)close(fd);
		return status;
	}
	errno = 0;
	while ((entry = readdir(dir)) != NULL)
		if (is_segment(entry->d_name))
			add_segment(spool, entry->d_name);
	status = -errno;
	(void)closedir(dir);
	if (spool->count > 0)
		qsort(spool->segments, spool->count, sizeof(*spool->segments),
		    compare_names);
	return status;
}

enum outcome
spool_open(const char *path, struct spool **spool)
{
	struct spool *made = must_alloc(1, sizeof(*made));
	int status = 0;

	made->path = must_strdup(path);
	made->window.fd = -1;
	made->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = made->folder < 0 ? -errno : list_segments(made);
	if (status == 0) {
		*spool = made;
		return OUTCOME_OK;
	}
	*spool = NULL;
	spool_close(made);
	return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s", path,
	    strerror(-status));
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->window.fd >= 0)
		(void)close(spool->window.fd);
	if (spool->folder >= 0)
		(void)close(spool->folder);
	free(spool->segments);
	free(spool->path);
	free(spool);
}

size_t
spool_segment_count(const struct spool *spool)
{
	return spool->count;
}

const char *
spool_segment_name(const struct spool *spool, size_t segment)
{
	must(segment < spool->count);
	return spool->segments[segment].name;
}

int
spool_open_parent(const struct spool *spool)
{
	int fd =
	    openat(spool->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- a piece of a segment */

/* 0 or -errno. */
static int
show_segment(struct spool *spool, size_t segment)
{
	struct window *window = &spool->window;

	if (window->fd >= 0 && window->segment == segment)
		return 0;
	if (window->fd >= 0)
		(void)close(window->fd);
	window->len = 0;
	window->segment = segment;
	/* Nobody makes us wait at a FIFO. */
	window->fd = openat(spool->folder, spool->segments[segment].name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return window->fd < 0 ? -errno : 0;
}

/* As much as there is and has room, from the offset on.  0 or -errno. */
static int
fill(struct window *window, uint64_t offset)
{
	window->offset = offset;
	window->len = 0;
	while (window->len < BUFFER_SIZE) {
		ssize_t got = pread(window->fd, window->octets + window->len,
		    BUFFER_SIZE - window->len, (off_t)(offset + window->len));

		if (got == 0)
			return 0;
		if (got > 0)
			window->len += (size_t)got;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

bool
spool_read(
    struct spool *spool, size_t segment, uint64_t offset, void *out, size_t len)
{
	struct window *window = &spool->window;

	must(segment < spool->count && len <= BUFFER_SIZE);
	if (show_segment(spool, segment) < 0)
		return false;
	if ((offset < window->offset ||
		offset + len > window->offset + window->len) &&
	    fill(window, offset) < 0)
		return false;
	if (offset + len > window->offset + window->len)
		return false;
	memcpy(out, window->octets + (offset - window->offset), len);
	return true;
}

/* ---- lines */

/* The next line, from line->offset on, and where the one behind it begins; 1,
 * 0 at the end, or -errno. */
static int
next_line(struct window *window, struct spool_line *line, uint64_t *next)
{
	uint64_t end = window->offset + window->len;
	const char *mark;
	size_t most;

	if (line->offset + LINE_MOST > end) {
		int status = fill(window, line->offset);

		if (status < 0)
			return status;
		end = window->offset + window->len;
	}
	if (line->offset >= end)
		return 0;
	most = (size_t)(end - line->offset);
	line->text = window->octets + (line->offset - window->offset);
	mark = memchr(line->text, '\n', most);
	line->is_whole = mark != NULL;
	line->len = mark != NULL ? (size_t)(mark - line->text) : most;
	*next = line->offset + line->len + (mark != NULL ? 1 : 0);
	return 1;
}

/* Past the rest of a line that is longer than the window. */
static int
skip_line(struct window *window, uint64_t *next, bool *is_whole)
{
	const char *mark = NULL;

	while (mark == NULL) {
		int status = fill(window, *next);

		if (status < 0 || window->len == 0)
			return status;
		mark = memchr(window->octets, '\n', window->len);
		*next += mark != NULL ? (size_t)(mark - window->octets) + 1
				      : window->len;
	}
	*is_whole = true;
	return 0;
}

/* 1 to go on, 0 if `take` has had enough, or -errno. */
static int
each_line(struct spool *spool, size_t segment,
    bool (*take)(void *arg, const struct spool_line *line), void *arg)
{
	struct window *window = &spool->window;
	struct spool_line line = {.segment = segment, .number = 1};
	uint64_t next = 0;
	int status = fill(window, 0);

	while (status >= 0) {
		status = next_line(window, &line, &next);
		if (status <= 0)
			return status < 0 ? status : 1;
		if (line.len > LINE_MOST)
			line.len = LINE_MOST;
		if (!line.is_whole && line.len == LINE_MOST) {
			memcpy(spool->beginning, line.text, LINE_MOST);
			line.text = spool->beginning;
			status = skip_line(window, &next, &line.is_whole);
		}
		if (status >= 0 && !take(arg, &line))
			return 0;
		line.number++;
		line.offset = next;
	}
	return status;
}

enum outcome
spool_each(struct spool *spool,
    bool (*take)(void *arg, const struct spool_line *line), void *arg)
{
	int status = 1;

	for (size_t i = 0; status > 0 && i < spool->count; i++) {
		status = show_segment(spool, i);
		if (status == -ENOENT) {
			status = 1;
			continue;
		}
		if (status == 0)
			status = each_line(spool, i, take, arg);
		if (status < 0)
			return outcome_say(OUTCOME_NO_INPUT,
			    "%s/%s: cannot be read: %s", spool->path,
			    spool->segments[i].name, strerror(-status));
	}
	return OUTCOME_OK;
}
