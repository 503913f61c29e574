/* SPDX-License-Identifier: ISC */
/* The process that asks PAM for one login, and what it tells the checker. */
#include "auth/password_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD	     3
#define REPORT_SIZE	     (1 + PASSWORD_ANSWER_MAX)
#define COULD_NOT_ASK_STATUS 2

_Static_assert(PASSWORD_ANSWER_MAX > PASSWORD_TEXT_SIZE, "a text fits");

/* ---- the child's side ---- */

/* Not one handler of the checker's may run here. */
static void
reset_signals(void)
{
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	/* Fails for those that cannot be changed and those of the C library. */
	for (int number = 1; number <= SIGRTMAX; number++)
		(void)sigaction(number, &normal, NULL);
	/* A daemon that closes on a module is no reason to die. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
place_descriptors(int report)
{
	int null = open("/dev/null", O_RDWR);

	return null >= 0 && dup2(report, REPORT_FD) == REPORT_FD &&
	       fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0 &&
	       dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(null, STDOUT_FILENO) >= 0 &&
	       dup2(null, STDERR_FILENO) >= 0 &&
	       close_range(REPORT_FD + 1, ~0U, 0) == 0;
}

/* Whom modules leave behind comes to us, so that we know at the end. */
static bool
stand_alone(pid_t checker)
{
	return setsid() >= 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	       getppid() == checker &&
	       prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 &&
	       chdir("/") == 0;
}

static void
report(enum password_report kind, const void *data, size_t len)
{
	uint8_t packet[REPORT_SIZE];

	packet[0] = (uint8_t)kind;
	memcpy(packet + 1, data, len);
	(void)send(REPORT_FD, packet, 1 + len, MSG_NOSIGNAL);
}

static void
report_text(void *arg, const char *text)
{
	size_t len = strnlen(text, PASSWORD_TEXT_SIZE - 1);

	(void)arg;
	report(PASSWORD_REPORT_TEXT, text, len);
}

static bool
is_alone(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
	       errno == ECHILD;
}

_Noreturn static void
answer_one(const struct pamconv_settings *settings)
{
	uint8_t octets[PASSWORD_QUESTION_MAX];
	uint8_t message[PASSWORD_ANSWER_MAX];
	struct password_question question;
	struct password_answer answer;
	ssize_t len = recv(REPORT_FD, octets, sizeof(octets), 0);
	size_t message_len;

	if (len <= 0 ||
	    !password_question_parse(octets, (size_t)len, &question))
		_exit(COULD_NOT_ASK_STATUS);
	pamconv_check(settings, &question, report_text, NULL, &answer);
	explicit_bzero(octets, sizeof(octets));
	message_len = password_answer_print(message, sizeof(message), &answer);
	report(PASSWORD_REPORT_ANSWER, message, message_len);
	/* Not exit(): modules may have asked to be called then. */
	_exit(is_alone() ? PASSWORD_CHILD_ALONE : PASSWORD_CHILD_ATTENDED);
}

_Noreturn static void
become_child(
    const struct pamconv_settings *settings, int report_fd, pid_t checker)
{
	reset_signals();
	(void)umask(077);
	if (!stand_alone(checker) || !place_descriptors(report_fd))
		_exit(COULD_NOT_ASK_STATUS);
	answer_one(settings);
}

/* ---- the checker's side ---- */

static int
hand_over(int fd, const struct secret *question)
{
	ssize_t sent = send(
	    fd, question->data, question->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : 0;
}

pid_t
password_child_fork(const struct pamconv_settings *settings,
    const struct secret *question, int *fd)
{
	pid_t checker = getpid();
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = hand_over(fds[0], question);
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			become_child(settings, fds[1], checker);
		if (pid < 0)
			pid = -errno;
	}
	(void)close(fds[1]);
	if (pid < 0)
		(void)close(fds[0]);
	else
		*fd = fds[0];
	return pid;
}

static enum password_report
take_text(const uint8_t *data, size_t len, char text[PASSWORD_TEXT_SIZE])
{
	if (len >= PASSWORD_TEXT_SIZE)
		return PASSWORD_REPORT_END;
	memcpy(text, data, len);
	text[len] = '\0';
	return PASSWORD_REPORT_TEXT;
}

enum password_report
password_child_hear(
    int fd, char text[PASSWORD_TEXT_SIZE], struct password_answer *answer)
{
	/* One octet more, to notice what is too long. */
	uint8_t packet[REPORT_SIZE + 1];
	ssize_t len = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return PASSWORD_REPORT_NONE;
	if (len <= 0)
		return PASSWORD_REPORT_END;
	if (packet[0] == PASSWORD_REPORT_TEXT)
		return take_text(packet + 1, (size_t)len - 1, text);
	if (packet[0] == PASSWORD_REPORT_ANSWER &&
	    password_answer_parse(packet + 1, (size_t)len - 1, answer))
		return PASSWORD_REPORT_ANSWER;
	return PASSWORD_REPORT_END;
}
