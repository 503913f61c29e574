/* SPDX-License-Identifier: ISC */
/*
 * Questions over a real control socket, from peers of any kind: who they are
 * is scripted (getsockopt), what they send and read is not.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/control.h"
#include "base/link.h"
#include "base/must.h"
#include "base/options.h"
#include "base/text.h"
#include "gateway/audit_sender.h"
#include "gateway/control_askers.h"
#include "gateway/control_server.h"
#include "tests/support/fake_clock.h"

#define SECOND	  1000000
#define STRANGER  4711
#define GROUP	  815
#define LINE_SIZE 1000
#define WAIT_MS	  5000

/* ---- who is at the other end */

static struct ucred peer;
static gid_t other_group;

int
__real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (level == SOL_SOCKET && option == SO_PEERCRED) {
		memcpy(value, &peer, sizeof(peer));
		return 0;
	}
	if (level == SOL_SOCKET && option == SO_PEERGROUPS) {
		memcpy(value, &other_group, sizeof(other_group));
		*len = sizeof(other_group);
		return 0;
	}
	return __real_getsockopt(fd, level, option, value, len);
}

/* ---- descriptors, and whether there are any */

static bool is_short;
static unsigned accepts;

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int
__wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	accepts++;
	if (!is_short)
		return __real_accept4(fd, from, len, flags);
	errno = EMFILE;
	return -1;
}

/* ---- the records */

static struct audit_record last_record;
static unsigned records;

void __wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record);
void
__wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record)
{
	(void)sender;
	last_record = *record;
	records++;
}

/* ---- commands */

static struct event_base *base;
static unsigned ended;			      /* calls of an end */
static unsigned most_in_a_turn, in_this_turn; /* of a pump */
static size_t most_queued;
static struct control_call *waiting;

static void
say(struct control_call *call, const char *name, const char *text)
{
	struct options *line = options_new();

	options_add(line, name, text);
	control_call_line(call, line);
	options_free(line);
}

static void
on_end(void *state)
{
	ended++;
	free(state);
}

/* Says everything at once. */
static void *
start_echo(struct control_call *call)
{
	say(call, "text", options_get(control_call_asked(call), "text", ""));
	control_call_done(call);
	/* What is said behind the end is nothing. */
	say(call, "text", "too late");
	control_call_done(call);
	return strdup("state");
}

static const char *const echo_arguments[] = {"text", NULL};

static const struct control_command echo = {.name = "echo",
    .arguments = echo_arguments,
    .start = start_echo,
    .end = on_end};

/* Is answered from elsewhere, later, or never. */
static void *
start_later(struct control_call *call)
{
	waiting = call;
	return NULL;
}

static const struct control_command later = {
    .name = "later", .start = start_later, .end = on_end};

static const struct control_command sole = {
    .name = "sole", .sole = "thing", .start = start_later, .end = on_end};
static const struct control_command sole_too = {
    .name = "sole_too", .sole = "thing", .start = start_later, .end = on_end};

static void *
start_failing(struct control_call *call)
{
	control_call_fail(call, CTL_UNAVAILABLE, "not %s", "now");
	return NULL;
}

static const struct control_command failing = {
    .name = "failing", .start = start_failing, .end = on_end};

/* Says more in a line than fits into one. */
static void *
start_wide(struct control_call *call)
{
	char *text = must_alloc(CTL_LINE_MAX + 1, 1);

	memset(text, 'x', CTL_LINE_MAX);
	say(call, "text", text);
	free(text);
	control_call_done(call);
	return NULL;
}

static const struct control_command wide = {
    .name = "wide", .start = start_wide, .end = on_end};

/* Has so many lines to say, each of which takes a millisecond. */
static void *
start_long(struct control_call *call)
{
	uint64_t *left = must_alloc(1, sizeof(*left));

	must(text_parse_u64(options_get(control_call_asked(call), "lines", ""),
	    0, UINT64_MAX, left));
	control_call_holds(call, control_call_world(call)->rules);
	control_call_pump(call);
	return left;
}

static bool
pump_long(struct control_call *call, void *state)
{
	uint64_t *left = state;
	char text[LINE_SIZE + 1];

	if (*left == 0) {
		control_call_done(call);
		return false;
	}
	(*left)--;
	memset(text, 'x', LINE_SIZE);
	text[LINE_SIZE] = '\0';
	fake_clock_advance(1000);
	say(call, "text", text);
	if (++in_this_turn > most_in_a_turn)
		most_in_a_turn = in_this_turn;
	if (control_call_queued(call) > most_queued)
		most_queued = control_call_queued(call);
	return true;
}

