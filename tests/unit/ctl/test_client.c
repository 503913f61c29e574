/* SPDX-License-Identifier: ISC */
/* Answers of every kind, from a process that says what a test wants. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/ctl_protocol.h"
#include "base/wire.h"
#include "ctl/client.h"

#define PACKETS_MAX 8
#define PACKET_SIZE 2048

static char path[] = "/tmp/gatewarden-client-XXXXXX";

/* What is answered, packet by packet. */
static struct {
	size_t count, lens[PACKETS_MAX];
	uint8_t packets[PACKETS_MAX][PACKET_SIZE];
} script;

static unsigned lines;
static size_t octets;
static enum outcome line_outcome;

/* How long a connection may take is asked, and shortened. */
static struct timeval send_limit;

int __real_setsockopt(
    int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(
    int fd, int level, int option, const void *value, socklen_t len);
int
__wrap_setsockopt(
    int fd, int level, int option, const void *value, socklen_t len)
{
	static const struct timeval soon = {.tv_usec = 50000};

	if (level == SOL_SOCKET && option == SO_SNDTIMEO) {
		memcpy(&send_limit, value, sizeof(send_limit));
		value = &soon;
	}
	return __real_setsockopt(fd, level, option, value, len);
}

static void
add_packet(uint16_t type, const void *data, size_t len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, script.packets[script.count], PACKET_SIZE);
	wire_put_u16(&writer, type);
	wire_put_u16(&writer, 0);
	wire_put_u32(&writer, (uint32_t)len);
	wire_put_u64(&writer, 0);
	wire_put_bytes(&writer, data, len);
	assert_false(writer.failed);
	script.lens[script.count++] = writer.len;
}

static void
add_line(const char *name, const char *text)
{
	struct options *options = options_new();
	uint8_t *data;
	size_t len;

	options_add(options, name, text);
	options_encode(options, &data, &len);
	add_packet(CTL_LINE, data, len);
	free(data);
	options_free(options);
}

static void
add_failure(enum ctl_failure failure)
{
	struct ctl_failed failed = {.failure = failure, .sentence = "no\n"};
	uint8_t data[CTL_FAILED_MAX];

	add_packet(CTL_FAILED, data, ctl_failed_encode(&failed, data));
}

/* The process: one client, whose question it may read first. */
_Noreturn static void
serve(int listening, bool reads)
{
	uint8_t question[PACKET_SIZE];
	int fd = accept(listening, NULL, NULL);
	bool was_good =
	    fd >= 0 && (!reads || recv(fd, question, sizeof(question), 0) > 0);

	/* Who has heard enough may be gone. */
	for (size_t i = 0; was_good && i < script.count; i++)
		(void)send(fd, script.packets[i], script.lens[i], MSG_NOSIGNAL);
	_exit(was_good ? 0 : 1);
}

static enum outcome
on_line(void *arg, const struct options *line)
{
	assert_ptr_equal(arg, &lines);
	assert_string_equal(options_get(line, "name", ""), "text");
	lines++;
	return line_outcome;
}

static enum outcome
on_octets(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	octets += len;
	return OUTCOME_OK;
}

static enum outcome
ask_with(bool reads, client_octets_fn *takes_octets)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct options *question = options_new();
	enum outcome outcome;
	pid_t pid;
	int status;

	(void)unlink(path);
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(
	    bind(listening, (const struct sockaddr *)&address, sizeof(address)),
	    0);
	assert_int_equal(listen(listening, 1), 0);
	pid = fork();
	if (pid == 0)
		serve(listening, reads);
	(void)close(listening);
	options_add(question, "command", "something");
	outcome = client_ask(path, question, on_line, takes_octets, &lines);
	options_free(question);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return outcome;
}

