/* SPDX-License-Identifier: ISC */
/* The file with the audit chain's running key. */
#include "base/audit_chain_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"
#include "base/write_whole.h"

#define BESIDE	  AUDIT_CHAIN_KEY_FILE ".new"
#define TEXT_SIZE 128

void
audit_chain_key_print(
    const uint8_t octets[AUDIT_CHAIN_KEY_SIZE], char hex[AUDIT_CHAIN_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < AUDIT_CHAIN_KEY_SIZE; i++) {
		hex[2 * i] = digits[octets[i] >> 4];
		hex[2 * i + 1] = digits[octets[i] & 15];
	}
	hex[AUDIT_CHAIN_HEX_SIZE - 1] = '\0';
}

/* -1: no lower-case hexadecimal digit. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
audit_chain_key_parse(
    const char *hex, size_t len, uint8_t octets[AUDIT_CHAIN_KEY_SIZE])
{
	if (len != AUDIT_CHAIN_HEX_SIZE - 1)
		return false;
	for (size_t i = 0; i < AUDIT_CHAIN_KEY_SIZE; i++) {
		int high = digit_value(hex[2 * i]);
		int low = digit_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		octets[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Behind the word, up to the end of its line, which becomes NUL; NULL: it is
 * no such line. */
static char *
take_line(char **at, const char *word)
{
	char *line = strsep(at, "\n");

	if (line == NULL || *at == NULL ||
	    strncmp(line, word, strlen(word)) != 0)
		return NULL;
	return line + strlen(word);
}

static bool
parse_file(char *text, struct audit_chain *chain)
{
	char *at = text;
	char *epoch = take_line(&at, "epoch ");
	char *key = take_line(&at, "key ");

	return epoch != NULL && key != NULL && *at == '\0' &&
	       text_parse_u64(
		   epoch, 0, UINT64_MAX / AUDIT_EPOCH_RECORDS, &chain->epoch) &&
	       audit_chain_key_parse(key, strlen(key), chain->key);
}

/* All of the file; its length or -errno. */
static ssize_t
read_file(int fd, char text[TEXT_SIZE])
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, text + len, TEXT_SIZE - len);

		if (got == 0)
			return (ssize_t)len;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			len += (size_t)got;
		if (len == TEXT_SIZE)
			return -EBADMSG;
	}
}

int
audit_chain_key_read(int folder, struct audit_chain *chain)
{
	int fd = openat(
	    folder, AUDIT_CHAIN_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[TEXT_SIZE];
	ssize_t len;

	memset(chain, 0, sizeof(*chain));
	if (fd < 0)
		return -errno;
	len = read_file(fd, text);
	(void)close(fd);
	if (len >= 0) {
		text[len] = '\0';
		if (strlen(text) != (size_t)len || !parse_file(text, chain))
			len = -EBADMSG;
	}
	explicit_bzero(text, sizeof(text));
	if (len < 0)
		audit_chain_wipe(chain);
	return len < 0 ? (int)len : 0;
}

/* The file beside it, whole and on the disk; 0 or -errno. */
static int
write_beside(int folder, const char *text, size_t len)
{
	int fd, status;

	/* One that a crash has left. */
	if (unlinkat(folder, BESIDE, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(
	    folder, BESIDE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	status = write_whole(fd, text, len);
	if (status == 0 && fsync(fd) < 0)
		status = -errno;
	if (close(fd) < 0 && status == 0)
		status = -errno;
	return status;
}

int
audit_chain_key_write(int folder, const struct audit_chain *chain)
{
	char hex[AUDIT_CHAIN_HEX_SIZE], text[TEXT_SIZE];
	int len, status;

	audit_chain_key_print(chain->key, hex);
	len = snprintf(text, sizeof(text), "epoch %" PRIu64 "\nkey %s\n",
	    chain->epoch, hex);
	must(len > 0 && (size_t)len < sizeof(text));
	status = write_beside(folder, text, (size_t)len);
	explicit_bzero(hex, sizeof(hex));
	explicit_bzero(text, sizeof(text));
	if (status == 0 &&
	    (renameat(folder, BESIDE, folder, AUDIT_CHAIN_KEY_FILE) < 0 ||
		fsync(folder) < 0))
		status = -errno;
	return status;
}
