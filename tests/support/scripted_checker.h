/* SPDX-License-Identifier: ISC */
/*
 * The other end of a password checker's link, which does what the passwords
 * say:
 *
 *     R...  it is right
 *     W...  password_wrong, "as PAM says"
 *     U...  user_unknown
 *     L...  account_denied
 *     E...  pam_error
 *     O...  right, but of another user
 *     B...  an answer that cannot be read
 *     H...  holds it: no answer
 */
#ifndef TESTS_SUPPORT_SCRIPTED_CHECKER_H
#define TESTS_SUPPORT_SCRIPTED_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/password_protocol.h"

struct event_base;
struct link;

struct scripted_checker {
	struct link *link;
	unsigned asked, probes;
	char user[PASSWORD_USER_SIZE]; /* of the last question */
	uint8_t password[PASSWORD_MAX];
	size_t password_len;
	struct address client;
	uint64_t held; /* the last question that it holds; 0 none */
	bool is_silent;
	bool is_gone;
};

/* Makes it; *other is the gateway's end of the link. */
void scripted_checker_init(
    struct scripted_checker *checker, struct event_base *base, int *other);
void scripted_checker_fini(struct scripted_checker *checker);

/* Answers what it holds as if the password began with `what`. */
void scripted_checker_answer(struct scripted_checker *checker, char what);

#endif