static const struct control_command long_one = {
    .name = "long", .start = start_long, .pump = pump_long, .end = on_end};

static const struct control_command *const commands[] = {
    &echo, &later, &sole, &sole_too, &failing, &wide, &long_one, NULL};

/* ---- the world */

static char path[] = "/tmp/gatewarden-control-XXXXXX";
static struct control_world world;
static struct control_server *server;

static void
bind_to(int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, sizeof(path));
	(void)unlink(path);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	fake_clock_set(100 * SECOND, 100 * SECOND);
	base = event_base_new();
	world = (struct control_world){.base = base};
	peer = (struct ucred){.pid = 42, .uid = 0, .gid = 0};
	other_group = 0;
	is_short = false;
	accepts = 0;
	records = ended = most_in_a_turn = 0;
	most_queued = 0;
	waiting = NULL;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bind_to(fd);
	server = control_server_new(&world, NULL, commands);
	control_server_listen(server, fd,
	    &(const struct control_groups){
		.read = GROUP, .operate = CONTROL_NO_GROUP});
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	control_server_free(server);
	event_base_free(base);
	return unlink(path);
}

/* ---- a client */

struct client {
	struct link *link;
	unsigned lines, waits;
	char text[LINE_SIZE + 1]; /* of the last line */
	bool is_done, is_closed;
	struct ctl_failed failed;
};

static void
on_line(void *arg, struct link_message *message)
{
	struct client *client = arg;
	struct options *line = options_decode(message->data, message->len);

	assert_non_null(line);
	assert_false(client->is_done);
	client->lines++;
	(void)snprintf(client->text, sizeof(client->text), "%s",
	    options_get(line, "text", "?"));
	options_free(line);
}

static void
on_done(void *arg, struct link_message *message)
{
	(void)message;
	((struct client *)arg)->is_done = true;
}

static void
on_wait(void *arg, struct link_message *message)
{
	(void)message;
	((struct client *)arg)->waits++;
}

static void
on_failed(void *arg, struct link_message *message)
{
	struct client *client = arg;

	assert_true(
	    ctl_failed_decode(message->data, message->len, &client->failed));
}

static void
on_closed(void *arg)
{
	((struct client *)arg)->is_closed = true;
}

static const struct link_handler handlers[] = {
    {CTL_LINE, 1, CTL_LINE_MAX, on_line},
    {CTL_DONE, 0, 0, on_done},
    {CTL_FAILED, 6, CTL_FAILED_MAX, on_failed},
    {CTL_WAIT, 0, 0, on_wait},
    {0, 0, 0, NULL},
};

static int
connect_raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
open_client(struct client *client)
{
	int fd = connect_raw();

	memset(client, 0, sizeof(*client));
	assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
	client->link = link_new(base, fd, handlers, on_closed, client);
	assert_non_null(client->link);
}

static void
ask(struct client *client, const char *command, const char *name,
    const char *text)
{
	struct options *question = options_new();
	uint8_t *data;
	size_t len;
	int status;

	options_add(question, "command", command);
	options_add(question, name, text);
	options_encode(question, &data, &len);
	status = link_send(client->link, CTL_ASK, 0, data, len);
	assert_true(status == 0 || status == -EPIPE);
	free(data);
	options_free(question);
}

static void
turn(int flags)
{
	in_this_turn = 0;
	assert_true(event_base_loop(base, EVLOOP_ONCE | flags) >= 0);
}

static void
run_until_closed(struct client *client)
{
	for (int i = 0; i < WAIT_MS && !client->is_closed; i++)
		turn(0);
	assert_true(client->is_closed);
}

static void
run_a_while(void)
{
	for (int i = 0; i < 50; i++)
		turn(EVLOOP_NONBLOCK);
}

