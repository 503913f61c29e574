/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the copy of the rules on disk: the input is such a file, and it is
 * the set in one; what is not whole is not taken.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "policy/entry.h"
#include "policy/rule_set_stream.h"
#include "policy/rules_copy.h"

static char path[] = "/tmp/fuzz-rules-copy-XXXXXX";

static void
remove_file(void)
{
	(void)unlink(path);
}

static void
make_file(void)
{
	int fd = mkstemp(path);

	property(fd >= 0);
	(void)close(fd);
	property(atexit(remove_file) == 0);
}

static void
write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	property(file != NULL && fwrite(data, 1, size, file) == size);
	property(fclose(file) == 0);
}

/* Each entry lies inside the set, and they cover it. */
static void
check_set(const uint8_t *set, size_t len)
{
	const uint8_t *entry;
	size_t at = 0, entry_len;
	long count = rule_set_count(set, len), seen = 0;
	int more;

	while ((more = rule_set_next(set, len, &at, &entry, &entry_len)) == 1) {
		property(entry >= set && entry + entry_len == set + at);
		entry_free(entry_decode(entry, entry_len));
		seen++;
	}
	property(more == 0 ? count == seen && at == len : count == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool has_file;
	uint64_t confirmed_us;
	uint8_t *set = NULL;
	size_t len;
	int result;

	if (!has_file)
		make_file();
	has_file = true;
	write_file(data, size);
	result = rules_copy_read(path, &set, &len, &confirmed_us);
	property(result == 0 || result == -EBADMSG);
	if (result == 0) {
		property(len < size);
		check_set(set, len);
		free(set);
	}
	property(rules_copy_write(path, data, size, 1234567) == 0);
	property(rules_copy_publish(path) == 0);
	property(rules_copy_read(path, &set, &len, &confirmed_us) == 0);
	property(confirmed_us == 1234567);
	property(len == size && memcmp(set, data, size) == 0);
	check_set(set, len);
	free(set);
	return 0;
}
