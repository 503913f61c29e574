/* SPDX-License-Identifier: ISC */
/*
 * The files of TLS on their way: from the settings through the master's hands
 * to the contexts that the gateway makes of them.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/papers.h"
#include "gateway/settings.h"
#include "gateway/tls_listeners.h"
#include "tests/support/tls_end.h"

#define WHY_SIZE 1024

static char directory[] = "/tmp/test_papers.XXXXXX";
static struct tls_paper first, second;

static void
put(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* A listener `tls` in lines 3 to 6, and one without. */
static struct settings *
load(void)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *settings;

	assert_true(dprintf(fd,
			"policy { file = /dev/null }\n"
			"listener tls {\n"
			"	address = 192.0.2.1:1\n"
			"	tls_certificate = %s/gw.pem\n"
			"	tls_key = %s/gw.key\n"
			"}\n"
			"listener clear { address = 192.0.2.1:2 }\n",
			directory, directory) > 0);
	settings = settings_load_fd(fd, "a.conf", stderr);
	assert_non_null(settings);
	(void)close(fd);
	return settings;
}

static struct tls_listeners *
hand_over(const struct papers *papers)
{
	struct tls_listeners *set = tls_listeners_new();

	for (size_t i = 0; i < papers_count(papers); i++) {
		int fd = fcntl(papers_fd(papers, i), F_DUPFD_CLOEXEC, 0);

		assert_true(fd >= 0);
		tls_listeners_add(set, papers_name(papers, i), fd);
	}
	return set;
}

static int
set_up(void **state)
{
	(void)state;
	put("gw.pem", first.certificate);
	put("gw.key", first.key);
	return 0;
}

static void
files_become_contexts(void **state)
{
	struct settings *settings = load();
	char why[WHY_SIZE] = "";
	struct papers *papers = papers_open(settings, why, sizeof(why));
	struct tls_listeners *set;

	(void)state;
	assert_non_null(papers);
	assert_int_equal(papers_count(papers), 2);
	assert_string_equal(
	    papers_name(papers, 0), "tls_certificate tls a.conf:4");
	assert_string_equal(papers_name(papers, 1), "tls_key tls a.conf:5");
	set = hand_over(papers);
	assert_true(tls_listeners_make(set, settings, why, sizeof(why)));
	assert_non_null(tls_listeners_find(set, "tls"));
	assert_null(tls_listeners_find(set, "clear"));
	assert_null(tls_listeners_find(set, "unknown"));
	assert_null(tls_listeners_find(NULL, "tls"));
	tls_listeners_unref(set);
	papers_close(papers);
	settings_unref(settings);
}

static void
nobody_can_change_what_was_taken(void **state)
{
	struct settings *settings = load();
	char why[WHY_SIZE] = "";
	struct papers *papers = papers_open(settings, why, sizeof(why));
	struct tls_listeners *set;

	(void)state;
	assert_non_null(papers);
	assert_int_equal(write(papers_fd(papers, 1), "x", 1), -1);
	assert_int_equal(errno, EPERM);
	put("gw.key", "what came later");
	/* A gateway that is started anew, and another one after it. */
	for (int i = 0; i < 2; i++) {
		set = hand_over(papers);
		assert_true(
		    tls_listeners_make(set, settings, why, sizeof(why)));
		tls_listeners_unref(set);
	}
	papers_close(papers);
	settings_unref(settings);
}

static void
assert_not_made(const char *place, const char *wanted)
{
	struct settings *settings = load();
	char why[WHY_SIZE] = "", whole[WHY_SIZE];
	struct papers *papers = papers_open(settings, why, sizeof(why));
	struct tls_listeners *set;

	if (papers != NULL) {
		set = hand_over(papers);
		assert_false(
		    tls_listeners_make(set, settings, why, sizeof(why)));
		tls_listeners_unref(set);
	}
	(void)snprintf(
	    whole, sizeof(whole), "%s: %s/%s", place, directory, wanted);
	if (strncmp(why, whole, strlen(whole)) != 0)
		fail_msg("%s\ninstead of %s", why, whole);
	papers_close(papers);
	settings_unref(settings);
}

static void
what_is_wrong_is_said_with_file_and_line(void **state)
{
	static char large[PAPER_MAX + 2];
	char path[128];

	(void)state;
	put("gw.key", second.key);
	assert_not_made("a.conf:5: listener.tls_key",
	    "gw.key: is not the key of the certificate in tls_certificate");
	put("gw.pem", "");
	assert_not_made("a.conf:4: listener.tls_certificate",
	    "gw.pem: holds no certificate");
	memset(large, 'x', sizeof(large) - 1);
	put("gw.pem", large);
	assert_not_made("a.conf:4: listener.tls_certificate",
	    "gw.pem cannot be read: File too large");
	(void)snprintf(path, sizeof(path), "%s/gw.pem", directory);
	assert_int_equal(unlink(path), 0);
	assert_not_made("a.conf:4: listener.tls_certificate",
	    "gw.pem cannot be read: No such file or directory");
}

static void
a_file_that_did_not_come_is_missed(void **state)
{
	struct settings *settings = load();
	struct tls_listeners *set = tls_listeners_new();
	char why[WHY_SIZE] = "";

	(void)state;
	assert_false(tls_listeners_make(set, settings, why, sizeof(why)));
	assert_string_equal(
	    why, "listener tls: a file of its TLS did not come");
	tls_listeners_unref(set);
	settings_unref(settings);
}

/* The control link carries names from the master only; still. */
static void
names_of_any_form_do_no_harm(void **state)
{
	static const char *const names[] = {
	    "", " ", "tls_key", "tls_key ", "tls_key tls", "nothing tls a:1"};
	struct settings *settings = load();
	struct tls_listeners *set = tls_listeners_new();
	char why[WHY_SIZE] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		tls_listeners_add(
		    set, names[i], open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_false(tls_listeners_make(set, settings, why, sizeof(why)));
	tls_listeners_unref(set);
	settings_unref(settings);
}

static int
make_papers(void **state)
{
	(void)state;
	tls_paper_init(&first, "first", NULL, -1, 1);
	tls_paper_init(&second, "second", NULL, -1, 1);
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
drop_papers(void **state)
{
	char path[128];

	(void)state;
	tls_paper_fini(&first);
	tls_paper_fini(&second);
	(void)snprintf(path, sizeof(path), "%s/gw.key", directory);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/gw.pem", directory);
	(void)unlink(path);
	return rmdir(directory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(files_become_contexts, set_up),
	    cmocka_unit_test_setup(nobody_can_change_what_was_taken, set_up),
	    cmocka_unit_test_setup(
		what_is_wrong_is_said_with_file_and_line, set_up),
	    cmocka_unit_test(a_file_that_did_not_come_is_missed),
	    cmocka_unit_test(names_of_any_form_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_papers, drop_papers);
}
