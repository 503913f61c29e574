/* SPDX-License-Identifier: ISC */
/* Questions and answers between worker and authenticator, octet by octet. */
#include "tests/support/unit.h"

#include "auth/authenticator_protocol.h"

#include <stdio.h>
#include <string.h>

#include "base/wire.h"

static uint8_t message[ACCEPT_ANSWER_MAX];

/* ---- questions ---- */

static size_t
print_question(bool is_first, size_t token_len)
{
	static const uint8_t token[ACCEPT_TOKEN_MAX];
	const struct accept_question question = {
	    .acceptance = 0x0102030405060708,
	    .is_first = is_first,
	    .may_spnego = !is_first,
	    .token = token,
	    .token_len = token_len,
	};

	return accept_question_print(message, sizeof(message), &question);
}

static void
a_question_comes_through(void **state)
{
	struct accept_question question;
	size_t len = print_question(true, 3);

	(void)state;
	assert_int_equal(len, 8 + 1 + 1 + 4 + 3);
	assert_true(accept_question_parse(message, len, &question));
	assert_true(question.acceptance == 0x0102030405060708);
	assert_true(question.is_first);
	assert_false(question.may_spnego);
	assert_int_equal(question.token_len, 3);
	assert_ptr_equal(question.token, message + 14);
	assert_true(accept_question_parse(
	    message, print_question(false, 3), &question));
	assert_false(question.is_first);
	assert_true(question.may_spnego);
}

static void
the_longest_question_fits_and_no_longer_one(void **state)
{
	struct accept_question question;
	size_t len = print_question(true, ACCEPT_TOKEN_MAX);
	struct wire_writer writer;

	(void)state;
	assert_int_equal(len, ACCEPT_QUESTION_MAX);
	assert_true(accept_question_parse(message, len, &question));
	wire_writer_init(&writer, message, sizeof(message));
	wire_put_u64(&writer, 1);
	wire_put_u8(&writer, 1);
	wire_put_u8(&writer, 1);
	wire_put_u32(&writer, ACCEPT_TOKEN_MAX + 1);
	assert_false(accept_question_parse(
	    message, writer.len + ACCEPT_TOKEN_MAX + 1, &question));
	question = (struct accept_question){.token = message, .token_len = 4};
	assert_int_equal(accept_question_print(message, 16, &question), 0);
}

static void
a_question_that_is_cut_or_odd_is_none(void **state)
{
	struct accept_question question;
	size_t len = print_question(true, 3);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(accept_question_parse(message, cut, &question));
	assert_false(accept_question_parse(message, len + 1, &question));
	message[8] = 2; /* neither first nor not */
	assert_false(accept_question_parse(message, len, &question));
	message[8] = 1;
	assert_true(accept_question_parse(message, len, &question));
	message[9] = 2; /* neither may nor may not */
	assert_false(accept_question_parse(message, len, &question));
	assert_false(
	    accept_question_parse(message, print_question(true, 0), &question));
}

/* ---- answers ---- */

static struct accept_answer
usual_answer(enum accept_outcome outcome)
{
	struct accept_answer answer = {
	    .outcome = outcome,
	    .token = (const uint8_t *)"token",
	    .token_len = 5,
	};

	if (outcome == ACCEPT_FAILED) {
		answer.reason = REASON_GSS_FLAGS;
		(void)snprintf(answer.text, sizeof(answer.text), "why");
	} else if (outcome == ACCEPT_DONE) {
		(void)snprintf(answer.name, sizeof(answer.name), "a@B");
		(void)snprintf(answer.indicators, sizeof(answer.indicators),
		    "otp hardened");
		answer.by_spnego = true;
		answer.flags = 0x3e;
		answer.lifetime_us = 0x1122334455667788;
		answer.exported = (const uint8_t *)"context";
		answer.exported_len = 7;
	}
	return answer;
}

static bool
comes_through(const struct accept_answer *answer, struct accept_answer *parsed)
{
	size_t len = accept_answer_print(message, sizeof(message), answer);

	assert_true(len > 0);
	return accept_answer_parse(message, len, parsed);
}

