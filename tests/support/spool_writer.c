/* SPDX-License-Identifier: ISC */
/* Writes a spool as the auditor does. */
#include "tests/support/spool_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/audit_chain_key.h"
#include "base/audit_chain_line.h"
#include "base/must.h"

#define FIRST_MOMENT 1764000000000000 /* 2025-11-24T16:00:00Z */

void
spool_writer_key(uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	for (size_t i = 0; i < AUDIT_CHAIN_KEY_SIZE; i++)
		key[i] = (uint8_t)(7 * i + 3);
}

void
spool_writer_open(struct spool_writer *writer, uint64_t segment_records)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	*writer = (struct spool_writer){.segment_records = segment_records};
	spool_writer_key(key);
	audit_chain_init(&writer->chain, key);
	(void)snprintf(writer->folder, sizeof(writer->folder),
	    "/tmp/gatewarden-spool.XXXXXX");
	must(mkdtemp(writer->folder) != NULL);
	(void)snprintf(
	    writer->spool, sizeof(writer->spool), "%s/spool", writer->folder);
	must(mkdir(writer->spool, 0700) == 0);
}

static void
empty_folder(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	must(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
}

void
spool_writer_close(struct spool_writer *writer)
{
	empty_folder(writer->spool);
	must(rmdir(writer->spool) == 0);
	empty_folder(writer->folder);
	must(rmdir(writer->folder) == 0);
}

struct audit_record
spool_writer_record(uint64_t sequence)
{
	static const char *const people[] = {
	    "alice@EXAMPLE.COM", "bob@EXAMPLE.COM", "carol@pam"};
	struct audit_record record = {
	    .event = sequence % 3 == 0 ? AUDIT_CLOSE : AUDIT_DECISION,
	    .reason = sequence % 5 == 0 ? REASON_DENIED_RULE : REASON_OK,
	    .failed = sequence % 5 == 0,
	    .time_us = FIRST_MOMENT + sequence * 1000000,
	    .session = sequence / 3 + 1,
	    .has_destination = true,
	    .destination = {.kind = ENDPOINT_NAME,
		.name = "www.example.com",
		.port = (uint16_t)(1 + sequence % 60000)},
	    .rule = "web",
	};

	(void)strlcpy(record.identity, people[sequence % ARRAY_COUNT(people)],
	    sizeof(record.identity));
	return record;
}

size_t
spool_writer_message(uint64_t sequence, char message[AUDIT_RECORD_MAX])
{
	const struct audit_record record = spool_writer_record(sequence);
	const struct audit_stamp stamp = {
	    .sd_id = "gatewarden@32473",
	    .instance = "gate1",
	    .boot_id = "9f3d",
	    .sequence = sequence,
	};
	char element[AUDIT_RECORD_MAX], sentence[512];
	int len;

	(void)audit_record_print(&record, &stamp, element);
	(void)audit_record_sentence(&record, sentence, sizeof(sentence));
	len = snprintf(message, AUDIT_RECORD_MAX,
	    "<86>1 2025-11-24T16:00:00.000000Z gate1 gatewarden 812 %s %s %s",
	    audit_event_name(record.event), element, sentence);
	must(len > 0 && len < AUDIT_RECORD_MAX);
	return (size_t)len;
}

static void
path_of(const struct spool_writer *writer, uint64_t first, char path[128])
{
	(void)snprintf(
	    path, 128, "%s/%020" PRIu64 ".log", writer->spool, first);
}

static void
write_line(struct spool_writer *writer, FILE *file)
{
	char message[AUDIT_RECORD_MAX], prefix[AUDIT_CHAIN_PREFIX + 1];
	size_t len = spool_writer_message(writer->sequence, message);
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

	audit_chain_next(&writer->chain, writer->sequence, message, len, mac);
	audit_chain_line_prefix(mac, prefix);
	must(fprintf(file, "%s%s\n", prefix, message) > 0);
}

static void
write_key(const struct spool_writer *writer)
{
	int folder = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(folder >= 0);
	must(audit_chain_key_write(folder, &writer->chain) == 0);
	(void)close(folder);
}

void
spool_writer_append(struct spool_writer *writer, uint64_t count)
{
	FILE *file = NULL;
	char path[128];

	for (; count > 0; count--) {
		uint64_t at = writer->sequence % writer->segment_records;

		writer->sequence++;
		if (file == NULL || at == 0) {
			must(file == NULL || fclose(file) == 0);
			path_of(writer, writer->sequence - at, path);
			file = fopen(path, "ae");
			must(file != NULL);
		}
		write_line(writer, file);
	}
	must(file == NULL || fclose(file) == 0);
	write_key(writer);
}

char *
spool_writer_get(const struct spool_writer *writer, uint64_t first, size_t *len)
{
	char path[128];
	struct stat status;
	char *text;
	int fd;

	path_of(writer, first, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &status) == 0);
	*len = (size_t)status.st_size;
	text = must_alloc(*len + 1, 1);
	must(read(fd, text, *len) == (ssize_t)*len);
	(void)close(fd);
	return text;
}

void
spool_writer_put(const struct spool_writer *writer, uint64_t first,
    const char *text, size_t len)
{
	char path[128];
	int fd;

	path_of(writer, first, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0);
	must(write(fd, text, len) == (ssize_t)len);
	(void)close(fd);
}

void
spool_writer_remove(const struct spool_writer *writer, uint64_t first)
{
	char path[128];

	path_of(writer, first, path);
	must(unlink(path) == 0);
}
