/* SPDX-License-Identifier: ISC */
/* The spool: what is appended is there, chained, and survives. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/audit_chain.h"
#include "base/audit_chain_key.h"
#include "base/audit_chain_line.h"
#include "gateway/spool.h"

#define SIZE_MAX_TEST ((uint64_t)1024 * 1024)
#define DAY_S	      86400
#define KEEP_S	      (7 * DAY_S)

struct world {
	char path[64];
	int folder;
	struct spool *spool;
	uint8_t k0[AUDIT_CHAIN_KEY_SIZE];
};

static void
open_it(struct world *world)
{
	assert_int_equal(
	    spool_open(world->folder, SIZE_MAX_TEST, KEEP_S, &world->spool), 0);
}

static void
open_again(struct world *world)
{
	spool_close(world->spool);
	open_it(world);
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct audit_chain chain;

	assert_non_null(world);
	(void)snprintf(
	    world->path, sizeof(world->path), "%s", "/tmp/test_spool.XXXXXX");
	assert_non_null(mkdtemp(world->path));
	world->folder = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->folder >= 0);
	memset(world->k0, 7, sizeof(world->k0));
	audit_chain_init(&chain, world->k0);
	assert_int_equal(audit_chain_key_write(world->folder, &chain), 0);
	open_it(world);
	*state = world;
	return 0;
}

static DIR *
list(const struct world *world)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/" SPOOL_FOLDER, world->path);
	return opendir(path);
}

static int
end_world(void **state)
{
	struct world *world = *state;
	DIR *folder = list(world);
	struct dirent *file;

	spool_close(world->spool);
	while ((file = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), file->d_name, 0);
	(void)closedir(folder);
	assert_int_equal(
	    unlinkat(world->folder, SPOOL_FOLDER, AT_REMOVEDIR), 0);
	(void)unlinkat(world->folder, AUDIT_CHAIN_KEY_FILE, 0);
	(void)close(world->folder);
	assert_int_equal(rmdir(world->path), 0);
	free(world);
	return 0;
}

/* As an auditor's messages are, with its number and `size` octets of text. */
static size_t
message_of(uint64_t sequence, size_t size, char out[AUDIT_RECORD_MAX])
{
	int len = snprintf(out, AUDIT_RECORD_MAX,
	    "<85>1 2026-11-26T10:00:00.000001Z h gatewarden 1 auth "
	    "[g@1 seq=\"%" PRIu64 "\" event=\"auth\"] %0*d",
	    sequence, (int)size, 0);

	assert_true(len > 0 && len < AUDIT_RECORD_MAX);
	return (size_t)len;
}

static int
append(struct world *world, uint64_t sequence, size_t size, uint64_t forwarded)
{
	char message[AUDIT_RECORD_MAX];
	size_t len = message_of(sequence, size, message);

	return spool_append(world->spool, sequence, forwarded, message, len);
}

static void
append_all(struct world *world, uint64_t first, uint64_t last)
{
	for (uint64_t sequence = first; sequence <= last; sequence++)
		assert_int_equal(append(world, sequence, 10, 0), 0);
}

static void
assert_read(struct world *world, uint64_t first, uint64_t last)
{
	struct spool_reader *reader = spool_reader_new(world->spool, first);
	struct spool_record record;
	char message[AUDIT_RECORD_MAX];

	for (uint64_t sequence = first; sequence <= last; sequence++) {
		assert_int_equal(spool_reader_peek(reader, &record), 1);
		assert_int_equal(record.sequence, sequence);
		assert_int_equal(record.len, message_of(sequence, 10, message));
		assert_memory_equal(record.message, message, record.len);
		spool_reader_advance(reader);
	}
	assert_int_equal(spool_reader_peek(reader, &record), 0);
	spool_reader_free(reader);
}

static FILE *
segment(const struct world *world, uint64_t first, const char *mode)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path),
	    "%s/" SPOOL_FOLDER "/%020" PRIu64 ".log", world->path, first);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

static void
what_is_appended_is_read_in_order(void **state)
{
	struct world *world = *state;

	assert_int_equal(spool_last(world->spool), 0);
	assert_int_equal(spool_next(world->spool), 1);
	append_all(world, 1, 500);
	assert_read(world, 1, 500);
	assert_read(world, 321, 500);
	open_again(world);
	assert_int_equal(spool_last(world->spool), 500);
	assert_int_equal(spool_first(world->spool), 1);
	append_all(world, 501, 510);
	assert_read(world, 1, 510);
}

