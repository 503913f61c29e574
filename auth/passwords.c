/* SPDX-License-Identifier: ISC */
/* One worker thread's links to the password checkers. */
#include "auth/passwords.h"

#include <stdlib.h>
#include <string.h>

#include "auth/password_protocol.h"
#include "base/link.h"
#include "base/link_pool.h"
#include "base/log.h"

struct passwords {
	struct link_pool *links;
};

struct password_check {
	struct link_pool_peer peer; /* who has been asked */
	struct inquiry *inquiry;
	char user[PASSWORD_USER_SIZE];
	password_check_done_fn *done;
	void *arg;
};

/* ---- the links ---- */

static void
on_unasked(void *arg, struct link_message *message)
{
	/* A checker says nothing unasked; a late answer ends here. */
	(void)arg;
	(void)message;
}

static const struct link_handler handlers[] = {
    {PASSWORD_ANSWER, 1, PASSWORD_ANSWER_MAX, on_unasked},
    {PASSWORD_ALIVE, 0, 0, on_unasked},
    {.handle = NULL},
};

static const struct link_pool_kind kind = {
    .name = "password checker",
    .handlers = handlers,
    .probe = PASSWORD_PROBE,
};

struct passwords *
passwords_new(struct event_base *base, unsigned timeout_ms)
{
	struct passwords *passwords = malloc(sizeof(*passwords));

	if (passwords == NULL)
		return NULL;
	passwords->links = link_pool_new(base, &kind, timeout_ms);
	if (passwords->links == NULL) {
		free(passwords);
		return NULL;
	}
	return passwords;
}

void
passwords_free(struct passwords *passwords)
{
	if (passwords == NULL)
		return;
	link_pool_free(passwords->links);
	free(passwords);
}

void
passwords_set_timeout(struct passwords *passwords, unsigned timeout_ms)
{
	link_pool_set_timeout(passwords->links, timeout_ms);
}

void
passwords_link(struct passwords *passwords, uint32_t index, int fd)
{
	link_pool_link(passwords->links, index, fd);
}

/* ---- checks ---- */

void
password_check_cancel(struct password_check *check)
{
	if (check == NULL)
		return;
	inquiry_cancel(check->inquiry);
	free(check);
}

static void
finish(struct password_check *check, enum reason reason, const char *text)
{
	password_check_done_fn *done = check->done;
	void *arg = check->arg;

	password_check_cancel(check);
	done(arg, reason, text);
}

static void
take_answer(struct password_check *check, const struct link_message *message)
{
	struct password_answer answer;

	if (message->type != PASSWORD_ANSWER ||
	    !password_answer_parse(message->data, message->len, &answer)) {
		log_error(NULL,
		    "a password checker gave an answer that cannot be read");
		finish(check, REASON_CHECKER_LOST, "");
	} else if (answer.reason == REASON_OK &&
		   strcmp(answer.name, check->user) != 0) {
		log_error(NULL,
		    "a password checker proved somebody who was not asked "
		    "about");
		finish(check, REASON_USER_CHANGED, "");
	} else {
		finish(check, answer.reason, answer.text);
	}
}

static void
on_answer(void *arg, enum inquiry_outcome outcome, struct link_message *message)
{
	struct password_check *check = arg;

	check->inquiry = NULL;
	switch (outcome) {
	case INQUIRY_ANSWERED:
		take_answer(check, message);
		return;
	case INQUIRY_TIMEOUT:
		finish(check, REASON_CHECKER_TIMEOUT, "");
		return;
	case INQUIRY_LOST:
		/* Nobody was asked where nobody was there. */
		finish(check,
		    check->peer.member == NULL ? REASON_CHECKER_BUSY
					       : REASON_CHECKER_LOST,
		    "");
		return;
	case INQUIRY_BUSY:
		finish(check, REASON_CHECKER_BUSY, "");
		return;
	}
}

struct password_check *
password_check_start(struct passwords *passwords,
    const struct password_question *question, password_check_done_fn *done,
    void *arg)
{
	uint8_t message[PASSWORD_QUESTION_MAX];
	struct password_check *check = calloc(1, sizeof(*check));
	size_t len;

	if (check == NULL)
		return NULL;
	(void)strlcpy(check->user, question->user, sizeof(check->user));
	check->done = done;
	check->arg = arg;
	len = password_question_print(message, sizeof(message), question);
	if (len > 0)
		check->inquiry = inquiry_start(passwords->links, &check->peer,
		    PASSWORD_CHECK, message, len, on_answer, check);
	explicit_bzero(message, sizeof(message));
	if (check->inquiry == NULL) {
		free(check);
		return NULL;
	}
	return check;
}