/* Until a turn of the server's own timers has come by. */
static void
run_a_look(void)
{
	const struct timeval while_ = {.tv_usec = 300000};

	assert_int_equal(event_base_loopexit(base, &while_), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

/* ... and one of those that come by once a second. */
static void
run_a_second(void)
{
	const struct timeval while_ = {.tv_sec = 1, .tv_usec = 100000};

	assert_int_equal(event_base_loopexit(base, &while_), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

static void
answer(struct client *client, const char *command)
{
	open_client(client);
	ask(client, command, "text", "hello");
	run_until_closed(client);
	link_free(client->link);
}

/* ---- tests */

static void
a_question_is_answered_and_on_record(void **state)
{
	struct client client;

	(void)state;
	answer(&client, "echo");
	assert_int_equal(client.lines, 1);
	assert_string_equal(client.text, "hello");
	assert_true(client.is_done);
	assert_int_equal(ended, 1);
	assert_int_equal(records, 1);
	assert_int_equal(last_record.event, AUDIT_ADMIN);
	assert_false(last_record.failed);
	assert_string_equal(
	    last_record.detail, "uid 0, pid 42: echo text=\"hello\"");
}

/* Who asks writes no part of the record but what is between quotes. */
static void
what_is_asked_is_quoted_on_record(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "echo", "text", "a\" text=\"b\\");
	run_until_closed(&client);
	link_free(client.link);
	assert_string_equal(last_record.detail,
	    "uid 0, pid 42: echo text=\"a\\\" text=\\\"b\\\\\"");
	open_client(&client);
	ask(&client, "echo", "uid 7, pid 1: echo", "x");
	run_until_closed(&client);
	link_free(client.link);
	assert_string_equal(last_record.detail, "uid 0, pid 42: echo");
}

static void
an_answer_may_come_later(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "later", "text", "");
	run_a_while();
	assert_non_null(waiting);
	assert_int_equal(ended, 0);
	say(waiting, "text", "at last");
	control_call_done(waiting);
	assert_int_equal(ended, 0); /* never inside */
	run_until_closed(&client);
	assert_string_equal(client.text, "at last");
	assert_true(client.is_done);
	assert_int_equal(ended, 1);
	link_free(client.link);
}

static void
a_command_may_fail(void **state)
{
	struct client client;

	(void)state;
	answer(&client, "failing");
	assert_int_equal(client.failed.failure, CTL_UNAVAILABLE);
	assert_string_equal(client.failed.sentence, "not now");
	assert_false(client.is_done);
	assert_int_equal(ended, 1);
}

static void
a_line_that_does_not_fit_fails(void **state)
{
	struct client client;

	(void)state;
	answer(&client, "wide");
	assert_int_equal(client.failed.failure, CTL_UNAVAILABLE);
	assert_non_null(strstr(client.failed.sentence, "too long"));
	assert_false(client.is_done);
	assert_int_equal(ended, 1);
}

/* The socket stays readable: the loop would turn without end. */
static void
without_descriptors_it_pauses(void **state)
{
	const struct timeval while_ = {.tv_usec = 50000};
	struct client client;

	(void)state;
	is_short = true;
	open_client(&client);
	ask(&client, "echo", "text", "hello");
	assert_int_equal(event_base_loopexit(base, &while_), 0);
	assert_int_equal(event_base_dispatch(base), 0);
	assert_int_equal(accepts, 1);
	is_short = false;
	run_until_closed(&client);
	assert_true(client.is_done);
	link_free(client.link);
}

static void
a_command_that_is_not_there_is_said_so(void **state)
{
	struct client client;

	(void)state;
	answer(&client, "elsewhere");
	assert_int_equal(client.failed.failure, CTL_BAD_QUESTION);
	assert_int_equal(ended, 0);
	assert_int_equal(records, 0);
}

static void
who_may_not_ask_is_told(void **state)
{
	struct client client;

	(void)state;
	peer = (struct ucred){.pid = 7, .uid = STRANGER, .gid = STRANGER};
	answer(&client, "echo");
	assert_int_equal(client.failed.failure, CTL_REFUSED);
	assert_non_null(strstr(client.failed.sentence, "only root"));
	assert_int_equal(client.lines, 0);
	assert_int_equal(records, 1);
	assert_true(last_record.failed);
	assert_non_null(strstr(last_record.detail, "uid 4711, pid 7: only"));
}

static void
we_ourselves_and_members_may_ask(void **state)
{
	struct client client;

	(void)state;
	peer = (struct ucred){.uid = geteuid(), .gid = STRANGER};
	answer(&client, "echo");
	assert_true(client.is_done);
	peer = (struct ucred){.uid = STRANGER, .gid = GROUP};
	answer(&client, "echo");
	assert_true(client.is_done);
	peer.gid = STRANGER;
	other_group = GROUP;
	answer(&client, "echo");
	assert_true(client.is_done);
	other_group = GROUP + 1;
	answer(&client, "echo");
	assert_false(client.is_done);
}

static void
without_a_group_nobody_else_may_ask(void **state)
{
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct client client;

	(void)state;
	bind_to(fd);
	control_server_listen(server, fd,
	    &(const struct control_groups){
		.read = CONTROL_NO_GROUP, .operate = CONTROL_NO_GROUP});
	peer = (struct ucred){.uid = STRANGER, .gid = (gid_t)CONTROL_NO_GROUP};
	other_group = (gid_t)CONTROL_NO_GROUP;
	answer(&client, "echo");
	assert_int_equal(client.failed.failure, CTL_REFUSED);
}

static void
refusals_do_not_fill_the_trail(void **state)
{
	struct client client;

	(void)state;
	peer.uid = STRANGER;
	for (int i = 0; i < 10; i++)
		answer(&client, "echo");
	assert_int_equal(records, 1);
	fake_clock_advance(SECOND);
	answer(&client, "echo");
	assert_int_equal(records, 2);
	assert_non_null(strstr(last_record.detail, "(and 9 refusals before)"));
}

/* As long as there is nobody else, whatever he asks. */
static void
questions_do_not_fill_the_trail(void **state)
{
	struct client client;

	(void)state;
	for (int i = 0; i < CONTROL_TOLD_EACH + 20; i++)
		answer(&client, i % 4 == 3 ? "failing" : "echo");
	assert_int_equal(records, CONTROL_TOLD_EACH);
	fake_clock_advance(CONTROL_TOLD_PERIOD_US - 1);
	run_a_second();
	assert_int_equal(records, CONTROL_TOLD_EACH);
	peer.uid = geteuid() == 0 ? STRANGER : geteuid();
	other_group = GROUP;
	answer(&client, "echo");
	assert_int_equal(records, CONTROL_TOLD_EACH + 1); /* another user */
	fake_clock_advance(1);
	run_a_second();
	assert_int_equal(records, CONTROL_TOLD_EACH + 2);
	assert_string_equal(last_record.detail,
	    "uid 0, pid 42: more questions: 15 echo, 5 failing");
	peer.uid = 0;
	answer(&client, "echo");
	assert_int_equal(records, CONTROL_TOLD_EACH + 3);
}

static void
what_was_counted_is_told_at_the_end(void **state)
{
	struct client client;

	(void)state;
	for (int i = 0; i < CONTROL_TOLD_EACH + 1; i++)
		answer(&client, "echo");
	control_server_free(server);
	server = NULL;
	assert_int_equal(records, CONTROL_TOLD_EACH + 1);
	assert_string_equal(
	    last_record.detail, "uid 0, pid 42: more questions: 1 echo");
}

static void
who_asks_too_fast_waits_his_turn(void **state)
{
	struct client client, other;

	(void)state;
	for (int i = 0; i < CONTROL_ASK_BURST; i++)
		answer(&client, "echo");
	open_client(&client);
	ask(&client, "echo", "text", "");
	run_a_look();
	assert_int_equal(client.lines, 0);
	/* Others do not wait with him. */
	peer.uid = geteuid() == 0 ? STRANGER : geteuid();
	other_group = GROUP;
	answer(&other, "echo");
	assert_true(other.is_done);
	fake_clock_advance(CONTROL_ASK_EVERY_US - 1);
	run_a_look();
	assert_int_equal(client.lines, 0);
	fake_clock_advance(1);
	run_until_closed(&client);
	assert_true(client.is_done);
	link_free(client.link);
}

static void
open_waiting(struct client *clients, size_t count, uid_t uid)
{
	peer.uid = uid;
	for (size_t i = 0; i < count; i++) {
		open_client(&clients[i]);
		ask(&clients[i], "later", "text", "");
		run_a_while();
		assert_int_equal(clients[i].failed.failure, 0);
	}
}

static void
must_be_busy(uid_t uid)
{
	struct client client;

	peer.uid = uid;
	answer(&client, "echo");
	assert_int_equal(client.failed.failure, CTL_BUSY);
}

static void
others_leave_room_for_root(void **state)
{
	struct client clients[CONTROL_CALLS_MAX];
	const size_t others = CONTROL_CALLS_MAX - CONTROL_CALLS_KEPT;

	(void)state;
	other_group = GROUP;
	open_waiting(clients, CONTROL_CALLS_EACH, STRANGER);
	must_be_busy(STRANGER);
	open_waiting(clients + CONTROL_CALLS_EACH, others - CONTROL_CALLS_EACH,
	    STRANGER + 1);
	must_be_busy(STRANGER + 1);
	must_be_busy(STRANGER + 2);
	open_waiting(clients + others, CONTROL_CALLS_KEPT, 0);
	must_be_busy(0);
	link_free(clients[0].link);
	run_a_while();
	open_waiting(clients, 1, STRANGER); /* his place is free again */
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++)
		link_free(clients[i].link);
}

static void
too_many_at_a_time_are_turned_away(void **state)
{
	struct client clients[CONTROL_CALLS_MAX], more;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
		open_client(&clients[i]);
		ask(&clients[i], "later", "text", "");
	}
	run_a_while();
	answer(&more, "echo");
	assert_int_equal(more.failed.failure, CTL_BUSY);
	link_free(clients[0].link);
	run_a_while();
	assert_int_equal(ended, 1);
	answer(&more, "echo");
	assert_true(more.is_done);
	for (size_t i = 1; i < ARRAY_COUNT(clients); i++)
		link_free(clients[i].link);
	run_a_while();
	assert_int_equal(ended, CONTROL_CALLS_MAX + 1);
}

