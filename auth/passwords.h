/* SPDX-License-Identifier: ISC */
/*
 * One worker thread's links to the password checkers, and the passwords that
 * are being checked over them.
 *
 * Not the password checker: this side calls no PAM.
 */
#ifndef AUTH_PASSWORDS_H
#define AUTH_PASSWORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

struct event_base;
struct password_check;
struct password_question;
struct passwords;

/* timeout_ms: for one answer; more than a checker takes before it gives up
 * by itself. */
struct passwords *
passwords_new(struct event_base *base, unsigned timeout_ms) must_check;
void passwords_free(struct passwords *passwords);

/* From the next question on. */
void passwords_set_timeout(struct passwords *passwords, unsigned timeout_ms);

/* A link to password checker `index` was made (anew); fd taken. */
void passwords_link(struct passwords *passwords, uint32_t index, int fd);

/*
 * reason is REASON_OK, or why it failed; `text` says more for the record
 * (borrowed, "" if it does not).  Without a checker that could be asked it is
 * checker_busy.  The handle is gone.
 */
typedef void
password_check_done_fn(void *arg, enum reason reason, const char *text);

/*
 * Asks a checker.  The question is borrowed for the call; no copy of its
 * password stays behind on this side.  The callback comes exactly once, never
 * before this has returned, never after password_check_cancel.  NULL when
 * there is no memory, or when it is not what may be asked
 * (auth/password_protocol.h).
 */
struct password_check *password_check_start(struct passwords *passwords,
    const struct password_question *question, password_check_done_fn *done,
    void *arg) must_check;

/* NULL is fine. */
void password_check_cancel(struct password_check *check);

#endif
