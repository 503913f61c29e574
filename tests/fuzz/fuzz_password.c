/* SPDX-License-Identifier: ISC */
/* Fuzzes what a worker and the password checker say: the first octet says
 * who. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/password_protocol.h"

static void
check_question(const uint8_t *data, size_t size)
{
	uint8_t out[PASSWORD_QUESTION_MAX];
	struct password_question question;

	if (!password_question_parse(data, size, &question))
		return;
	property(strchr(question.user, '/') == NULL);
	property(question.user[0] != '\0');
	property(question.password_len >= 1);
	property(question.password_len <= PASSWORD_MAX);
	property(question.client.family != ADDRESS_NONE);
	property(password_question_print(out, sizeof(out), &question) == size);
	property(memcmp(out, data, size) == 0);
}

static void
check_answer(const uint8_t *data, size_t size)
{
	uint8_t out[PASSWORD_ANSWER_MAX];
	struct password_answer answer;

	if (!password_answer_parse(data, size, &answer))
		return;
	/* Nobody is proved without a name, and nobody else has one. */
	property((answer.reason == REASON_OK) == (answer.name[0] != '\0'));
	property(password_answer_print(out, sizeof(out), &answer) == size);
	property(memcmp(out, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'q')
		check_question(data + 1, size - 1);
	else
		check_answer(data + 1, size - 1);
	return 0;
}
