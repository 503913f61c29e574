/* SPDX-License-Identifier: ISC */
/* The directories of with_slapd.sh, and a directory program with a master of
 * the test's. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/link.h"
#include "base/options.h"
#include "base/role.h"
#include "base/wire.h"
#include "tests/unit/policy/ldap_directory.h"

#define PATIENCE_US 20000000

/* ---- servers */

static pid_t started; /* 0: the one that the script started */

const char *
directory_variable(const char *name)
{
	const char *value = getenv(name);

	assert_non_null(value);
	return value;
}

const char *
directory_path(const char *name)
{
	static char path[256];

	(void)snprintf(
	    path, sizeof(path), "%s/%s", directory_variable("SLAPD_DIR"), name);
	return path;
}

void
directory_add_server(struct options *options, const char *scheme, unsigned host)
{
	unsigned long port =
	    strtoul(directory_variable("SLAPD_PORT"), NULL, 10);
	char uri[128];

	(void)snprintf(uri, sizeof(uri), "%s://127.0.0.%u:%lu", scheme, host,
	    port + (strcmp(scheme, "ldaps") == 0));
	options_add(options, "directory.uri", uri);
}

static pid_t
server(void)
{
	if (started > 0)
		return started;
	return (pid_t)strtol(directory_variable("SLAPD_PID"), NULL, 10);
}

static bool
is_stopped(pid_t pid)
{
	char path[64], text[256] = "";
	const char *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	state = strrchr(text, ')');
	return state != NULL && state[2] == 'T';
}

void
directory_signal(int number)
{
	assert_int_equal(kill(server(), number), 0);
	if (number != SIGSTOP)
		return;
	/* Each of its threads stops when it is its turn. */
	while (!is_stopped(server()))
		(void)usleep(1000);
	(void)usleep(50000);
}

/* ldapmodify's status, as waitpid gives it. */
static int
modify(const char *input)
{
	const char *uri = directory_variable("LDAPI_URI");
	int fd = memfd_create("input", MFD_CLOEXEC), status = -1;
	pid_t pid;

	assert_int_equal(write(fd, input, strlen(input)), strlen(input));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (dup2(fd, STDIN_FILENO) < 0 ||
		    dup2(nowhere, STDOUT_FILENO) < 0 ||
		    dup2(nowhere, STDERR_FILENO) < 0)
			_exit(126);
		(void)execl("/usr/bin/ldapmodify", "ldapmodify", "-x", "-H",
		    uri, "-D", "cn=admin,dc=example,dc=com", "-w",
		    "admin-secret", NULL);
		_exit(127);
	}
	(void)close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void
directory_modify(const char *ldif)
{
	assert_int_equal(modify(ldif), 0);
}

/* Returns when it has gone, and its ports and files are free. */
void
directory_kill(void)
{
	struct pollfd gone = {.fd = pidfd_open(server(), 0), .events = POLLIN};

	assert_true(gone.fd >= 0);
	directory_signal(SIGKILL);
	assert_int_equal(poll(&gone, 1, PATIENCE_US / 1000), 1);
	(void)close(gone.fd);
	if (started > 0)
		assert_int_equal(waitpid(started, NULL, 0), started);
	started = 0;
}

void
directory_start(void)
{
	uint64_t until_us = clock_monotonic_us() + PATIENCE_US;
	const char *path = directory_path("run");

	started = fork();
	assert_true(started >= 0);
	if (started == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl("/bin/sh", "sh", path, NULL);
		_exit(127);
	}
	while (modify("") != 0) {
		assert_true(clock_monotonic_us() < until_us);
		(void)usleep(20000);
	}
}

/* ---- programs */

struct directory_program {
	struct event_base *base;
	pid_t pid;
	struct link *control;
	bool is_ready, has_pulse, is_gone;
};

static void
on_ready(void *arg, struct link_message *message)
{
	struct directory_program *program = arg;

	(void)message;
	program->is_ready = true;
}

