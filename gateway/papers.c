/* SPDX-License-Identifier: ISC */
/* The files that the listeners' TLS is made of, opened by the master. */
#include "gateway/papers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/must.h"
#include "gateway/settings.h"

struct paper {
	char name[PAPER_NAME_SIZE];
	int fd;
};

struct papers {
	size_t count;
	struct paper list[];
};

/* What stands in file, sealed; -1 and errno. */
static int
copy(int file)
{
	int fd = memfd_create("paper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t len = fd < 0 ? -1 : 0;
	size_t total = 0;
	int saved;

	while (len >= 0 && total <= PAPER_MAX) {
		len = sendfile(fd, file, NULL, PAPER_MAX + 1 - total);
		if (len <= 0)
			break;
		total += (size_t)len;
	}
	if (total > PAPER_MAX)
		errno = EFBIG;
	if (len == 0 && total <= PAPER_MAX &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return fd;
	saved = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return -1;
}

/* -1 and errno. */
static int
open_copy(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int fd, saved;

	if (file < 0)
		return -1;
	fd = copy(file);
	saved = errno;
	(void)close(file);
	errno = saved;
	return fd;
}

static bool
add(struct papers *papers, const struct listener_settings *listener,
    enum tls_file file, char *why, size_t why_size)
{
	struct paper *paper = &papers->list[papers->count];
	const char *path = settings_tls_path(listener, file);
	const char *place = listener->tls_places[file];

	if (*path == '\0')
		return true;
	paper->fd = open_copy(path);
	if (paper->fd < 0) {
		(void)snprintf(why, why_size,
		    "%s: listener.%s: %s cannot be read: %s",
		    place != NULL ? place : "?", tls_file_name(file), path,
		    strerror(errno));
		return false;
	}
	/* A place that is too long is cut: it is for people. */
	(void)snprintf(paper->name, sizeof(paper->name), "%s %s %s",
	    tls_file_name(file), listener->name, place != NULL ? place : "?");
	papers->count++;
	return true;
}

struct papers *
papers_open(const struct settings *settings, char *why, size_t why_size)
{
	size_t most = settings->listener_count * TLS_FILE_COUNT;
	struct papers *papers =
	    must_alloc(1, sizeof(*papers) + most * sizeof(struct paper));
	bool was_good = true;

	for (size_t n = 0; n < settings->listener_count; n++)
		for (enum tls_file f = 0; f < TLS_FILE_COUNT && was_good; f++)
			was_good = add(
			    papers, &settings->listeners[n], f, why, why_size);
	if (was_good)
		return papers;
	papers_close(papers);
	return NULL;
}

void
papers_close(struct papers *papers)
{
	if (papers == NULL)
		return;
	for (size_t i = 0; i < papers->count; i++)
		(void)close(papers->list[i].fd);
	free(papers);
}

size_t
papers_count(const struct papers *papers)
{
	return papers->count;
}

const char *
papers_name(const struct papers *papers, size_t n)
{
	return papers->list[n].name;
}

int
papers_fd(const struct papers *papers, size_t n)
{
	return papers->list[n].fd;
}
