/* SPDX-License-Identifier: ISC */
/* The diagnostic log: one line a message on standard error. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *program_name = "gatewarden";
static _Atomic enum log_level threshold = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	int priority; /* of sd-daemon(3), which are syslog's */
} levels[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

void
log_init(const char *program, enum log_level level)
{
	program_name = program;
	threshold = level;
}

bool
log_level_parse(const char *text, enum log_level *level)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

static size_t
clamp(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

/*
 * Never waits: whoever takes the lines (a journal, a pager) may have stopped,
 * and event loops are speaking.  What does not go out is lost.
 */
static void
put_line(const char *line, size_t len)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    errno != ENOTSOCK)
		return;
	/* A pipe that can be written to takes a page. */
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0 &&
	    write(STDERR_FILENO, line, len) < 0) {
		/* Nobody is left to tell. */
	}
}

static void log_line(enum log_level level, const char *who, const char *format,
    va_list args) printf_like(3, 0);

static void
log_line(
    enum log_level level, const char *who, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t room = sizeof(line) - 1; /* for the newline */
	size_t len;
	int saved = errno;

	if (level > threshold)
		return;
	len = clamp(snprintf(line, room, "<%d>%s[%d]: %s%s",
			levels[level].priority, program_name, (int)getpid(),
			who != NULL ? who : "", who != NULL ? " " : ""),
	    room);
	len +=
	    clamp(vsnprintf(line + len, room - len, format, args), room - len);
	line[len++] = '\n';
	/* One write, so that lines of several programs do not mix. */
	put_line(line, len);
	errno = saved;
}

#define DEFINE_LOG(function, level)                                            \
	void function(const char *who, const char *format, ...)                \
	{                                                                      \
		va_list args;                                                  \
		va_start(args, format);                                        \
		log_line(level, who, format, args);                            \
		va_end(args);                                                  \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