static void
on_pong(void *arg, struct link_message *message)
{
	struct directory_program *program = arg;

	(void)message;
	program->has_pulse = true;
}

static void
on_gone(void *arg)
{
	struct directory_program *program = arg;

	program->is_gone = true;
}

static const struct link_handler handlers[] = {
    {CONTROL_READY, 8, 8, on_ready},
    {CONTROL_PONG, 0, 0, on_pong},
    {.handle = NULL},
};

static void
run_program(int fd, const char *path)
{
	/* Descriptor 3 without close-on-exec, whatever it was. */
	if (dup2(fd, 10) < 0 || dup2(10, CONTROL_FD) < 0)
		_exit(126);
	(void)close(10);
	(void)execl(path, path, NULL);
	_exit(127);
}

struct directory_program *
directory_program_new(struct event_base *base, const char *name)
{
	struct directory_program *program = calloc(1, sizeof(*program));
	char path[128];
	int fds[2];

	assert_non_null(program);
	(void)snprintf(path, sizeof(path), "./%s", name);
	assert_int_equal(link_pair(fds), 0);
	program->base = base;
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0)
		run_program(fds[1], path);
	(void)close(fds[1]);
	program->control = link_new(base, fds[0], handlers, on_gone, program);
	assert_non_null(program->control);
	return program;
}

void
directory_program_free(struct directory_program *program)
{
	if (program == NULL)
		return;
	(void)kill(program->pid, SIGKILL);
	assert_int_equal(waitpid(program->pid, NULL, 0), program->pid);
	link_free(program->control);
	free(program);
}

pid_t
directory_program_pid(const struct directory_program *program)
{
	return program->pid;
}

static void
say(struct directory_program *program, enum control_type type,
    const struct wire_writer *writer, int fd)
{
	assert_int_equal(link_send_fd(program->control, (uint16_t)type, 0,
			     writer->data, writer->len, fd),
	    0);
}

static void
send_password(struct directory_program *program, const char *password)
{
	int fd = memfd_create("password", MFD_CLOEXEC);
	struct wire_writer writer;
	uint8_t data[64];

	assert_int_equal(
	    write(fd, password, strlen(password)), strlen(password));
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, "directory.password");
	say(program, CONTROL_FILE, &writer, fd);
	(void)close(fd);
}

void
directory_program_configure(struct directory_program *program,
    const struct options *options, const char *password)
{
	struct wire_writer writer;
	uint8_t generation[8], *data;
	size_t len;

	options_encode(options, &data, &len);
	assert_int_equal(
	    link_send(program->control, CONTROL_CONFIGURE, 0, data, len), 0);
	free(data);
	if (password != NULL)
		send_password(program, password);
	wire_writer_init(&writer, generation, sizeof(generation));
	wire_put_u64(&writer, 1);
	program->is_ready = false;
	say(program, CONTROL_COMMIT, &writer, -1);
	assert_true(
	    directory_await(program->base, &program->is_ready, PATIENCE_US));
}

int
directory_program_link(struct directory_program *program, uint32_t slot)
{
	struct wire_writer writer;
	uint8_t data[16];
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, ROLE_GATEWAY);
	wire_put_u32(&writer, 0);
	wire_put_u32(&writer, slot);
	say(program, CONTROL_LINK, &writer, fds[0]);
	(void)close(fds[0]);
	return fds[1];
}

bool
directory_program_answers(
    struct directory_program *program, uint64_t patience_us)
{
	program->has_pulse = false;
	assert_int_equal(
	    link_send(program->control, CONTROL_PING, 7, NULL, 0), 0);
	return directory_await(program->base, &program->has_pulse, patience_us);
}

bool
directory_await(struct event_base *base, const bool *flag, uint64_t patience_us)
{
	uint64_t until_us = clock_monotonic_us() + patience_us;

	while (!*flag && clock_monotonic_us() < until_us) {
		assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		if (!*flag)
			(void)usleep(1000);
	}
	return *flag;
}
