/* SPDX-License-Identifier: ISC */
/*
 * The logins of the password checker: a bounded queue, a bounded number of
 * processes that ask PAM (auth/password_child.h), a deadline for each.
 *
 * Takes SIGCHLD and becomes the reaper of whatever modules leave behind, so
 * that there is one of these in a process.
 */
#ifndef AUTH_PASSWORD_LOGINS_H
#define AUTH_PASSWORD_LOGINS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/pam_conversation.h"
#include "auth/password_protocol.h"
#include "base/compiler.h"

struct event_base;
struct logins;

struct logins_settings {
	struct pamconv_settings pam; /* texts are copied */
	unsigned timeout_ms;	     /* from the question to the answer */
	size_t concurrency;	     /* processes at a time */
	size_t queue_max;	     /* logins that wait for one */
};

/* The answer to question `id` of `asker`; comes exactly once for each that
 * was not forgotten. */
typedef void
logins_done_fn(void *asker, uint64_t id, const struct password_answer *answer);

/* Dies without memory.  Everybody is turned away until it is configured. */
struct logins *
logins_new(struct event_base *base, logins_done_fn *done) must_check;
/* Kills what runs; nobody is told anything. */
void logins_free(struct logins *logins);

/* For logins that begin from now on.  False if there is no memory. */
bool logins_configure(
    struct logins *logins, const struct logins_settings *settings) must_check;

/*
 * A question, the payload of a PASSWORD_CHECK that was parsed already.  When
 * nothing is free, the answer comes inside this call.
 */
void logins_ask(struct logins *logins, void *asker, uint64_t id,
    const void *question, size_t len);

/*
 * That asker is gone.  Its logins that wait are dropped; those that run come
 * to their end, since modules count failures, but nobody hears of them.
 */
void logins_forget(struct logins *logins, const void *asker);

#endif