static void
a_reader_goes_on_when_more_comes(void **state)
{
	struct world *world = *state;
	struct spool_reader *reader = spool_reader_new(world->spool, 1);
	struct spool_record record;

	assert_int_equal(spool_reader_peek(reader, &record), 0);
	for (uint64_t sequence = 1; sequence <= 3000; sequence++) {
		append_all(world, sequence, sequence);
		assert_int_equal(spool_reader_peek(reader, &record), 1);
		assert_int_equal(record.sequence, sequence);
		spool_reader_advance(reader);
		assert_int_equal(spool_reader_peek(reader, &record), 0);
	}
	spool_reader_free(reader);
}

static void
lines_are_chained_by_the_key_of_their_epoch(void **state)
{
	struct world *world = *state;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];
	char line[AUDIT_CHAIN_LINE_MAX + 2];
	struct audit_chain_line parsed;
	struct audit_chain chain;
	uint64_t sequence = 0;
	FILE *file;

	append_all(world, 1, 700);
	open_again(world);
	append_all(world, 701, AUDIT_EPOCH_RECORDS + 10);
	audit_chain_init(&chain, world->k0);
	for (uint64_t first = 1; first != 0;) {
		uint64_t next = 0;

		file = segment(world, first, "r");
		while (fgets(line, sizeof(line), file) != NULL) {
			assert_true(audit_chain_line_parse(
			    line, strlen(line) - 1, &parsed));
			assert_int_equal(parsed.sequence, ++sequence);
			audit_chain_next(
			    &chain, sequence, parsed.message, parsed.len, mac);
			assert_memory_equal(mac, parsed.mac, sizeof(mac));
		}
		(void)fclose(file);
		if (sequence < AUDIT_EPOCH_RECORDS + 10)
			next = sequence + 1;
		first = next;
	}
	assert_int_equal(sequence, AUDIT_EPOCH_RECORDS + 10);
	/* The key on the disk is the running epoch's alone. */
	assert_int_equal(audit_chain_key_read(world->folder, &chain), 0);
	assert_int_equal(chain.epoch, 1);
}

/* However much of the last line has reached the disk. */
static void
a_torn_line_is_cut_off(void **state)
{
	struct world *world = *state;
	struct stat status;
	long whole, torn;
	FILE *file;

	append_all(world, 1, 3);
	file = segment(world, 1, "r+");
	assert_int_equal(fstat(fileno(file), &status), 0);
	whole = (long)status.st_size;
	append_all(world, 4, 4);
	assert_int_equal(fstat(fileno(file), &status), 0);
	torn = (long)status.st_size - 1;
	for (; torn > whole; torn -= 7) {
		assert_int_equal(ftruncate(fileno(file), torn), 0);
		open_again(world);
		assert_int_equal(spool_last(world->spool), 3);
		assert_read(world, 1, 3);
		append_all(world, 4, 4);
		assert_read(world, 1, 4);
	}
	(void)fclose(file);
}

