/* SPDX-License-Identifier: ISC */
/* Tests secrets in memory; a wrapped munmap sees what a free leaves. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

int __real_munmap(void *pages, size_t len);
int __wrap_munmap(void *pages, size_t len);

static bool was_unmapped, was_wiped;

int
__wrap_munmap(void *pages, size_t len)
{
	const uint8_t *octets = pages;

	was_unmapped = true;
	was_wiped = true;
	for (size_t i = 0; i < len; i++)
		was_wiped &= octets[i] == 0;
	return __real_munmap(pages, len);
}

/* A file with these octets, at its end; closed by fclose. */
static FILE *
file_with(const void *octets, size_t len)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, len, file), len);
	assert_int_equal(fflush(file), 0);
	return file;
}

static void
a_secret_is_a_copy_that_ends_in_nul(void **state)
{
	char original[] = "pass\0word";
	struct secret *secret = secret_new(original, 9);

	(void)state;
	assert_non_null(secret);
	memset(original, 'x', sizeof(original));
	assert_int_equal(secret->len, 9);
	assert_memory_equal(secret->data, "pass\0word", 10);
	secret_free(secret);
}

static void
freeing_wipes(void **state)
{
	struct secret *secret = secret_new("password", 8);

	(void)state;
	assert_non_null(secret);
	was_unmapped = false;
	secret_free(secret);
	assert_true(was_unmapped);
	assert_true(was_wiped);
	secret_free(NULL);
}

static void
an_empty_secret_is_one(void **state)
{
	struct secret *secret = secret_new(NULL, 0);

	(void)state;
	assert_non_null(secret);
	assert_int_equal(secret->len, 0);
	assert_string_equal((const char *)secret->data, "");
	secret_free(secret);
}

static void
without_memory_there_is_none(void **state)
{
	(void)state;
	errno = 0;
	assert_null(secret_new("", SIZE_MAX / 2));
	assert_int_equal(errno, ENOMEM);
}

/* "dd" among the flags of its pages: not dumped. */
static void
a_secret_is_kept_out_of_core_dumps(void **state)
{
	struct secret *secret = secret_new("password", 8);
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char start[32], line[512];
	bool is_ours = false, is_found = false;

	(void)state;
	assert_non_null(secret);
	assert_non_null(smaps);
	snprintf(start, sizeof(start), "%lx-",
	    (unsigned long)(uintptr_t)secret->data);
	while (fgets(line, sizeof(line), smaps) != NULL) {
		if (strncmp(line, start, strlen(start)) == 0)
			is_ours = true;
		if (is_ours && strncmp(line, "VmFlags:", 8) == 0) {
			is_found = strstr(line, " dd") != NULL;
			break;
		}
	}
	fclose(smaps);
	assert_true(is_found);
	secret_free(secret);
}

static void
a_file_is_read_from_its_start_without_its_last_newline(void **state)
{
	static const struct {
		const char *file, *secret;
	} rows[] = {
	    {"secret\n", "secret"},
	    {"secret", "secret"},
	    {"secret\n\n", "secret\n"},
	    {"two\nlines\n", "two\nlines"},
	    {" spaces \n", " spaces "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		FILE *file = file_with(rows[i].file, strlen(rows[i].file));
		struct secret *secret = secret_read(fileno(file));

		assert_non_null(secret);
		assert_int_equal(secret->len, strlen(rows[i].secret));
		assert_string_equal((const char *)secret->data, rows[i].secret);
		secret_free(secret);
		assert_int_equal(fclose(file), 0);
	}
}

static void
an_empty_file_holds_no_secret(void **state)
{
	static const char *const rows[] = {"", "\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		FILE *file = file_with(rows[i], strlen(rows[i]));

		errno = 0;
		assert_null(secret_read(fileno(file)));
		assert_int_equal(errno, EINVAL);
		fclose(file);
	}
}

static void
a_file_holds_4096_octets_at_most(void **state)
{
	char octets[4097];

	(void)state;
	memset(octets, 's', sizeof(octets));
	for (size_t len = 4096; len <= 4097; len++) {
		FILE *file = file_with(octets, len);
		struct secret *secret = secret_read(fileno(file));

		if (len == 4096) {
			assert_non_null(secret);
			assert_int_equal(secret->len, len);
		} else {
			assert_null(secret);
			assert_int_equal(errno, EFBIG);
		}
		secret_free(secret);
		fclose(file);
	}
}

static void
what_cannot_be_read_says_why(void **state)
{
	(void)state;
	assert_null(secret_read(-1));
	assert_int_equal(errno, EBADF);
}

static void
a_child_finds_zeros_if_asked_to(void **state)
{
	struct secret *secret = secret_new("secret", 6);
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(secret);
	assert_int_equal(secret_hide_from_children(secret), 0);
	pid = fork();
	if (pid == 0)
		_exit(memcmp(secret->data, "\0\0\0\0\0\0", 6) == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_memory_equal(secret->data, "secret", 6);
	secret_free(secret);
}

static void
a_whole_file_is_read_as_it_is(void **state)
{
	static const char text[] = "two\nlines\n";
	FILE *file = file_with(text, strlen(text));
	struct secret *secret = secret_read_all(fileno(file), 10);

	(void)state;
	assert_non_null(secret);
	assert_int_equal(secret->len, 10);
	assert_string_equal((const char *)secret->data, text);
	secret_free(secret);
	errno = 0;
	assert_null(secret_read_all(fileno(file), 9));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(fclose(file), 0);
	file = file_with("", 0);
	secret = secret_read_all(fileno(file), 10);
	assert_non_null(secret);
	assert_int_equal(secret->len, 0);
	secret_free(secret);
	assert_int_equal(fclose(file), 0);
	assert_null(secret_read_all(-1, 10));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_secret_is_a_copy_that_ends_in_nul),
	    cmocka_unit_test(freeing_wipes),
	    cmocka_unit_test(an_empty_secret_is_one),
	    cmocka_unit_test(without_memory_there_is_none),
	    cmocka_unit_test(a_secret_is_kept_out_of_core_dumps),
	    cmocka_unit_test(
		a_file_is_read_from_its_start_without_its_last_newline),
	    cmocka_unit_test(an_empty_file_holds_no_secret),
	    cmocka_unit_test(a_file_holds_4096_octets_at_most),
	    cmocka_unit_test(what_cannot_be_read_says_why),
	    cmocka_unit_test(a_child_finds_zeros_if_asked_to),
	    cmocka_unit_test(a_whole_file_is_read_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
