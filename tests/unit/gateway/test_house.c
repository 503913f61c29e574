/* SPDX-License-Identifier: ISC */
/*
 * The master from start to stop, as a process, with the real auditor; the
 * other programs are program_echo.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/must.h"
#include "tests/support/observer.h"

#define PATH_SIZE   256
#define TEXT_SIZE   4096
#define WAIT_MS	    10000
#define LOOK_US	    5000
#define RECORD_SIZE 9000

struct world {
	struct observer observer;
	int syslog;  /* where the auditor sends its records */
	int manager; /* NOTIFY_SOCKET */
	uint16_t port;
	pid_t master;
};

/* ---- the surroundings ---- */

static void
in_directory(const struct world *world, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(
	    path, PATH_SIZE, "%s/%s", world->observer.directory, name);
}

static int
bind_datagrams(const struct world *world, const char *name)
{
	const struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char path[PATH_SIZE];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	in_directory(world, name, path);
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			     sizeof(patience)),
	    0);
	return fd;
}

static uint16_t
find_free_port(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	(void)close(fd);
	return ntohs(at.sin_port);
}

/* The path of a program that was built beside this test. */
static void
find_built(const char *name, char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 64);
	char *end;

	assert_true(len > 0);
	path[len] = '\0';
	end = strrchr(path, '/') + 1;
	(void)snprintf(end, (size_t)(path + PATH_MAX - end), "%s", name);
}

static void
install_auditor(const struct world *world)
{
	char path[PATH_SIZE], built[PATH_MAX];

	find_built("gatewarden-auditor", built);
	in_directory(world, "gatewarden-auditor", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(built, path), 0);
}

/* There is neither a KDC nor a directory that could be looked at. */
static void
install_checks(const struct world *world)
{
	static const char *const names[] = {
	    "gatewarden-kerberos-check", "gatewarden-directory-check"};
	char path[PATH_SIZE];

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		in_directory(world, names[i], path);
		assert_int_equal(symlink("/bin/true", path), 0);
	}
}

static void
write_settings(struct world *world, const char *kerberos, const char *more)
{
	const char *in = world->observer.directory;
	unsigned uid = (unsigned)geteuid();
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text),
	    "gateway { workers = 2\n drain_timeout = 0\n state_dir = "
	    "\"%s/state\" }\n"
	    "control { socket = \"%s/run/control\" }\n"
	    "users { gateway = \"%u\"\n authenticator = \"%u\"\n"
	    " directory = \"%u\"\n auditor = \"%u\" }\n"
	    "kerberos { authenticators = 2\n keytab = \"%s/keytab\"\n %s }\n"
	    "directory { uri = {\"ldapi:///\"}\n bind = \"simple\"\n"
	    " bind_dn = \"cn=gw\"\n password_file = \"%s/password\"\n"
	    " rule_base = \"dc=x\"\n user_base = \"dc=x\" }\n"
	    "audit { target = \"unix:%s/syslog\" }\n"
	    "listener front { address = \"127.0.0.1:%u\" }\n%s",
	    in, in, uid, uid, uid, uid, in, kerberos, in, in,
	    (unsigned)world->port, more);
	observer_write(&world->observer, "settings", text);
}

static int
set_up(void **state)
{
	struct world *world = must_alloc(1, sizeof(*world));
	char path[PATH_SIZE];

	observer_init(&world->observer);
	install_auditor(world);
	install_checks(world);
	world->syslog = bind_datagrams(world, "syslog");
	world->manager = bind_datagrams(world, "manager");
	world->port = find_free_port();
	observer_write(&world->observer, "password", "open sesame\n");
	observer_write(&world->observer, "keytab", "keys");
	in_directory(world, "password", path);
	assert_int_equal(chmod(path, 0600), 0);
	in_directory(world, "keytab", path);
	assert_int_equal(chmod(path, 0600), 0);
	write_settings(world, "", "");
	*state = world;
	return 0;
}

/* ---- the master ---- */

