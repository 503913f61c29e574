/* SPDX-License-Identifier: ISC */
/*
 * The process that asks PAM for one login, and what it tells the checker.
 *
 * It is made for one question and never used again, has a session of its
 * own, /dev/null for its input and output, and of all other descriptors only
 * the one that its answer goes through.
 */
#ifndef AUTH_PASSWORD_CHILD_H
#define AUTH_PASSWORD_CHILD_H

#include <sys/types.h>

#include "auth/pam_conversation.h"
#include "auth/password_protocol.h"
#include "base/compiler.h"
#include "base/secret.h"

/* How it exits after its answer: with nothing left behind, or with processes
 * that a module has begun. */
#define PASSWORD_CHILD_ALONE	0
#define PASSWORD_CHILD_ATTENDED 1

/*
 * Forks it.  `question` is the payload of a PASSWORD_CHECK, borrowed.  Its
 * pid, and in *fd the non-blocking descriptor to hear from it; or -errno.
 */
pid_t password_child_fork(const struct pamconv_settings *settings,
    const struct secret *question, int *fd) must_check;

enum password_report {
	PASSWORD_REPORT_NONE,	/* nothing now */
	PASSWORD_REPORT_TEXT,	/* a module says something; foreign text */
	PASSWORD_REPORT_ANSWER, /* its answer */
	PASSWORD_REPORT_END	/* nothing ever, or what cannot be read */
};

/* Reads what it has to say next. */
enum password_report password_child_hear(int fd, char text[PASSWORD_TEXT_SIZE],
    struct password_answer *answer) must_check;

#endif