static void
who_asks_nothing_is_given_up(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	run_a_look();
	assert_false(client.is_closed);
	fake_clock_advance(5 * SECOND);
	run_until_closed(&client);
	assert_int_equal(ended, 0);
	link_free(client.link);
}

static void
who_waits_too_long_is_given_up(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "later", "text", "");
	run_a_while();
	fake_clock_advance(299 * (uint64_t)SECOND);
	run_a_look();
	assert_false(client.is_closed);
	fake_clock_advance(SECOND);
	run_until_closed(&client);
	assert_int_equal(ended, 1);
	link_free(client.link);
}

static void
a_second_question_ends_it(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "later", "text", "");
	ask(&client, "later", "text", "");
	run_until_closed(&client);
	assert_int_equal(ended, 1);
	assert_false(client.is_done);
	link_free(client.link);
}

static void
who_leaves_ends_it(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "later", "text", "");
	run_a_while();
	link_free(client.link);
	run_a_while();
	assert_int_equal(ended, 1);
}

static void
the_end_of_the_server_ends_all(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "later", "text", "");
	run_a_while();
	control_server_free(server);
	server = NULL;
	assert_int_equal(ended, 1);
	run_until_closed(&client);
	link_free(client.link);
}

static void
garbage_ends_it(void **state)
{
	static const struct {
		size_t len;
		uint8_t octets[32];
	} garbage[] = {
	    {1, {0}}, {15, {0, CTL_ASK}}, {16, {0, CTL_ASK}}, /* no question */
	    {16, {0, CTL_DONE}},			      /* not for us */
	    {17, {0, 99, [7] = 1}},			      /* of no kind */
	    {17, {0, CTL_ASK, 1, 1}}, /* not zero where it must be */
	    {17, {0, CTL_ASK, [7] = 2}},
	    {17, {0, CTL_ASK, [7] = 1, [16] = 'x'}}, /* no options */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		struct client client = {0};
		int fd = connect_raw();

		assert_int_equal(send(fd, garbage[i].octets, garbage[i].len, 0),
		    garbage[i].len);
		assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
		client.link = link_new(base, fd, handlers, on_closed, &client);
		run_until_closed(&client);
		assert_int_equal(client.lines, 0);
		link_free(client.link);
	}
	assert_int_equal(ended, 0);
	assert_int_equal(records, 0);
}