_Noreturn static void
become_master(const struct world *world, const char *option)
{
	char built[PATH_MAX], settings[PATH_SIZE], manager[PATH_SIZE];

	find_built("gatewarden", built);
	in_directory(world, "settings", settings);
	in_directory(world, "manager", manager);
	(void)setenv("NOTIFY_SOCKET", manager, 1);
	(void)execl(built, "gatewarden", "-c", settings, "-L",
	    world->observer.directory, option, NULL);
	_exit(1);
}

static void
start_master(struct world *world, const char *option)
{
	world->master = fork();
	assert_true(world->master >= 0);
	if (world->master == 0)
		become_master(world, option);
}

/* Its exit status, or minus the signal that ended it. */
static int
await_end(struct world *world)
{
	int status;

	for (int waited = 0; waited < WAIT_MS * 1000; waited += LOOK_US) {
		if (waitpid(world->master, &status, WNOHANG) == world->master) {
			world->master = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : -WTERMSIG(status);
		}
		(void)usleep(LOOK_US);
	}
	fail_msg("the master does not end");
	return 0;
}

static void
signal_master(const struct world *world, int number)
{
	assert_int_equal(kill(world->master, number), 0);
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	if (world->master > 0) {
		signal_master(world, SIGKILL);
		(void)await_end(world);
	}
	(void)close(world->syslog);
	(void)close(world->manager);
	observer_fini(&world->observer);
	free(world);
	return 0;
}

/* Passes over the descriptors that it is given to keep. */
static void
await_notification(const struct world *world, const char *expected)
{
	char text[256];
	ssize_t len;

	do {
		len = recv(world->manager, text, sizeof(text) - 1, 0);
		if (len < 0)
			fail_msg(
			    "the service manager was not told %s", expected);
		text[len] = '\0';
	} while (strncmp(text, "FDSTORE", strlen("FDSTORE")) == 0);
	assert_memory_equal(text, expected, strlen(expected));
}

/* Passes over other records. */
static void
await_record(const struct world *world, const char *part, const char *other)
{
	char text[RECORD_SIZE];
	ssize_t len;

	while ((len = recv(world->syslog, text, sizeof(text) - 1, 0)) > 0) {
		text[len] = '\0';
		if (strstr(text, part) != NULL && strstr(text, other) != NULL)
			return;
	}
	fail_msg("no record has %s and %s", part, other);
}

static void
run_until_ready(struct world *world)
{
	start_master(world, NULL);
	await_notification(world, "READY=1");
	await_record(world, "event=\"start\"", "is ready");
}

static bool
can_connect(const struct world *world)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(world->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool was_good =
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	(void)close(fd);
	return was_good;
}

static void
await_death(pid_t pid)
{
	for (int waited = 0; waited < WAIT_MS * 1000; waited += LOOK_US) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return;
		(void)usleep(LOOK_US);
	}
	fail_msg("process %d lives", (int)pid);
}

/* ---- the start ---- */

static void
all_programs_are_configured_and_linked(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	char folder[TEXT_SIZE];

	run_until_ready(world);
	(void)snprintf(folder, sizeof(folder),
	    "configured 4 %s/state/"
	    "authenticator",
	    observer->directory);
	(void)observer_wait(observer, "authenticator 0", folder);
	(void)observer_wait(observer, "authenticator 1", folder);
	(void)observer_wait(observer, "directory-watch 0", "configured 0");
	(void)observer_wait(observer, "directory-lookup 1", "configured 0");
	(void)observer_wait(observer, "directory-lookup 0",
	    "file directory.password open sesame");
	(void)observer_wait(observer, "gateway 0", "settings");
	(void)observer_wait(observer, "gateway 0", "listener front");
	(void)observer_wait(observer, "gateway 0", "control socket 4294967295");
	(void)observer_wait(observer, "gateway 0", "addresses ");
	(void)observer_wait(observer, "gateway 0",
	    "heard directory-watch by directory-watch 0 slot 0");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 1 slot 2");
	(void)observer_wait(observer, "gateway 0",
	    "heard directory-lookup by directory-lookup 0 slot 1");
	assert_true(can_connect(world));
}

