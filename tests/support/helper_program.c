/* SPDX-License-Identifier: ISC */
/* One of our helper programs, with a test in the master's place. */
#include "tests/support/unit.h"

#include "tests/support/helper_program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/link.h"
#include "base/options.h"
#include "base/role.h"
#include "base/wire.h"

#define PATIENCE_S 20

static void
on_ready(void *arg, struct link_message *message)
{
	struct helper_program *program = arg;

	(void)message;
	program->is_ready = true;
	(void)event_base_loopbreak(program->base);
}

static void
on_failed(void *arg, struct link_message *message)
{
	struct helper_program *program = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, program->failed, sizeof(program->failed));
	(void)event_base_loopbreak(program->base);
}

static void
on_closed(void *arg)
{
	struct helper_program *program = arg;

	program->is_gone = true;
	(void)event_base_loopbreak(program->base);
}

static const struct link_handler handlers[] = {
    {CONTROL_READY, 8, 8, on_ready},
    {CONTROL_FAILED, 4, 1024, on_failed},
    {.handle = NULL},
};

void
helper_program_start(
    struct helper_program *program, struct event_base *base, const char *path)
{
	int fds[2];

	memset(program, 0, sizeof(*program));
	program->base = base;
	assert_int_equal(access(path, X_OK), 0); /* run it in the build's
						  * top folder */
	assert_int_equal(link_pair(fds), 0);
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0) {
		(void)dup2(fds[1], CONTROL_FD);
		(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	program->control = link_new(base, fds[0], handlers, on_closed, program);
	assert_non_null(program->control);
}

static void
control(struct helper_program *program, enum control_type type,
    const void *data, size_t len, int fd)
{
	assert_int_equal(
	    link_send_fd(program->control, (uint16_t)type, 0, data, len, fd),
	    0);
}

void
helper_program_configure(
    struct helper_program *program, const struct options *options)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	uint8_t *data, generation[8] = {0};
	size_t len;

	options_encode(options, &data, &len);
	program->is_ready = false;
	program->failed[0] = '\0';
	control(program, CONTROL_CONFIGURE, data, len, -1);
	control(program, CONTROL_COMMIT, generation, sizeof(generation), -1);
	free(data);
	assert_int_equal(event_base_loopexit(program->base, &patience), 0);
	(void)event_base_dispatch(program->base);
	assert_true(program->is_ready || program->failed[0] != '\0' ||
		    program->is_gone);
}

int
helper_program_link(struct helper_program *program, uint32_t slot)
{
	struct wire_writer writer;
	uint8_t data[9];
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, ROLE_GATEWAY);
	wire_put_u32(&writer, 0);
	wire_put_u32(&writer, slot);
	control(program, CONTROL_LINK, data, writer.len, fds[1]);
	(void)close(fds[1]);
	return fds[0];
}

int
helper_program_wait(struct helper_program *program)
{
	int status;

	assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
	program->pid = 0;
	return status;
}

void
helper_program_stop(struct helper_program *program)
{
	if (program->pid > 0) {
		(void)kill(program->pid, SIGKILL);
		(void)helper_program_wait(program);
	}
	link_free(program->control);
	program->control = NULL;
}