static enum outcome
ask(void)
{
	return ask_with(true, NULL);
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	(void)close(fd);
	memset(&script, 0, sizeof(script));
	lines = 0;
	octets = 0;
	line_outcome = OUTCOME_OK;
	return fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void
lines_and_octets_come_until_the_end(void **state)
{
	(void)state;
	add_line("name", "text");
	add_packet(CTL_WAIT, NULL, 0);
	add_packet(CTL_OCTETS, "12345", 5);
	add_line("name", "text");
	add_packet(CTL_DONE, NULL, 0);
	add_line("name", "too late");
	assert_int_equal(ask_with(true, on_octets), OUTCOME_OK);
	assert_int_equal(lines, 2);
	assert_int_equal(octets, 5);
}

static void
a_failure_is_an_exit_code(void **state)
{
	static const enum outcome outcomes[CTL_FAILURE_END] = {
	    [CTL_REFUSED] = OUTCOME_REFUSED,
	    [CTL_BAD_QUESTION] = OUTCOME_DATA,
	    [CTL_BUSY] = OUTCOME_UNAVAILABLE,
	    [CTL_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
	};

	(void)state;
	for (unsigned i = CTL_REFUSED; i < CTL_FAILURE_END; i++) {
		script.count = 0;
		add_failure((enum ctl_failure)i);
		assert_int_equal(ask(), outcomes[i]);
	}
}

/* It is refused at the door: what we ask meets a closed connection. */
static void
a_refusal_before_the_question_is_heard(void **state)
{
	(void)state;
	add_failure(CTL_REFUSED);
	assert_int_equal(ask_with(false, NULL), OUTCOME_REFUSED);
}

static void
an_answer_that_is_not_whole_is_none(void **state)
{
	(void)state;
	add_line("name", "text");
	assert_int_equal(ask(), OUTCOME_UNAVAILABLE);
	assert_int_equal(lines, 1);
}

static void
what_is_no_answer_ends_it(void **state)
{
	(void)state;
	add_packet(CTL_ASK, "x", 1);
	assert_int_equal(ask(), OUTCOME_UNAVAILABLE);
	script.count = 0;
	add_packet(CTL_LINE, "x", 1);
	assert_int_equal(ask(), OUTCOME_PROTOCOL);
	script.count = 0;
	add_packet(CTL_FAILED, "123456", 6);
	assert_int_equal(ask(), OUTCOME_PROTOCOL);
	script.count = 0;
	add_packet(CTL_OCTETS, "12345", 5);
	assert_int_equal(ask(), OUTCOME_PROTOCOL);
	assert_int_equal(lines, 0);
}

static void
who_is_told_may_end_it(void **state)
{
	(void)state;
	add_line("name", "text");
	add_line("name", "text");
	add_packet(CTL_DONE, NULL, 0);
	line_outcome = OUTCOME_DATA;
	assert_int_equal(ask(), OUTCOME_DATA);
	assert_int_equal(lines, 1);
}

static void
without_a_gateway_it_is_unavailable(void **state)
{
	struct options *question = options_new();
	char long_path[256];

	(void)state;
	assert_int_equal(client_ask(path, question, on_line, NULL, &lines),
	    OUTCOME_UNAVAILABLE);
	assert_int_equal(
	    client_ask("/nowhere/control", question, on_line, NULL, &lines),
	    OUTCOME_UNAVAILABLE);
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(client_ask(long_path, question, on_line, NULL, &lines),
	    OUTCOME_UNAVAILABLE);
	options_free(question);
}

/* Its backlog is full, and nobody takes anybody out of it. */
static void
a_gateway_that_is_stopped_is_unavailable(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int first = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const struct sockaddr *to = (const struct sockaddr *)&address;
	struct options *question = options_new();

	(void)state;
	(void)unlink(path);
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(bind(listening, to, sizeof(address)), 0);
	assert_int_equal(listen(listening, 0), 0);
	assert_int_equal(connect(first, to, sizeof(address)), 0);
	send_limit = (struct timeval){.tv_sec = 0};
	(void)alarm(20); /* without a limit it waits for ever */
	assert_int_equal(client_ask(path, question, on_line, NULL, &lines),
	    OUTCOME_UNAVAILABLE);
	(void)alarm(0);
	assert_int_equal(send_limit.tv_sec, CLIENT_SILENCE_MS / 1000);
	options_free(question);
	(void)close(first);
	(void)close(listening);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_and_octets_come_until_the_end),
	    TEST(a_failure_is_an_exit_code),
	    TEST(a_refusal_before_the_question_is_heard),
	    TEST(an_answer_that_is_not_whole_is_none),
	    TEST(what_is_no_answer_ends_it),
	    TEST(who_is_told_may_end_it),
	    TEST(without_a_gateway_it_is_unavailable),
	    TEST(a_gateway_that_is_stopped_is_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