static void
a_descriptor_that_comes_along_is_closed(void **state)
{
	struct client client;
	char before = 0;
	int fds[2];

	(void)state;
	open_client(&client);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(
	    link_send_fd(client.link, CTL_ASK, 0, "x", 1, fds[1]), 0);
	(void)close(fds[1]);
	run_until_closed(&client);
	link_free(client.link);
	assert_int_equal(read(fds[0], &before, 1), 0); /* the last writer */
	(void)close(fds[0]);
}

static void
a_long_answer_leaves_the_loop_to_others(void **state)
{
	struct client client;

	(void)state;
	open_client(&client);
	ask(&client, "long", "lines", "3000");
	run_until_closed(&client);
	assert_int_equal(client.lines, 3000);
	assert_true(client.is_done);
	/* Of a millisecond each. */
	assert_true(most_in_a_turn <= 3);
	assert_true(most_queued <= CONTROL_QUEUE_MAX + 2 * LINE_SIZE);
	link_free(client.link);
}

/* Together they take no longer than one. */
static void
many_long_answers_share_a_turn(void **state)
{
	struct client clients[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
		open_client(&clients[i]);
		ask(&clients[i], "long", "lines", "500");
	}
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
		run_until_closed(&clients[i]);
		assert_int_equal(clients[i].lines, 500);
		link_free(clients[i].link);
	}
	/* At least a line each, whatever it takes. */
	assert_true(most_in_a_turn <= ARRAY_COUNT(clients) + 1);
}

