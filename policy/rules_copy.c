/* SPDX-License-Identifier: ISC */
/* The copy on disk of the last rules that were taken. */
#include "policy/rules_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "base/write_whole.h"
#include "policy/rule_set_stream.h"

/* "gwrules1", the length of the set, its checksum; then the set. */
#define MAGIC	    "gwrules1"
#define MAGIC_LEN   8
#define HEADER_SIZE (MAGIC_LEN + 8 + 8)

/* FNV-1a: against a disk's mistakes, not against an attacker, who could not
 * write here. */
static uint64_t
checksum(const uint8_t *data, size_t len)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ data[i]) * UINT64_C(1099511628211);
	return sum;
}

int
rules_copy_confirm(const char *path, uint64_t confirmed_us)
{
	struct timespec times[2];

	times[0].tv_sec = (time_t)(confirmed_us / 1000000);
	times[0].tv_nsec = (long)(confirmed_us % 1000000) * 1000;
	times[1] = times[0];
	return utimensat(AT_FDCWD, path, times, 0) == 0 ? 0 : -errno;
}

static int
write_file(int fd, const void *set, size_t len)
{
	uint8_t header[HEADER_SIZE];
	struct wire_writer writer;
	int result;

	wire_writer_init(&writer, header, sizeof(header));
	wire_put_bytes(&writer, MAGIC, MAGIC_LEN);
	wire_put_u64(&writer, len);
	wire_put_u64(&writer, checksum(set, len));
	result = write_whole(fd, header, sizeof(header));
	if (result == 0)
		result = write_whole(fd, set, len);
	if (result == 0 && fsync(fd) != 0)
		result = -errno;
	return result;
}

static bool
name_beside(char beside[PATH_MAX], const char *path)
{
	return snprintf(beside, PATH_MAX, "%s.new", path) < PATH_MAX;
}

int
rules_copy_write(
    const char *path, const void *set, size_t len, uint64_t confirmed_us)
{
	char beside[PATH_MAX];
	int fd, result;

	if (!name_beside(beside, path))
		return -ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	result = write_file(fd, set, len);
	if (close(fd) != 0 && result == 0)
		result = -errno;
	if (result == 0)
		result = rules_copy_confirm(beside, confirmed_us);
	return result;
}

int
rules_copy_publish(const char *path)
{
	char beside[PATH_MAX];

	if (!name_beside(beside, path))
		return -ENAMETOOLONG;
	return rename(beside, path) == 0 ? 0 : -errno;
}

int
rules_copy_remove(const char *path)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return truncate(path, 0) == 0 ? 0 : -errno;
}

/* The set behind a header that fits it; -EBADMSG if it does not. */
static int
read_file(int fd, size_t size, uint8_t **set, size_t *len)
{
	struct wire_reader reader;
	uint8_t *file = malloc(size);
	const uint8_t *magic;
	uint64_t sum;
	int result = -EBADMSG;

	if (file == NULL)
		return -ENOMEM;
	if (read(fd, file, size) == (ssize_t)size) {
		wire_reader_init(&reader, file, size);
		magic = wire_get_bytes(&reader, MAGIC_LEN);
		*len = wire_get_u64(&reader);
		sum = wire_get_u64(&reader);
		if (!reader.failed && memcmp(magic, MAGIC, MAGIC_LEN) == 0 &&
		    *len == wire_remaining(&reader) &&
		    sum == checksum(file + HEADER_SIZE, *len))
			result = 0;
	}
	if (result == 0) {
		memmove(file, file + HEADER_SIZE, *len);
		*set = file;
	} else {
		free(file);
	}
	return result;
}

int
rules_copy_read(
    const char *path, uint8_t **set, size_t *len, uint64_t *confirmed_us)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	int result = -EBADMSG;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size >= HEADER_SIZE &&
	    status.st_size <= HEADER_SIZE + RULE_SET_OCTETS_MAX)
		result = read_file(fd, (size_t)status.st_size, set, len);
	*confirmed_us = (uint64_t)status.st_mtim.tv_sec * 1000000 +
			(uint64_t)status.st_mtim.tv_nsec / 1000;
	(void)close(fd);
	return result;
}
