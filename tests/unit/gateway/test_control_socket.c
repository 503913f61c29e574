/* SPDX-License-Identifier: ISC */
/* The control socket opens once, outlives a reload, and leaves nothing. */
#include "tests/support/unit.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/control.h"
#include "gateway/control_server.h"
#include "gateway/control_socket.h"
#include "gateway/settings.h"

#define WHY_SIZE 256

static char directory[] = "/tmp/gatewarden-test-XXXXXX";
static char path[64], folder[40];
static struct settings settings;
static char why[WHY_SIZE];

static int
set_up(void **state)
{
	(void)state;
	memcpy(directory, "/tmp/gatewarden-test-XXXXXX", sizeof(directory));
	assert_non_null(mkdtemp(directory));
	(void)snprintf(folder, sizeof(folder), "%s/run", directory);
	(void)snprintf(path, sizeof(path), "%s/control", folder);
	settings = (struct settings){
	    .control_socket = path,
	    .control_read_group = strdup(""),
	    .control_operate_group = strdup(""),
	};
	why[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(settings.control_read_group);
	free(settings.control_operate_group);
	(void)unlink(path);
	(void)rmdir(folder);
	return rmdir(directory);
}

/* -1 and errno where nobody listens. */
static int
connect_there(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    0)
		return fd;
	(void)close(fd);
	return -1;
}

static struct control_socket *
open_it(struct control_socket *have)
{
	struct control_socket *made;

	assert_true(
	    control_socket_open(&settings, have, &made, why, sizeof(why)));
	return made;
}

static void
anybody_may_connect_while_it_is_open(void **state)
{
	struct control_socket *socket = open_it(NULL);
	struct stat status;
	int fd;

	(void)state;
	assert_non_null(socket);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0666);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	fd = connect_there();
	assert_true(fd >= 0);
	(void)close(fd);
	control_socket_unref(socket);
	assert_int_equal(access(path, F_OK), -1);
}

static void
a_reload_keeps_it(void **state)
{
	struct control_socket *before = open_it(NULL), *after = open_it(before);
	int fd;

	(void)state;
	assert_ptr_equal(before, after);
	control_socket_unref(before);
	fd = connect_there();
	assert_true(fd >= 0);
	(void)close(fd);
	control_socket_unref(after);
	assert_int_equal(connect_there(), -1);
}

static void
what_a_dead_master_left_is_replaced(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct control_socket *socket_;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkdir(folder, 0755), 0);
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	socket_ = open_it(NULL);
	fd = connect_there();
	assert_true(fd >= 0);
	(void)close(fd);
	control_socket_unref(socket_);
}

static void
what_somebody_listens_at_is_left_alone(void **state)
{
	struct control_socket *first = open_it(NULL), *second;
	int fd;

	(void)state;
	assert_false(
	    control_socket_open(&settings, NULL, &second, why, sizeof(why)));
	assert_non_null(strstr(why, "control.socket: cannot listen on /tmp/"));
	assert_null(second);
	fd = connect_there();
	assert_true(fd >= 0);
	(void)close(fd);
	control_socket_unref(first);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct control_socket *made;
	FILE *file;

	(void)state;
	assert_int_equal(mkdir(folder, 0755), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fclose(file);
	assert_false(
	    control_socket_open(&settings, NULL, &made, why, sizeof(why)));
	assert_int_equal(access(path, F_OK), 0);
}

static void
without_a_path_there_is_none(void **state)
{
	(void)state;
	settings.control_socket = folder + strlen(folder);
	assert_null(open_it(NULL));
	control_socket_unref(NULL);
}

static void
a_group_has_a_number(void **state)
{
	const struct group *mine = getgrgid(0);
	struct control_groups groups;

	(void)state;
	assert_true(
	    control_socket_groups(&settings, &groups, why, sizeof(why)));
	assert_int_equal(groups.read, CONTROL_NO_GROUP);
	assert_int_equal(groups.operate, CONTROL_NO_GROUP);
	free(settings.control_read_group);
	settings.control_read_group = strdup("4242");
	assert_true(
	    control_socket_groups(&settings, &groups, why, sizeof(why)));
	assert_int_equal(groups.read, 4242);
	assert_non_null(mine);
	free(settings.control_read_group);
	settings.control_read_group = strdup(mine->gr_name);
	assert_true(
	    control_socket_groups(&settings, &groups, why, sizeof(why)));
	assert_int_equal(groups.read, 0);
	free(settings.control_read_group);
	settings.control_read_group = strdup("no-such-group");
	assert_false(
	    control_socket_groups(&settings, &groups, why, sizeof(why)));
	assert_string_equal(
	    why, "control.read_group: there is no group no-such-group");
	free(settings.control_operate_group);
	settings.control_operate_group = settings.control_read_group;
	settings.control_read_group = strdup("");
	assert_false(
	    control_socket_groups(&settings, &groups, why, sizeof(why)));
	assert_string_equal(
	    why, "control.operate_group: there is no group no-such-group");
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(anybody_may_connect_while_it_is_open),
	    TEST(a_reload_keeps_it),
	    TEST(what_a_dead_master_left_is_replaced),
	    TEST(what_somebody_listens_at_is_left_alone),
	    TEST(a_file_that_is_no_socket_is_left_alone),
	    TEST(without_a_path_there_is_none),
	    TEST(a_group_has_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