/* Asks for more than is ever read; returns the connection. */
static int
ask_and_read_nothing(void)
{
	struct options *question = options_new();
	struct client silent = {0};
	int fd = connect_raw();
	uint8_t *data;
	size_t len;
	int status;

	assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
	options_add(question, "command", "long");
	options_add(question, "lines", "1000000");
	options_encode(question, &data, &len);
	silent.link = link_new(base, fd, handlers, on_closed, &silent);
	status = link_send(silent.link, CTL_ASK, 0, data, len);
	assert_int_equal(status, 0);
	/* From here on nobody looks at what comes. */
	fd = dup(fd);
	link_free(silent.link);
	free(data);
	options_free(question);
	return fd;
}

static void
who_does_not_read_is_dropped(void **state)
{
	int fd = ask_and_read_nothing();

	(void)state;
	for (int i = 0; i < 200 && ended == 0; i++)
		turn(0);
	assert_int_equal(ended, 0);
	assert_true(most_queued <= CONTROL_QUEUE_MAX + 2 * LINE_SIZE);
	fake_clock_advance(10 * SECOND);
	run_a_look();
	assert_int_equal(ended, 1);
	(void)close(fd);
}

/* The command lets go of them before the peer has read a word. */
static void
rules_that_are_not_in_force_are_let_go(void **state)
{
	static char first, second; /* nobody looks into them */
	int fd;

	(void)state;
	world.rules = (struct ruleset *)(void *)&first;
	fd = ask_and_read_nothing();
	for (int i = 0; i < 200; i++)
		turn(0);
	fake_clock_advance(6 * (uint64_t)SECOND);
	run_a_look();
	assert_int_equal(ended, 0); /* they are in force */
	world.rules = (struct ruleset *)(void *)&second;
	run_a_look();
	fake_clock_advance(3 * (uint64_t)SECOND);
	run_a_look();
	assert_int_equal(ended, 0);
	(void)close(fd);
	run_a_look();
	ended = 0;
	fd = ask_and_read_nothing();
	for (int i = 0; i < 200; i++)
		turn(0);
	world.rules = NULL;
	run_a_look();
	fake_clock_advance(5 * (uint64_t)SECOND);
	run_a_look();
	assert_int_equal(ended, 1);
	(void)close(fd);
}

static void
who_reads_on_is_told_that_the_rules_have_changed(void **state)
{
	static char before; /* nobody looks into it */
	struct client client;

	(void)state;
	world.rules = (struct ruleset *)(void *)&before;
	open_client(&client);
	ask(&client, "long", "lines", "1000000");
	while (client.lines == 0)
		turn(0);
	world.rules = NULL;
	run_until_closed(&client); /* a line is a millisecond */
	assert_int_equal(client.failed.failure, CTL_UNAVAILABLE);
	assert_non_null(strstr(client.failed.sentence, "rules have changed"));
	link_free(client.link);
}

/* ---- one at a time */

static void
must_start(uid_t uid)
{
	for (int i = 0; i < WAIT_MS && waiting == NULL; i++)
		turn(0);
	assert_non_null(waiting);
	assert_int_equal(last_record.failed, 0);
	assert_int_equal(strtoul(last_record.detail + 4, NULL, 10), uid);
}

static void
end_it(void)
{
	struct control_call *call = waiting;

	waiting = NULL;
	control_call_done(call);
}

static void
open_for(struct client *client, uid_t uid, const char *command)
{
	peer.uid = uid;
	open_client(client);
	ask(client, command, "text", "");
	run_a_while();
}

static void
open_sole(struct client *client, uid_t uid)
{
	open_for(client, uid, "sole");
}

