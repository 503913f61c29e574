/* SPDX-License-Identifier: ISC */
/*
 * The frame of every program that the master starts: sandbox, control link,
 * event loop, configuration, links to peers.
 */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/control_request.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/sandbox.h"
#include "base/sandbox_confine.h"
#include "base/wire.h"

#include "config.h"

#define NAME_SIZE     256 /* of a file or listener, and where it was named */
#define WHY_SIZE      512
#define ALONE_SECONDS 5 /* to finish in, once the master is gone */
#define ADDRESSES_MAX (4 + 65536)

struct program {
	const struct program_functions *functions;
	void *state;
	char name[NAME_SIZE];
	struct event_base *base;
	struct link *control;
	struct options *options; /* of the configuration that is coming */
	bool is_configured, is_confined;
	bool ending;
};

/* For the signal handler only. */
static pid_t master_pid;

/* ---- what the master says ---- */

static void
on_configure(void *arg, struct link_message *message)
{
	struct program *program = arg;

	options_free(program->options);
	program->options = options_decode(message->data, message->len);
	if (program->options == NULL)
		die("the master's configuration cannot be read");
}

static void
on_file(void *arg, struct link_message *message)
{
	struct program *program = arg;
	struct wire_reader reader;
	char name[NAME_SIZE];

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, name, sizeof(name));
	if (!wire_is_done(&reader) || message->fd < 0)
		die("the master's file message cannot be read");
	if (program->functions->file == NULL)
		return;
	program->functions->file(program->state, name, message->fd);
	message->fd = -1;
}

static void
on_link(void *arg, struct link_message *message)
{
	struct program *program = arg;
	struct wire_reader reader;
	uint8_t peer;
	uint32_t index, slot;

	wire_reader_init(&reader, message->data, message->len);
	peer = wire_get_u8(&reader);
	index = wire_get_u32(&reader);
	slot = wire_get_u32(&reader);
	if (!wire_is_done(&reader) || peer >= ROLE_COUNT || message->fd < 0)
		die("the master's link message cannot be read");
	if (program->functions->linked == NULL)
		return;
	program->functions->linked(
	    program->state, (enum role)peer, index, slot, message->fd);
	message->fd = -1;
}

static void
take_log_level(const struct program *program)
{
	enum log_level level;

	if (log_level_parse(
		options_get(program->options, "gateway.log_level", "info"),
		&level))
		log_init(program->name, level);
}

static void
answer_ready(struct program *program, uint64_t generation)
{
	struct wire_writer writer;
	uint8_t data[sizeof(generation)];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, generation);
	program_send(program, CONTROL_READY, 0, data, writer.len);
}

static void
answer_failed(struct program *program, const char *why)
{
	struct wire_writer writer;
	uint8_t data[sizeof(uint32_t) + WHY_SIZE];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, why);
	must(!writer.failed);
	program_send(program, CONTROL_FAILED, 0, data, writer.len);
}

/* Before the first configuration counts: from then on others are heard. */
static void
confine(const struct program *program)
{
	const struct options *options = program->options;
	int status;

	if (!options_get_bool(options, "gateway.sandbox", true))
		return;
	status = sandbox_confine(
	    program->functions->needs, options_get(options, "state_dir", NULL));
	if (status < 0)
		die("no sandbox: %s", strerror(-status));
}

static void
on_commit(void *arg, struct link_message *message)
{
	struct program *program = arg;
	char why[WHY_SIZE] = "";
	struct wire_reader reader;
	uint64_t generation;

	wire_reader_init(&reader, message->data, message->len);
	generation = wire_get_u64(&reader);
	if (!wire_is_done(&reader) || program->options == NULL)
		die("the master's commit message cannot be read");
	if (!program->is_confined)
		confine(program);
	program->is_confined = true;
	if (program->functions->configure(
		program->state, program->options, why, sizeof(why)) == 0) {
		program->is_configured = true;
		take_log_level(program);
		answer_ready(program, generation);
	} else {
		answer_failed(program, why);
	}
	options_free(program->options);
	program->options = NULL;
}

static void
on_log_level(void *arg, struct link_message *message)
{
	const struct program *program = arg;
	struct wire_reader reader;

	uint8_t level;

	wire_reader_init(&reader, message->data, message->len);
	level = wire_get_u8(&reader);
	if (level >= LOG_LEVEL_COUNT)
		die("the master's log level is none");
	log_init(program->name, (enum log_level)level);
}

static void
on_ping(void *arg, struct link_message *message)
{
	const struct program *program = arg;
	char facts[CONTROL_FACTS_MAX] = "";

	if (program->functions->describe != NULL && program->is_configured)
		program->functions->describe(
		    program->state, facts, sizeof(facts));
	program_send(arg, CONTROL_PONG, message->id, facts, strlen(facts));
}

