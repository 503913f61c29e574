/* SPDX-License-Identifier: ISC */
/* A secret in memory: wiped when freed, kept out of core dumps, never
 * logged. */
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX 4096 /* octets of a file that holds a secret */

/* Of len octets that are to be filled in. */
static struct secret *
make(size_t len)
{
	struct secret *secret;
	uint8_t *pages;

	secret = malloc(sizeof(*secret));
	if (secret == NULL)
		return NULL;
	/* Pages of its own: advice on dumping goes by whole pages. */
	pages = mmap(NULL, len + 1, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		free(secret);
		return NULL;
	}
	/* Where the kernel cannot, RLIMIT_CORE 0 still holds. */
	(void)madvise(pages, len + 1, MADV_DONTDUMP);
	*secret = (struct secret){.len = len, .data = pages, .size = len};
	return secret;
}

struct secret *
secret_new(const void *data, size_t len)
{
	struct secret *secret = make(len);

	if (secret != NULL && len > 0)
		memcpy(secret->data, data, len);
	return secret;
}

/* Reads from the file's start until its end or size octets; -1 and errno. */
static ssize_t
read_file(int fd, uint8_t *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, out + len, size - len, (off_t)len);

		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)len;
}

int
secret_hide_from_children(struct secret *secret)
{
	return madvise(secret->data, secret->size + 1, MADV_WIPEONFORK) < 0
		   ? -errno
		   : 0;
}

struct secret *
secret_read_all(int fd, size_t most)
{
	struct secret *secret = make(most + 1);
	ssize_t len;
	int saved;

	if (secret == NULL)
		return NULL;
	len = read_file(fd, secret->data, most + 1);
	if (len > (ssize_t)most) {
		errno = EFBIG;
		len = -1;
	}
	if (len < 0) {
		saved = errno;
		secret_free(secret);
		errno = saved;
		return NULL;
	}
	secret->len = (size_t)len;
	secret->data[len] = '\0';
	return secret;
}

struct secret *
secret_read(int fd)
{
	struct secret *secret = secret_read_all(fd, FILE_MAX);

	if (secret == NULL)
		return NULL;
	if (secret->len > 0 && secret->data[secret->len - 1] == '\n')
		secret->data[--secret->len] = '\0';
	if (secret->len > 0)
		return secret;
	secret_free(secret);
	errno = EINVAL;
	return NULL;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret->data, secret->size);
	(void)munmap(secret->data, secret->size + 1);
	free(secret);
}