static void
state_folders_belong_to_their_programs_alone(void **state)
{
	static const char *const names[] = {"state/authenticator",
	    "state/directory", "state/auditor", "state/gateway"};
	struct world *world = *state;
	char path[PATH_SIZE];
	struct stat status;

	run_until_ready(world);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		in_directory(world, names[i], path);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0700);
		assert_int_equal(status.st_uid, geteuid());
	}
	/* Other users' programs pass through to theirs. */
	in_directory(world, "state", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0711);
}

static void
a_program_that_refuses_ends_the_start(void **state)
{
	struct world *world = *state;

	write_settings(world, "rounds_max = 13", "");
	start_master(world, NULL);
	assert_int_equal(await_end(world), EX_CONFIG);
}

static void
a_program_that_is_missing_ends_the_start(void **state)
{
	struct world *world = *state;
	char path[PATH_SIZE];

	in_directory(world, "gatewarden-directory-lookup", path);
	assert_int_equal(unlink(path), 0);
	start_master(world, NULL);
	assert_int_equal(await_end(world), EXIT_FAILURE);
}

static void
an_address_in_use_ends_the_start(void **state)
{
	struct world *world = *state;
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons(world->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	start_master(world, NULL);
	assert_int_equal(await_end(world), EX_CONFIG);
	(void)close(fd);
}

/* ---- deaths ---- */

static void
a_killed_helper_comes_back(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	pid_t old;

	run_until_ready(world);
	old = observer_wait(observer, "authenticator 1", "configured");
	observer_mark(observer);
	assert_int_equal(kill(old, SIGKILL), 0);
	await_record(world, "authenticator 1 was ended by signal 9",
	    "event=\"dependency\"");
	await_record(world, "authenticator 1 is back", "event=\"dependency\"");
	assert_int_not_equal(
	    observer_wait(observer, "authenticator 1", "configured"), old);
	(void)observer_wait(
	    observer, "gateway 0", "lost authenticator 1 slot 2");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 1 slot 2");
	assert_false(observer_has(observer, "gateway 0", "up"));
	assert_false(observer_has(observer, "authenticator 0", "lost"));
}

static void
a_killed_gateway_comes_back_to_the_same_listeners(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	pid_t old;

	run_until_ready(world);
	old = observer_wait(observer, "gateway 0", "configured");
	observer_mark(observer);
	assert_int_equal(kill(old, SIGKILL), 0);
	assert_true(can_connect(world)); /* nobody accepts, but it waits */
	(void)observer_wait(observer, "gateway 0", "listener front");
	(void)observer_wait(observer, "gateway 0",
	    "heard authenticator by authenticator 0 slot 1");
	(void)observer_wait(
	    observer, "authenticator 1", "heard gateway by gateway 0 slot 2");
	await_record(world, "gateway 0 is back", "event=\"dependency\"");
}

/* The process that the auditor's name in /proc belongs to. */
static pid_t
find_auditor(const struct world *world)
{
	char path[64], text[TEXT_SIZE] = "";
	char *rest;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)world->master, (int)world->master);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	(void)close(fd);
	/* It is started first. */
	return (pid_t)strtol(text, &rest, 10);
}

static uint64_t
await_sequence(const struct world *world, const char *part)
{
	char text[RECORD_SIZE];
	ssize_t len;

	while ((len = recv(world->syslog, text, sizeof(text) - 1, 0)) > 0) {
		const char *at;

		text[len] = '\0';
		at = strstr(text, " seq=\"");
		if (at != NULL && strstr(text, part) != NULL)
			return strtoull(at + strlen(" seq=\""), NULL, 10);
	}
	fail_msg("no record has %s", part);
	return 0;
}

static void
a_killed_auditor_goes_on_counting(void **state)
{
	struct world *world = *state;
	uint64_t before;

	start_master(world, NULL);
	await_notification(world, "READY=1");
	before = await_sequence(world, "event=\"start\"");
	assert_int_equal(kill(find_auditor(world), SIGKILL), 0);
	assert_true(await_sequence(world, "auditor 0 was ended by signal 9") ==
		    before + 1);
	assert_true(await_sequence(world, "auditor 0 is back") == before + 2);
}

