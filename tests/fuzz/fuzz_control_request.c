/* SPDX-License-Identifier: ISC */
/* What a broken program may ask the master, or answer it: what decodes is what
 * the other side's encoder writes. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/control_request.h"

static void
check_request(const uint8_t *data, size_t size)
{
	struct control_request request;
	uint8_t again[CONTROL_REQUEST_MAX];

	if (!control_request_decode(data, size, &request))
		return;
	property(request.verb > 0 && request.verb < CONTROL_VERB_END);
	property(control_request_encode(&request, again) == size);
	property(memcmp(again, data, size) == 0);
}

static void
check_answer(const uint8_t *data, size_t size)
{
	static struct control_answer answer;
	static uint8_t again[CONTROL_ANSWER_MAX];

	if (!control_answer_decode(data, size, &answer))
		return;
	property(memchr(answer.sentence, 0, sizeof(answer.sentence)) != NULL);
	property(control_answer_encode(&answer, again) == size);
	property(memcmp(again, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_request(data, size);
	check_answer(data, size);
	return 0;
}
