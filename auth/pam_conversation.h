/* SPDX-License-Identifier: ISC */
/*
 * Asking PAM once: name and password in, a reason out.
 *
 * Modules may block, crash, exit, fork and change whatever a process has:
 * call it in a process that does nothing else (auth/password_child.h).
 */
#ifndef AUTH_PAM_CONVERSATION_H
#define AUTH_PAM_CONVERSATION_H

#include "auth/password_protocol.h"
#include "base/compiler.h"

/* Messages of modules in one login, all calls together; the same as PAM's
 * own limit for one call. */
#define PAMCONV_MESSAGES_MAX 32

struct pamconv_settings {
	const char *service;
	const char *service_dir; /* instead of the system's; or "" */
	const char *ruser;	 /* PAM_RUSER; "" leaves it unset */
};

/* What a module has to say to the user; foreign text. */
typedef void pamconv_text_fn(void *arg, const char *text);

/*
 * pam_start, PAM_RHOST and PAM_RUSER, pam_authenticate, pam_acct_mgmt,
 * pam_end; never a session, never a change of password, no waiting after a
 * failure (the gateway waits).  Exactly one hidden prompt gets the password;
 * a second one, a visible one, anything else and too many messages are an
 * error to the module.
 */
void pamconv_check(const struct pamconv_settings *settings,
    const struct password_question *question, pamconv_text_fn *say, void *arg,
    struct password_answer *answer);

#endif
