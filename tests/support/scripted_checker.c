/* SPDX-License-Identifier: ISC */
/* The other end of a password checker's link, which does what passwords say.
 */
#include "tests/support/unit.h"

#include "tests/support/scripted_checker.h"

#include <stdio.h>
#include <string.h>

#include "base/link.h"

static enum reason
reason_of(char what)
{
	switch (what) {
	case 'W':
		return REASON_PASSWORD_WRONG;
	case 'U':
		return REASON_USER_UNKNOWN;
	case 'L':
		return REASON_ACCOUNT_DENIED;
	case 'E':
		return REASON_PAM_ERROR;
	default:
		return REASON_OK;
	}
}

static void
answer(struct scripted_checker *checker, uint64_t id, char what)
{
	uint8_t message[PASSWORD_ANSWER_MAX];
	struct password_answer said = {.reason = reason_of(what)};
	size_t len;

	if (what == 'W')
		(void)snprintf(
		    said.text, sizeof(said.text), "%s", "as PAM says");
	if (said.reason == REASON_OK)
		memcpy(said.name, checker->user, sizeof(said.name));
	if (what == 'O')
		(void)snprintf(said.name, sizeof(said.name), "%s", "root");
	len = password_answer_print(message, sizeof(message), &said);
	assert_true(len > 0);
	if (what == 'B')
		len--;
	assert_int_equal(
	    link_send(checker->link, PASSWORD_ANSWER, id, message, len), 0);
}

void
scripted_checker_answer(struct scripted_checker *checker, char what)
{
	uint64_t id = checker->held;

	checker->held = 0;
	answer(checker, id, what);
}

static void
on_check(void *arg, struct link_message *message)
{
	struct scripted_checker *checker = arg;
	struct password_question question = {.password = NULL};

	assert_true(
	    password_question_parse(message->data, message->len, &question));
	checker->asked++;
	memcpy(checker->user, question.user, sizeof(checker->user));
	memcpy(checker->password, question.password, question.password_len);
	checker->password_len = question.password_len;
	checker->client = question.client;
	if (question.password[0] == 'H' || checker->is_silent)
		checker->held = message->id;
	else
		answer(checker, message->id, (char)question.password[0]);
}

static void
on_probe(void *arg, struct link_message *message)
{
	struct scripted_checker *checker = arg;

	checker->probes++;
	if (!checker->is_silent)
		assert_int_equal(link_send(checker->link, PASSWORD_ALIVE,
				     message->id, NULL, 0),
		    0);
}

static void
on_closed(void *arg)
{
	struct scripted_checker *checker = arg;

	checker->is_gone = true;
}

static const struct link_handler handlers[] = {
    {PASSWORD_CHECK, 1, PASSWORD_QUESTION_MAX, on_check},
    {PASSWORD_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

void
scripted_checker_init(
    struct scripted_checker *checker, struct event_base *base, int *other)
{
	int fds[2];

	memset(checker, 0, sizeof(*checker));
	assert_int_equal(link_pair(fds), 0);
	checker->link = link_new(base, fds[0], handlers, on_closed, checker);
	assert_non_null(checker->link);
	*other = fds[1];
}

void
scripted_checker_fini(struct scripted_checker *checker)
{
	link_free(checker->link);
	checker->link = NULL;
}
