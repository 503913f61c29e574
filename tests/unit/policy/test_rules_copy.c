/* SPDX-License-Identifier: ISC */
/* The copy of the rules on disk: whole, or not taken. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/rules_copy.h"

static char dir[] = "/tmp/rules-copy-XXXXXX";
static char path[PATH_MAX];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/rules", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static int
write_copy(const char *rules, uint64_t confirmed_us)
{
	int result = rules_copy_write(path, rules, strlen(rules), confirmed_us);

	return result == 0 ? rules_copy_publish(path) : result;
}

static int
read_back(uint8_t **set, size_t *len, uint64_t *when)
{
	*set = NULL;
	return rules_copy_read(path, set, len, when);
}

static void
what_was_written_is_read(void **state)
{
	struct stat status;
	uint64_t when;
	uint8_t *set;
	size_t len;

	(void)state;
	assert_int_equal(read_back(&set, &len, &when), -ENOENT);
	assert_int_equal(write_copy("some rules", 1234567890123456), 0);
	assert_int_equal(read_back(&set, &len, &when), 0);
	assert_int_equal(len, 10);
	assert_memory_equal(set, "some rules", 10);
	assert_int_equal(when, 1234567890123456);
	free(set);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void
a_confirmation_changes_the_time_alone(void **state)
{
	uint64_t when;
	uint8_t *set;
	size_t len;

	(void)state;
	assert_int_equal(write_copy("rules", 1000000), 0);
	assert_int_equal(rules_copy_confirm(path, 2000000), 0);
	assert_int_equal(read_back(&set, &len, &when), 0);
	assert_int_equal(when, 2000000);
	assert_int_equal(len, 5);
	free(set);
}

static void
a_file_cut_at_any_octet_is_refused(void **state)
{
	uint64_t when;
	uint8_t *set;
	size_t len;

	(void)state;
	for (off_t cut = 0; cut < 24 + 5; cut++) {
		assert_int_equal(write_copy("rules", 1), 0);
		assert_int_equal(truncate(path, cut), 0);
		assert_int_equal(read_back(&set, &len, &when), -EBADMSG);
		assert_null(set);
	}
}

static void
a_file_changed_at_any_octet_is_refused(void **state)
{
	uint64_t when;
	uint8_t *set, octet;
	size_t len;

	(void)state;
	for (off_t at = 0; at < 24 + 5; at++) {
		int fd;

		assert_int_equal(write_copy("rules", 1), 0);
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &octet, 1, at), 1);
		octet ^= 0x10;
		assert_int_equal(pwrite(fd, &octet, 1, at), 1);
		(void)close(fd);
		assert_int_equal(read_back(&set, &len, &when), -EBADMSG);
		assert_null(set);
	}
}

static void
an_unwritable_folder_is_said(void **state)
{
	(void)state;
	assert_int_equal(
	    rules_copy_write("/nonexistent/rules", "x", 1, 1), -ENOENT);
}

/* As whom nobody lets change a folder. */
static void
become_nobody(void)
{
	assert_int_equal(chmod(dir, 0555), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
}

static void
become_somebody(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(dir, 0755), 0);
}

static void
what_cannot_be_removed_is_emptied(void **state)
{
	uint64_t when;
	uint8_t *set;
	size_t len;
	int result;

	(void)state;
	assert_int_equal(write_copy("rules", 1), 0);
	become_nobody();
	result = rules_copy_remove(path);
	become_somebody();
	assert_int_equal(result, 0);
	assert_int_equal(read_back(&set, &len, &when), -EBADMSG);
	assert_int_equal(rules_copy_remove(path), 0);
	assert_int_equal(rules_copy_remove(path), 0);
	assert_int_equal(read_back(&set, &len, &when), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_read),
	    cmocka_unit_test(a_confirmation_changes_the_time_alone),
	    cmocka_unit_test(a_file_cut_at_any_octet_is_refused),
	    cmocka_unit_test(a_file_changed_at_any_octet_is_refused),
	    cmocka_unit_test(an_unwritable_folder_is_said),
	    cmocka_unit_test(what_cannot_be_removed_is_emptied),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
