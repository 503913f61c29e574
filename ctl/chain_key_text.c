/* SPDX-License-Identifier: ISC */
/* The audit chain's first key as people keep it. */
#include "ctl/chain_key_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/audit_chain_key.h"

#define GROUP	 8
#define TEXT_MAX 1024

void
chain_key_text_print(const uint8_t key[AUDIT_CHAIN_KEY_SIZE], char out[80])
{
	char hex[AUDIT_CHAIN_HEX_SIZE];
	size_t len = 0;

	audit_chain_key_print(key, hex);
	for (size_t i = 0; hex[i] != '\0'; i++) {
		if (i > 0 && i % GROUP == 0)
			out[len++] = ' ';
		out[len++] = hex[i];
	}
	out[len] = '\0';
	explicit_bzero(hex, sizeof(hex));
}

bool
chain_key_text_parse(
    const char *text, size_t len, uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	char hex[AUDIT_CHAIN_HEX_SIZE];
	size_t count = 0;
	bool is_good = true;

	for (size_t i = 0; is_good && i < len; i++) {
		char c = text[i];

		if (c == ' ' || c == '-' || c == '\t' || c == '\r' || c == '\n')
			continue;
		is_good = count < sizeof(hex) - 1;
		if (is_good)
			hex[count++] =
			    c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	}
	is_good = is_good && audit_chain_key_parse(hex, count, key);
	explicit_bzero(hex, sizeof(hex));
	return is_good;
}

/* All there is, up to size; its length or -1. */
static ssize_t
read_text(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, text + len, size - len);

		if (got == 0)
			break;
		if (got > 0)
			len += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)len;
}

static enum outcome
read_key(const char *path, int fd, uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	char text[TEXT_MAX];
	ssize_t len = read_text(fd, text, sizeof(text));
	bool is_good;

	if (len < 0)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    path, strerror(errno));
	is_good = chain_key_text_parse(text, (size_t)len, key);
	explicit_bzero(text, sizeof(text));
	return is_good ? OUTCOME_OK
		       : outcome_say(OUTCOME_DATA,
			     "%s: no key: 64 hexadecimal digits are one", path);
}

enum outcome
chain_key_text_read(const char *path, uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	enum outcome outcome;
	int fd;

	if (strcmp(path, "-") == 0)
		return read_key("standard input", STDIN_FILENO, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    path, strerror(errno));
	outcome = read_key(path, fd, key);
	(void)close(fd);
	return outcome;
}
