/* SPDX-License-Identifier: ISC */
/* What the gateway asks of the master, and the answer. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/control_request.h"

static const struct control_request sample = {
    .verb = CONTROL_VERB_DRAIN, .seconds = 17, .uid = 1000, .pid = 4711};

static void
a_request_comes_back_whole(void **state)
{
	uint8_t data[CONTROL_REQUEST_MAX];
	struct control_request again;

	(void)state;
	assert_int_equal(
	    control_request_encode(&sample, data), CONTROL_REQUEST_MAX);
	assert_true(control_request_decode(data, sizeof(data), &again));
	assert_int_equal(again.verb, sample.verb);
	assert_int_equal(again.seconds, sample.seconds);
	assert_int_equal(again.uid, sample.uid);
	assert_int_equal(again.pid, sample.pid);
}

static void
a_request_of_another_length_or_verb_is_refused(void **state)
{
	uint8_t data[CONTROL_REQUEST_MAX + 1] = {0};
	struct control_request again;

	(void)state;
	(void)control_request_encode(&sample, data);
	for (size_t len = 0; len <= sizeof(data); len++)
		assert_int_equal(control_request_decode(data, len, &again),
		    len == CONTROL_REQUEST_MAX);
	for (unsigned verb = 0; verb <= UINT8_MAX; verb++) {
		data[0] = (uint8_t)verb;
		assert_int_equal(
		    control_request_decode(data, CONTROL_REQUEST_MAX, &again),
		    verb > 0 && verb < CONTROL_VERB_END);
	}
}

static void
an_answer_comes_back_whole_and_no_part_of_it_does(void **state)
{
	struct control_answer answer = {.is_done = true}, again;
	uint8_t data[CONTROL_ANSWER_MAX];
	size_t len;

	(void)state;
	memset(answer.sentence, 'x', sizeof(answer.sentence) - 1);
	len = control_answer_encode(&answer, data);
	assert_true(control_answer_decode(data, len, &again));
	assert_true(again.is_done);
	assert_string_equal(again.sentence, answer.sentence);
	for (size_t part = 0; part < len; part++)
		assert_false(control_answer_decode(data, part, &again));
	data[0] = 2;
	assert_false(control_answer_decode(data, len, &again));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_comes_back_whole),
	    cmocka_unit_test(a_request_of_another_length_or_verb_is_refused),
	    cmocka_unit_test(an_answer_comes_back_whole_and_no_part_of_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
