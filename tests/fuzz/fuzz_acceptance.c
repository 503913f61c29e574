/* SPDX-License-Identifier: ISC */
/* Fuzzes what a worker and an authenticator say: the first octet says who. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/authenticator_protocol.h"

static void
check_question(const uint8_t *data, size_t size, uint8_t *out)
{
	struct accept_question question;

	if (!accept_question_parse(data, size, &question))
		return;
	property(question.token_len >= 1);
	property(question.token_len <= ACCEPT_TOKEN_MAX);
	property(
	    accept_question_print(out, ACCEPT_ANSWER_MAX, &question) == size);
	property(memcmp(out, data, size) == 0);
}

static void
check_answer(const uint8_t *data, size_t size, uint8_t *out)
{
	struct accept_answer answer;
	size_t name_len;

	if (!accept_answer_parse(data, size, &answer))
		return;
	/* Nobody is proved without a name and a context. */
	name_len = strlen(answer.name);
	property((answer.outcome == ACCEPT_DONE) ==
		 identity_name_is_valid(answer.name, name_len));
	property((answer.outcome == ACCEPT_DONE) == (answer.exported_len > 0));
	property(
	    (answer.outcome == ACCEPT_FAILED) == (answer.reason != REASON_OK));
	property(accept_answer_print(out, ACCEPT_ANSWER_MAX, &answer) == size);
	property(memcmp(out, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out;

	if (size == 0)
		return 0;
	out = malloc(ACCEPT_ANSWER_MAX);
	property(out != NULL);
	if (data[0] == 'q')
		check_question(data + 1, size - 1, out);
	else
		check_answer(data + 1, size - 1, out);
	free(out);
	return 0;
}
