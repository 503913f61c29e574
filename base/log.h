/* SPDX-License-Identifier: ISC */
/*
 * The diagnostic log: one line a message on standard error, for the person
 * who runs the gateway.  It is not the audit trail.
 *
 * error: someone must act.  warning: someone may have to.  info: a session's
 * ends, reloads, restarts.  debug: steps.  Foreign bytes go through
 * text_quote first; secrets never come here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

/* Names this program in each line; `program` is borrowed for ever. */
void log_init(const char *program, enum log_level level);

/* "error", "warning", "info", "debug" to a level; false if none of them. */
bool log_level_parse(const char *text, enum log_level *level) must_check;
const char *log_level_name(enum log_level level);

/*
 * One line "<n>program[pid]: who message" (n is the sd-daemon priority).
 * `who` says on whose behalf, such as "[s:17 alice@EXAMPLE 10.1.2.3:4567]";
 * NULL when on nobody's.  Never waits: what nobody takes is lost.  Never fails,
 * keeps errno.
 */
void log_error(const char *who, const char *format, ...) printf_like(2, 3);
void log_warning(const char *who, const char *format, ...) printf_like(2, 3);
void log_info(const char *who, const char *format, ...) printf_like(2, 3);
void log_debug(const char *who, const char *format, ...) printf_like(2, 3);

#endif