static void
when_the_master_dies_all_die(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;

	run_until_ready(world);
	signal_master(world, SIGKILL);
	assert_int_equal(await_end(world), -SIGKILL);
	await_death(observer_wait(observer, "gateway 0", "configured"));
	await_death(observer_wait(observer, "authenticator 0", "configured"));
	await_death(observer_wait(observer, "directory-watch 0", "configured"));
}

/* It does not see that its master's link is closed. */
static void
a_program_that_hangs_dies_with_its_master_too(void **state)
{
	struct world *world = *state;
	pid_t pid;

	write_settings(world, "rounds_max = 12", "");
	start_master(world, NULL);
	pid = observer_wait(&world->observer, "authenticator 0", "hangs");
	signal_master(world, SIGKILL);
	(void)await_end(world);
	await_death(pid);
}

/* ---- reloads ---- */

static void
a_reload_reaches_all_and_the_gateway_last(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	pid_t gateway;

	run_until_ready(world);
	gateway = observer_wait(observer, "gateway 0", "configured");
	observer_mark(observer);
	write_settings(world, "rounds_max = 7", "");
	signal_master(world, SIGHUP);
	await_notification(world, "RELOADING=1");
	await_notification(world, "READY=1");
	await_record(world, "event=\"reload\"", "settings taken");
	(void)observer_wait(observer, "authenticator 0", "configured 7");
	(void)observer_wait(observer, "authenticator 1", "configured 7");
	(void)observer_wait(observer, "directory-watch 0", "configured");
	assert_int_equal(
	    observer_wait(observer, "gateway 0", "listener front"), gateway);
	assert_false(observer_has(observer, "gateway 0", "up"));
}

static void
a_new_listener_opens_at_a_reload(void **state)
{
	struct world *world = *state;
	char more[128];

	run_until_ready(world);
	observer_mark(&world->observer);
	(void)snprintf(more, sizeof(more),
	    "listener side { address = \"127.0.0.1:%u\" }\n",
	    (unsigned)find_free_port());
	write_settings(world, "", more);
	signal_master(world, SIGHUP);
	(void)observer_wait(&world->observer, "gateway 0", "listener front");
	(void)observer_wait(&world->observer, "gateway 0", "listener side");
	assert_true(can_connect(world));
}

static void
broken_settings_change_nothing(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;

	run_until_ready(world);
	observer_mark(observer);
	write_settings(world, "rounds_max = 99", "");
	signal_master(world, SIGHUP);
	await_record(world, "event=\"reload\"", "rounds_max");
	assert_false(observer_has(observer, "authenticator 0", "configured"));
	/* A program that is started now gets what is in force. */
	assert_int_equal(kill(find_auditor(world), 0), 0);
	write_settings(world, "rounds_max = 5", "");
	signal_master(world, SIGHUP);
	(void)observer_wait(observer, "authenticator 0", "configured 5");
}

static void
a_setting_that_needs_a_restart_is_named(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;

	run_until_ready(world);
	observer_mark(observer);
	write_settings(world, "rounds_max = 5\n config = \"/x/krb5.conf\"", "");
	signal_master(world, SIGHUP);
	await_record(world, "event=\"reload\"", "kerberos.config");
	assert_false(observer_has(observer, "authenticator 0", "configured"));
}

static void
one_refusal_gives_all_their_old_settings_back(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;

	run_until_ready(world);
	observer_mark(observer);
	write_settings(world, "rounds_max = 13", "");
	signal_master(world, SIGHUP);
	await_record(world, "event=\"reload\"", "13 is refused");
	(void)observer_wait(observer, "authenticator 0", "refused");
	(void)observer_wait(observer, "authenticator 0", "configured 4");
	(void)observer_wait(observer, "authenticator 1", "configured 4");
	/* Nobody was killed for it. */
	assert_false(observer_has(observer, "authenticator 0", "up"));
	assert_false(observer_has(observer, "authenticator 1", "up"));

	observer_mark(observer);
	write_settings(world, "rounds_max = 6", "");
	signal_master(world, SIGHUP);
	await_record(world, "event=\"reload\"", "settings taken");
	(void)observer_wait(observer, "authenticator 1", "configured 6");
}

/* ---- the end ---- */