static void
who_wants_what_another_has_waits_behind_root(void **state)
{
	struct client clients[8];
	const size_t last = ARRAY_COUNT(clients) - 1;

	(void)state;
	other_group = GROUP;
	open_sole(&clients[0], STRANGER);
	must_start(STRANGER);
	waiting = NULL;
	for (size_t i = 1; i < last; i++)
		open_sole(&clients[i], STRANGER + i % 2);
	open_sole(&clients[last], 0);
	run_a_look();
	assert_null(waiting);
	fake_clock_advance(59 * (uint64_t)SECOND);
	run_a_look();
	assert_null(waiting);
	fake_clock_advance(SECOND);
	must_start(0);
	run_until_closed(&clients[0]);
	assert_int_equal(clients[0].failed.failure, CTL_BUSY);
	end_it();
	for (size_t i = 1; i < last; i++) {
		must_start((uid_t)(STRANGER + i % 2));
		end_it();
	}
	for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
		run_until_closed(&clients[i]);
		assert_int_equal(clients[i].is_done, i > 0);
		link_free(clients[i].link);
	}
}

static void
commands_that_want_the_same_wait_for_each_other(void **state)
{
	struct client clients[2];

	struct control_call *first;

	(void)state;
	open_for(&clients[0], 0, "sole");
	must_start(0);
	first = waiting;
	waiting = NULL;
	open_for(&clients[1], 0, "sole_too");
	run_a_look();
	assert_null(waiting);
	control_call_done(first);
	run_until_closed(&clients[0]);
	must_start(0);
	end_it();
	run_until_closed(&clients[1]);
	assert_true(clients[1].is_done);
	link_free(clients[0].link);
	link_free(clients[1].link);
}

static void
whom_nobody_waits_for_has_his_time(void **state)
{
	struct client client;

	(void)state;
	open_sole(&client, 0);
	fake_clock_advance(100 * (uint64_t)SECOND);
	run_a_look();
	assert_false(client.is_closed);
	end_it();
	run_until_closed(&client);
	assert_true(client.is_done);
	link_free(client.link);
}

static void
who_waits_is_given_a_sign(void **state)
{
	struct client clients[2];

	(void)state;
	open_sole(&clients[0], 0);
	open_sole(&clients[1], 0);
	fake_clock_advance(10 * (uint64_t)SECOND - 1);
	run_a_look();
	assert_int_equal(clients[0].waits + clients[1].waits, 0);
	for (unsigned i = 1; i < 4; i++) {
		fake_clock_advance(10 * (uint64_t)SECOND);
		run_a_look();
		assert_int_equal(clients[0].waits, i);
		assert_int_equal(clients[1].waits, i);
	}
	link_free(clients[0].link);
	link_free(clients[1].link);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_question_is_answered_and_on_record),
	    TEST(what_is_asked_is_quoted_on_record),
	    TEST(an_answer_may_come_later),
	    TEST(a_command_may_fail),
	    TEST(a_line_that_does_not_fit_fails),
	    TEST(without_descriptors_it_pauses),
	    TEST(a_command_that_is_not_there_is_said_so),
	    TEST(who_may_not_ask_is_told),
	    TEST(we_ourselves_and_members_may_ask),
	    TEST(without_a_group_nobody_else_may_ask),
	    TEST(refusals_do_not_fill_the_trail),
	    TEST(questions_do_not_fill_the_trail),
	    TEST(what_was_counted_is_told_at_the_end),
	    TEST(who_asks_too_fast_waits_his_turn),
	    TEST(others_leave_room_for_root),
	    TEST(too_many_at_a_time_are_turned_away),
	    TEST(who_asks_nothing_is_given_up),
	    TEST(who_waits_too_long_is_given_up),
	    TEST(a_second_question_ends_it),
	    TEST(who_leaves_ends_it),
	    TEST(the_end_of_the_server_ends_all),
	    TEST(garbage_ends_it),
	    TEST(a_descriptor_that_comes_along_is_closed),
	    TEST(a_long_answer_leaves_the_loop_to_others),
	    TEST(many_long_answers_share_a_turn),
	    TEST(who_does_not_read_is_dropped),
	    TEST(rules_that_are_not_in_force_are_let_go),
	    TEST(who_reads_on_is_told_that_the_rules_have_changed),
	    TEST(who_wants_what_another_has_waits_behind_root),
	    TEST(commands_that_want_the_same_wait_for_each_other),
	    TEST(whom_nobody_waits_for_has_his_time),
	    TEST(who_waits_is_given_a_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