static void
every_answer_comes_through(void **state)
{
	struct accept_answer parsed;

	(void)state;
	for (int i = 0; i < ACCEPT_OUTCOME_COUNT; i++) {
		struct accept_answer answer =
		    usual_answer((enum accept_outcome)i);

		assert_true(comes_through(&answer, &parsed));
		assert_int_equal(parsed.outcome, answer.outcome);
		assert_int_equal(parsed.reason, answer.reason);
		assert_string_equal(parsed.text, answer.text);
		assert_string_equal(parsed.name, answer.name);
		assert_int_equal(parsed.flags, answer.flags);
		assert_int_equal(parsed.by_spnego, answer.by_spnego);
		assert_string_equal(parsed.indicators, answer.indicators);
		assert_true(parsed.lifetime_us == answer.lifetime_us);
		assert_int_equal(parsed.token_len, 5);
		assert_memory_equal(parsed.token, "token", 5);
		assert_int_equal(parsed.exported_len, answer.exported_len);
		if (parsed.exported_len > 0)
			assert_memory_equal(parsed.exported, "context", 7);
	}
}

static void
an_answer_that_is_cut_is_none(void **state)
{
	struct accept_answer answer = usual_answer(ACCEPT_DONE), parsed;
	size_t len = accept_answer_print(message, sizeof(message), &answer);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(accept_answer_parse(message, cut, &parsed));
	assert_false(accept_answer_parse(message, len + 1, &parsed));
	assert_int_equal(accept_answer_print(message, len - 1, &answer), 0);
}

static void
an_answer_that_contradicts_itself_is_none(void **state)
{
	struct accept_answer answer, parsed;

	(void)state;
	answer = usual_answer(ACCEPT_DONE);
	answer.reason = REASON_GSS_FLAGS;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_DONE);
	answer.exported_len = 0;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_DONE);
	(void)snprintf(answer.name, sizeof(answer.name), "line\nfeed@B");
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_DONE);
	answer.name[0] = '\0';
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_FAILED);
	answer.reason = REASON_OK;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_FAILED);
	(void)snprintf(answer.name, sizeof(answer.name), "a@B");
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_FAILED);
	answer.by_spnego = true;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_FAILED);
	(void)snprintf(answer.indicators, sizeof(answer.indicators), "otp");
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_CONTINUE);
	answer.token_len = 0;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_CONTINUE);
	answer.exported = answer.token;
	answer.exported_len = 5;
	assert_false(comes_through(&answer, &parsed));
}

static void
a_number_out_of_its_range_is_none(void **state)
{
	struct accept_answer answer = usual_answer(ACCEPT_FAILED), parsed;
	size_t len = accept_answer_print(message, sizeof(message), &answer);

	(void)state;
	message[0] = ACCEPT_OUTCOME_COUNT;
	assert_false(accept_answer_parse(message, len, &parsed));
	message[0] = ACCEPT_FAILED;
	message[1] = 0xff; /* the reason's upper half */
	assert_false(accept_answer_parse(message, len, &parsed));
	message[1] = 0;
	/* Before the flags, the lifetime and no context. */
	message[len - 4 - 8 - 4 - 1] = 2;
	assert_false(accept_answer_parse(message, len, &parsed));
	message[len - 4 - 8 - 4 - 1] = 0;
	assert_true(accept_answer_parse(message, len, &parsed));
}

static void
the_longest_answer_fits_and_no_longer_one(void **state)
{
	static const uint8_t octets[ACCEPT_EXPORTED_MAX + 1];
	struct accept_answer answer = usual_answer(ACCEPT_DONE), parsed;

	(void)state;
	memset(answer.name, 'a', IDENTITY_NAME_MAX);
	memset(answer.text, 't', sizeof(answer.text) - 1);
	answer.token = answer.exported = octets;
	answer.token_len = ACCEPT_TOKEN_MAX;
	answer.exported_len = ACCEPT_EXPORTED_MAX;
	assert_true(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_DONE);
	answer.token = octets;
	answer.token_len = ACCEPT_TOKEN_MAX + 1;
	assert_false(comes_through(&answer, &parsed));
	answer = usual_answer(ACCEPT_DONE);
	answer.exported = octets;
	answer.exported_len = ACCEPT_EXPORTED_MAX + 1;
	assert_false(comes_through(&answer, &parsed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_question_comes_through),
	    cmocka_unit_test(the_longest_question_fits_and_no_longer_one),
	    cmocka_unit_test(a_question_that_is_cut_or_odd_is_none),
	    cmocka_unit_test(every_answer_comes_through),
	    cmocka_unit_test(an_answer_that_is_cut_is_none),
	    cmocka_unit_test(an_answer_that_contradicts_itself_is_none),
	    cmocka_unit_test(a_number_out_of_its_range_is_none),
	    cmocka_unit_test(the_longest_answer_fits_and_no_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