static bool
has_stopped_first(const struct observer *observer, const char *who)
{
	for (size_t i = 0; i < observer->count; i++) {
		if (strstr(observer->lines[i], " stopped") != NULL)
			return strncmp(observer->lines[i], who, strlen(who)) ==
			       0;
	}
	return false;
}

static void
stopping_ends_the_gateway_first_and_the_auditor_last(void **state)
{
	struct world *world = *state;
	struct observer *observer = &world->observer;
	pid_t auditor;

	run_until_ready(world);
	auditor = find_auditor(world);
	signal_master(world, SIGTERM);
	await_notification(world, "STOPPING=1");
	(void)observer_wait(observer, "gateway 0", "stopped");
	(void)observer_wait(observer, "authenticator 0", "stopped");
	(void)observer_wait(observer, "directory-lookup 1", "stopped");
	assert_true(has_stopped_first(observer, "gateway 0"));
	await_record(world, "event=\"stop\"", "stops");
	assert_int_equal(await_end(world), 0);
	await_death(auditor);
	assert_false(can_connect(world));
}

static void
a_second_signal_hastens_the_end(void **state)
{
	struct world *world = *state;
	pid_t gateway;

	run_until_ready(world);
	gateway = observer_wait(&world->observer, "gateway 0", "configured");
	assert_int_equal(kill(gateway, SIGSTOP), 0);
	signal_master(world, SIGINT);
	await_notification(world, "STOPPING=1");
	signal_master(world, SIGINT);
	assert_int_equal(await_end(world), 0);
}

/* ---- the command line ---- */

static int
run_by_hand(const struct world *world, const char *name, const char *option)
{
	char path[PATH_SIZE];
	int status;
	pid_t pid;

	in_directory(world, name, path);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
		(void)execl(path, path, option, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
programs_do_not_run_by_hand(void **state)
{
	const struct world *world = *state;

	assert_int_equal(
	    run_by_hand(world, "gatewarden-auditor", NULL), EX_USAGE);
	assert_int_equal(
	    run_by_hand(world, "gatewarden-gateway", NULL), EX_USAGE);
	assert_int_equal(
	    run_by_hand(world, "gatewarden-auditor", "--version"), 0);
}

static void
checking_finds_what_is_wrong(void **state)
{
	struct world *world = *state;
	char path[PATH_SIZE];

	start_master(world, "--check");
	assert_int_equal(await_end(world), 0);
	in_directory(world, "keytab", path);
	assert_int_equal(chmod(path, 0644), 0);
	start_master(world, "--check");
	assert_int_equal(await_end(world), EX_CONFIG);
	assert_int_equal(unlink(path), 0);
	start_master(world, "--check");
	assert_int_equal(await_end(world), EX_CONFIG);
	write_settings(world, "rounds_max = 99", "");
	start_master(world, "--check");
	assert_int_equal(await_end(world), EX_CONFIG);
	start_master(world, "--no-such-option");
	assert_int_equal(await_end(world), EX_USAGE);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_programs_are_configured_and_linked),
	    TEST(state_folders_belong_to_their_programs_alone),
	    TEST(a_program_that_refuses_ends_the_start),
	    TEST(a_program_that_is_missing_ends_the_start),
	    TEST(an_address_in_use_ends_the_start),
	    TEST(a_killed_helper_comes_back),
	    TEST(a_killed_gateway_comes_back_to_the_same_listeners),
	    TEST(a_killed_auditor_goes_on_counting),
	    TEST(when_the_master_dies_all_die),
	    TEST(a_program_that_hangs_dies_with_its_master_too),
	    TEST(a_reload_reaches_all_and_the_gateway_last),
	    TEST(a_new_listener_opens_at_a_reload),
	    TEST(broken_settings_change_nothing),
	    TEST(a_setting_that_needs_a_restart_is_named),
	    TEST(one_refusal_gives_all_their_old_settings_back),
	    TEST(stopping_ends_the_gateway_first_and_the_auditor_last),
	    TEST(a_second_signal_hastens_the_end),
	    TEST(programs_do_not_run_by_hand),
	    TEST(checking_finds_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