static void
zeros_behind_a_loss_of_power_are_cut_off(void **state)
{
	struct world *world = *state;
	static const char zeros[5000];
	FILE *file;

	append_all(world, 1, 3);
	file = segment(world, 1, "a");
	assert_int_equal(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
	(void)fclose(file);
	open_again(world);
	assert_int_equal(spool_last(world->spool), 3);
	append_all(world, 4, 4);
	assert_read(world, 1, 4);
}

static void
a_segment_without_a_whole_line_goes(void **state)
{
	struct world *world = *state;
	FILE *file;

	append_all(world, 1, 3);
	file = segment(world, 4, "w");
	assert_int_equal(fwrite("half a li", 1, 9, file), 9);
	(void)fclose(file);
	open_again(world);
	assert_int_equal(spool_last(world->spool), 3);
	append_all(world, 4, 4);
	assert_read(world, 1, 4);
}

static void
the_oldest_that_were_forwarded_make_room(void **state)
{
	struct world *world = *state;
	uint64_t sequence;

	/* About four times of what it holds. */
	for (sequence = 1; sequence <= 2000; sequence++) {
		assert_int_equal(
		    append(world, sequence, 2000, sequence - 1), 0);
		assert_true(spool_size(world->spool) <= SIZE_MAX_TEST);
	}
	assert_true(spool_first(world->spool) > 1000);
	assert_true(spool_first(world->spool) < 2000);
	open_again(world);
	assert_int_equal(spool_last(world->spool), 2000);
}

static void
what_was_not_forwarded_is_not_removed(void **state)
{
	struct world *world = *state;
	uint64_t sequence = 1;
	int status;

	while ((status = append(world, sequence, 2000, 0)) == 0)
		sequence++;
	assert_int_equal(status, -ENOSPC);
	assert_int_equal(spool_first(world->spool), 1);
	assert_int_equal(spool_last(world->spool), sequence - 1);
	assert_int_equal(append(world, sequence, 2000, sequence - 1), 0);
	assert_true(spool_first(world->spool) > 1);
}

/* A disk that is full in the middle of a line. */
static void
a_line_goes_in_whole_or_not_at_all(void **state)
{
	struct world *world = *state;
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct rlimit before, little;

	append_all(world, 1, 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
	little = before;
	little.rlim_cur = spool_size(world->spool) + 50;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_true(append(world, 4, 10, 0) < 0);
	assert_true(append(world, 4, 10, 0) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(spool_last(world->spool), 3);
	assert_read(world, 1, 3);
	append_all(world, 4, 5);
	assert_read(world, 1, 5);
}

/* Records were lost with the power, their epoch's key was not. */
static void
numbers_go_on_in_the_epoch_of_the_key(void **state)
{
	struct world *world = *state;
	struct audit_chain chain;

	append_all(world, 1, 3);
	audit_chain_init(&chain, world->k0);
	audit_chain_turn(&chain, 2);
	assert_int_equal(audit_chain_key_write(world->folder, &chain), 0);
	open_again(world);
	assert_int_equal(spool_next(world->spool), 2 * AUDIT_EPOCH_RECORDS + 1);
	append_all(
	    world, 2 * AUDIT_EPOCH_RECORDS + 1, 2 * AUDIT_EPOCH_RECORDS + 2);
}

static void
a_key_that_is_none_is_an_error(void **state)
{
	struct world *world = *state;
	struct spool *spool;
	int fd = openat(world->folder, AUDIT_CHAIN_KEY_FILE,
	    O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	(void)close(fd);
	assert_int_equal(
	    spool_open(world->folder, SIZE_MAX_TEST, 0, &spool), -EBADMSG);
}

static void
what_is_to_be_synced_is_told_once(void **state)
{
	struct world *world = *state;
	int fds[SPOOL_SYNC_MAX];

	assert_int_equal(spool_unsynced(world->spool, fds), 0);
	append_all(world, 1, 1);
	/* The new segment and its folder. */
	assert_int_equal(spool_unsynced(world->spool, fds), 2);
	(void)close(fds[0]);
	(void)close(fds[1]);
	append_all(world, 2, 2);
	assert_int_equal(spool_unsynced(world->spool, fds), 1);
	(void)close(fds[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

/* As if nothing had been appended to it for so long. */
static void
age(const struct world *world, uint64_t first, time_t seconds)
{
	const struct timespec then = {.tv_sec = time(NULL) - seconds};
	const struct timespec times[] = {then, then};
	char path[128];

	(void)snprintf(path, sizeof(path),
	    "%s/" SPOOL_FOLDER "/%020" PRIu64 ".log", world->path, first);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
what_is_too_old_and_forwarded_goes(void **state)
{
	struct world *world = *state;

	append_all(world, 1, 3);
	age(world, 1, 2 * DAY_S);
	open_again(world);
	append_all(world, 4, 6); /* a segment of today */
	spool_prune(world->spool, 6);
	assert_int_equal(spool_first(world->spool), 1);
	age(world, 1, 8 * DAY_S);
	spool_prune(world->spool, 2); /* the receiver lacks one */
	assert_int_equal(spool_first(world->spool), 1);
	spool_prune(world->spool, 3);
	assert_int_equal(spool_first(world->spool), 4);
	assert_read(world, 4, 6);
	age(world, 4, 8 * DAY_S);
	spool_prune(world->spool, 6); /* never the last */
	assert_int_equal(spool_first(world->spool), 4);
	append_all(world, 7, 8);
	assert_read(world, 4, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_too_old_and_forwarded_goes),
	    TEST(what_is_appended_is_read_in_order),
	    TEST(a_reader_goes_on_when_more_comes),
	    TEST(lines_are_chained_by_the_key_of_their_epoch),
	    TEST(a_torn_line_is_cut_off),
	    TEST(zeros_behind_a_loss_of_power_are_cut_off),
	    TEST(a_segment_without_a_whole_line_goes),
	    TEST(the_oldest_that_were_forwarded_make_room),
	    TEST(what_was_not_forwarded_is_not_removed),
	    TEST(a_line_goes_in_whole_or_not_at_all),
	    TEST(numbers_go_on_in_the_epoch_of_the_key),
	    TEST(a_key_that_is_none_is_an_error),
	    TEST(what_is_to_be_synced_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
