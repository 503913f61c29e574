/* SPDX-License-Identifier: ISC */
/*
 * What a worker thread and the password checker say to each other over their
 * link: a name and a password as a question, what PAM made of them as the
 * answer.
 *
 * Messages of a PASSWORD_CHECK hold the password: who prints or keeps one
 * wipes it (explicit_bzero); the link itself wipes what passes through it.
 */
#ifndef AUTH_PASSWORD_PROTOCOL_H
#define AUTH_PASSWORD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

/* RFC 1929: one octet counts each. */
#define PASSWORD_USER_MAX  255
#define PASSWORD_USER_SIZE (PASSWORD_USER_MAX + 1)
#define PASSWORD_MAX	   255
#define PASSWORD_TEXT_SIZE 512
/* Octets of the longest question: two counted texts, an address. */
#define PASSWORD_QUESTION_MAX                                                  \
	(4 + PASSWORD_USER_MAX + 4 + PASSWORD_MAX + 4 + 16)
#define PASSWORD_ANSWER_MAX                                                    \
	(2 + 4 + PASSWORD_TEXT_SIZE + 4 + PASSWORD_USER_SIZE)

enum password_type {
	/* worker to checker */
	PASSWORD_CHECK = 1, /* question: struct password_question */
	PASSWORD_PROBE,	    /* question: are you there? empty */
	/* checker to worker */
	PASSWORD_ANSWER, /* struct password_answer */
	PASSWORD_ALIVE	 /* the answer to a probe; empty */
};

struct password_question {
	char user[PASSWORD_USER_SIZE]; /* password_user_is_valid */
	const uint8_t *password;       /* borrowed; password_is_valid */
	size_t password_len;
	struct address client; /* what PAM calls PAM_RHOST; not none */
};

struct password_answer {
	enum reason reason;	       /* REASON_OK: it is who it says */
	char text[PASSWORD_TEXT_SIZE]; /* for the record; UTF-8 unquoted */
	/* Whom PAM proved, the same as was asked; empty unless REASON_OK. */
	char name[PASSWORD_USER_SIZE];
};

/*
 * True for what may be asked about: 1 to 255 octets of printable UTF-8
 * (identity_name_is_valid), no slash, neither "." nor "..": modules make
 * names of files of it (pam_faillock).
 */
bool password_user_is_valid(const void *user, size_t len) must_check;
/* 1 to 255 octets without a NUL, where PAM would end it. */
bool password_is_valid(const void *password, size_t len) must_check;

/* Writes the payload of PASSWORD_CHECK; 0 if it does not fit or is not what
 * may be asked. */
size_t password_question_print(uint8_t *out, size_t size,
    const struct password_question *question) must_check;
/* False if the octets are not one. */
bool password_question_parse(const void *data, size_t len,
    struct password_question *question) must_check;

/* The same for PASSWORD_ANSWER. */
size_t password_answer_print(
    uint8_t *out, size_t size, const struct password_answer *answer) must_check;
bool password_answer_parse(
    const void *data, size_t len, struct password_answer *answer) must_check;

#endif
