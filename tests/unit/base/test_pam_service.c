/* SPDX-License-Identifier: ISC */
/* Tests whether a PAM service's file is found. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pam_service.h"

static char why[256];

static void
a_file_in_the_folder_is_a_service(void **state)
{
	char folder[] = "/tmp/gatewarden-service.XXXXXX", path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/here", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_true(pamservice_is_there(folder, "here", why, sizeof(why)));
	assert_false(pamservice_is_there(folder, "there", why, sizeof(why)));
	assert_non_null(strstr(why, "no readable file there in /tmp/"));
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
without_a_folder_the_systems_are_looked_at(void **state)
{
	(void)state;
	assert_false(
	    pamservice_is_there("", "no-such-service", why, sizeof(why)));
	assert_string_equal(why,
	    "password.service: there is no readable file no-such-service in "
	    "/etc/pam.d");
	/* Every Debian has it. */
	assert_true(pamservice_is_there("", "other", why, sizeof(why)));
}

static void
a_path_that_is_too_long_leads_nowhere(void **state)
{
	char folder[600];

	(void)state;
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	assert_false(pamservice_is_there(folder, "here", why, sizeof(why)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_in_the_folder_is_a_service),
	    cmocka_unit_test(without_a_folder_the_systems_are_looked_at),
	    cmocka_unit_test(a_path_that_is_too_long_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