static void
on_stop(void *arg, struct link_message *message)
{
	struct program *program = arg;

	(void)message;
	if (program->functions->stop != NULL)
		program->functions->stop(program->state);
	else
		program_exit(program);
}

static void
on_other(void *arg, struct link_message *message)
{
	struct program *program = arg;

	if (program->functions->message != NULL)
		program->functions->message(program->state, message);
}

/* To a question of a process before this one, whose place it has. */
static void
on_late_answer(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static void
on_master_gone(void *arg)
{
	log_info(NULL, "the master is gone");
	program_exit(arg);
}

static const struct link_handler handlers[] = {
    {CONTROL_CONFIGURE, 0, LINK_MESSAGE_MAX, on_configure},
    {CONTROL_FILE, 5, 4 + NAME_SIZE, on_file},
    {CONTROL_SETTINGS, 0, 0, on_other},
    {CONTROL_LISTENER, 5, 4 + NAME_SIZE, on_other},
    {CONTROL_ADDRESSES, 4, ADDRESSES_MAX, on_other},
    {CONTROL_SOCKET, 8, 8, on_other},
    {CONTROL_LINK, 9, 9, on_link},
    {CONTROL_COMMIT, 8, 8, on_commit},
    {CONTROL_LOG_LEVEL, 1, 1, on_log_level},
    {CONTROL_PING, 0, 0, on_ping},
    {CONTROL_DRAIN, 0, 0, on_other},
    {CONTROL_STOP, 0, 0, on_stop},
    {CONTROL_ANSWER, 5, CONTROL_ANSWER_MAX, on_late_answer},
    {.handle = NULL},
};

/* ---- the frame ---- */

static void
answer_arguments(const struct program *program, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", program->name, PACKAGE_VERSION);
		exit(EXIT_SUCCESS);
	}
}

static void
refuse_to_run_by_hand(const struct program *program)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET)
		return;
	(void)fprintf(stderr, "%s: started by gatewarden(8), not by hand\n",
	    program->name);
	exit(EX_USAGE);
}

/* The kernel says that the master has died: a program that does not come to
 * its end by itself is ended. */
static void
on_terminate(int number)
{
	(void)number;
	if (getppid() != master_pid)
		(void)alarm(ALONE_SECONDS);
}

/*
 * A terminal's and a service manager's signals reach the whole house; the
 * master alone acts on them and stops the others in order.
 */
static void
leave_signals_to_the_master(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct sigaction terminate = {
	    .sa_handler = on_terminate, .sa_flags = SA_RESTART};

	master_pid = getppid();
	must(sigaction(SIGINT, &ignore, NULL) == 0);
	must(sigaction(SIGHUP, &ignore, NULL) == 0);
	must(sigaction(SIGTERM, &terminate, NULL) == 0);
}

static void
open_control(struct program *program)
{
	program->base = event_base_new();
	if (program->base == NULL)
		die("no event loop: %s", strerror(errno));
	(void)fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	program->control = link_new(
	    program->base, CONTROL_FD, handlers, on_master_gone, program);
	if (program->control == NULL)
		die("no control link: %s", strerror(errno));
}

void
program_run(const struct program_functions *functions,
    void (*start)(void *state, struct program *program), void *state, int argc,
    char **argv)
{
	struct program *program = must_alloc(1, sizeof(*program));
	int status;

	program->functions = functions;
	program->state = state;
	(void)snprintf(program->name, sizeof(program->name), "gatewarden-%s",
	    role_name(functions->role));
	log_init(program->name, LOG_LEVEL_INFO);
	answer_arguments(program, argc, argv);
	refuse_to_run_by_hand(program);
	leave_signals_to_the_master();
	status = sandbox_enter(functions->may_gain_privileges);
	if (status < 0)
		die("no sandbox: %s", strerror(-status));
	open_control(program);
	start(state, program);
	if (!program->ending && event_base_dispatch(program->base) < 0)
		die("the event loop failed: %s", strerror(errno));
	link_free(program->control);
	exit(EXIT_SUCCESS);
}

struct event_base *
program_base(struct program *program)
{
	return program->base;
}

void
program_send(struct program *program, uint16_t type, uint64_t id,
    const void *data, size_t len)
{
	int status = link_send(program->control, type, id, data, len);

	if (status < 0 && status != -EPIPE)
		log_error(
		    NULL, "cannot tell the master: %s", strerror(-status));
}

struct question *
program_ask(struct program *program, uint16_t type, const void *data,
    size_t len, unsigned timeout_ms, question_done_fn *done, void *arg)
{
	return question_start(
	    program->control, type, data, len, timeout_ms, done, arg);
}

void
program_exit(struct program *program)
{
	program->ending = true;
	(void)event_base_loopbreak(program->base);
}
