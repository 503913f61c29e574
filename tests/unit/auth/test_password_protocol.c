/* SPDX-License-Identifier: ISC */
/* Questions and answers between worker and password checker, octet by
 * octet. */
#include "tests/support/unit.h"

#include "auth/password_protocol.h"

#include <stdio.h>
#include <string.h>

#include "base/wire.h"

static uint8_t message[PASSWORD_QUESTION_MAX + PASSWORD_ANSWER_MAX];

/* ---- what may be asked ---- */

static void
names_that_nobody_may_have_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool is_valid;
	} rows[] = {
	    {"alice", 5, true},
	    {"a", 1, true},
	    {"alice@EXAMPLE.COM", 17, true},
	    {"CORP\\alice", 10, true},
	    {"alice.b", 7, true},
	    {"...", 3, true},
	    {".a", 2, true},
	    {"a.", 2, true},
	    {"\xc3\xa9va", 4, true},
	    {"", 0, false},
	    {".", 1, false},
	    {"..", 2, false},
	    {"../alice", 8, false},
	    {"a/b", 3, false},
	    {"ali\0ce", 6, false},
	    {"alice\n", 6, false},
	    {"\xff\xfe", 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    password_user_is_valid(rows[i].name, rows[i].len),
		    rows[i].is_valid);
}

static void
names_and_passwords_have_at_most_255_octets(void **state)
{
	char text[PASSWORD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(password_user_is_valid(text, PASSWORD_USER_MAX));
	assert_false(password_user_is_valid(text, PASSWORD_USER_MAX + 1));
	assert_true(password_is_valid(text, PASSWORD_MAX));
	assert_false(password_is_valid(text, PASSWORD_MAX + 1));
}

static void
a_password_is_any_octets_but_nul(void **state)
{
	(void)state;
	assert_true(password_is_valid("\x01\xff\n /", 5));
	assert_false(password_is_valid("", 0));
	assert_false(password_is_valid("\0", 1));
	assert_false(password_is_valid("sec\0ret", 7));
}

/* ---- questions ---- */

static struct password_question
usual_question(const char *client)
{
	struct password_question question = {
	    .user = "alice",
	    .password = (const uint8_t *)"secret",
	    .password_len = 6,
	};

	assert_true(address_parse(client, &question.client));
	return question;
}

static void
a_question_comes_through(void **state)
{
	static const char *const clients[] = {"192.0.2.1", "2001:db8::1"};
	struct password_question question, parsed;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		question = usual_question(clients[i]);
		len = password_question_print(
		    message, sizeof(message), &question);
		assert_true(len > 0);
		assert_true(password_question_parse(message, len, &parsed));
		assert_string_equal(parsed.user, "alice");
		assert_int_equal(parsed.password_len, 6);
		assert_ptr_equal(parsed.password, message + 4 + 5 + 4);
		assert_true(address_is_equal(&parsed.client, &question.client));
	}
}

static void
the_longest_question_fits(void **state)
{
	static uint8_t password[PASSWORD_MAX];
	struct password_question question = usual_question("2001:db8::1");

	(void)state;
	memset(question.user, 'u', PASSWORD_USER_MAX);
	memset(password, 'p', sizeof(password));
	question.password = password;
	question.password_len = sizeof(password);
	assert_int_equal(
	    password_question_print(message, PASSWORD_QUESTION_MAX, &question),
	    PASSWORD_QUESTION_MAX);
	assert_true(
	    password_question_parse(message, PASSWORD_QUESTION_MAX, &question));
	assert_int_equal(password_question_print(
			     message, PASSWORD_QUESTION_MAX - 1, &question),
	    0);
}

static void
a_question_that_is_cut_is_none(void **state)
{
	struct password_question question = usual_question("192.0.2.1");
	size_t len =
	    password_question_print(message, sizeof(message), &question);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(password_question_parse(message, cut, &question));
	assert_false(password_question_parse(message, len + 1, &question));
}

static void
what_may_not_be_asked_is_not_printed(void **state)
{
	struct password_question question = usual_question("192.0.2.1");

	(void)state;
	question.user[0] = '\0';
	assert_int_equal(
	    password_question_print(message, sizeof(message), &question), 0);
	question = usual_question("192.0.2.1");
	question.password_len = 0;
	assert_int_equal(
	    password_question_print(message, sizeof(message), &question), 0);
	question = usual_question("192.0.2.1");
	question.client.family = ADDRESS_NONE;
	assert_int_equal(
	    password_question_print(message, sizeof(message), &question), 0);
}

/* Any three counted texts. */
static size_t
print_odd(const char *user, const char *password, size_t password_len,
    const char *client, size_t client_len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, message, sizeof(message));
	wire_put_string(&writer, user);
	wire_put_counted(&writer, password, password_len);
	wire_put_counted(&writer, client, client_len);
	assert_false(writer.failed);
	return writer.len;
}

static void
an_odd_question_is_none(void **state)
{
	struct password_question question;
	size_t len = print_odd("alice", "secret", 6, "\xc0\0\2\1", 4);

	(void)state;
	assert_true(password_question_parse(message, len, &question));
	len = print_odd("a/b", "secret", 6, "\xc0\0\2\1", 4);
	assert_false(password_question_parse(message, len, &question));
	len = print_odd("", "secret", 6, "\xc0\0\2\1", 4);
	assert_false(password_question_parse(message, len, &question));
	len = print_odd("alice", "sec\0et", 6, "\xc0\0\2\1", 4);
	assert_false(password_question_parse(message, len, &question));
	len = print_odd("alice", "", 0, "\xc0\0\2\1", 4);
	assert_false(password_question_parse(message, len, &question));
	len = print_odd("alice", "secret", 6, "\xc0\0\2", 3);
	assert_false(password_question_parse(message, len, &question));
	len = print_odd("alice", "secret", 6, "", 0);
	assert_false(password_question_parse(message, len, &question));
	/* An IPv4 address is held as one, never as IPv6. */
	len = print_odd(
	    "alice", "secret", 6, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	assert_false(password_question_parse(message, len, &question));
}

/* ---- answers ---- */

static bool
comes_through(
    const struct password_answer *answer, struct password_answer *parsed)
{
	size_t len = password_answer_print(message, sizeof(message), answer);

	assert_true(len > 0);
	return password_answer_parse(message, len, parsed);
}

static void
answers_come_through(void **state)
{
	struct password_answer answer = {.name = "alice"}, parsed;

	(void)state;
	assert_true(comes_through(&answer, &parsed));
	assert_int_equal(parsed.reason, REASON_OK);
	assert_string_equal(parsed.name, "alice");
	answer = (struct password_answer){
	    .reason = REASON_PASSWORD_WRONG, .text = "Authentication failure"};
	assert_true(comes_through(&answer, &parsed));
	assert_int_equal(parsed.reason, REASON_PASSWORD_WRONG);
	assert_string_equal(parsed.text, "Authentication failure");
	assert_string_equal(parsed.name, "");
}

static void
an_answer_that_is_cut_is_none(void **state)
{
	struct password_answer answer = {.text = "why", .name = "alice"};
	size_t len = password_answer_print(message, sizeof(message), &answer);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(password_answer_parse(message, cut, &answer));
	assert_false(password_answer_parse(message, len + 1, &answer));
	answer = (struct password_answer){.text = "why", .name = "alice"};
	assert_int_equal(password_answer_print(message, len - 1, &answer), 0);
}

static void
an_answer_that_contradicts_itself_is_none(void **state)
{
	struct password_answer answer = {.reason = REASON_OK}, parsed;

	(void)state;
	assert_false(comes_through(&answer, &parsed));
	answer.reason = REASON_PASSWORD_WRONG;
	assert_true(comes_through(&answer, &parsed));
	(void)snprintf(answer.name, sizeof(answer.name), "alice");
	assert_false(comes_through(&answer, &parsed));
	answer.reason = REASON_OK;
	(void)snprintf(answer.name, sizeof(answer.name), "../alice");
	assert_false(comes_through(&answer, &parsed));
	answer.reason = REASON_COUNT;
	answer.name[0] = '\0';
	assert_false(comes_through(&answer, &parsed));
}

static void
the_longest_answer_fits_and_no_longer_one(void **state)
{
	char text[PASSWORD_TEXT_SIZE + 1];
	struct password_answer answer = {.reason = REASON_OK}, parsed;
	struct wire_writer writer;

	(void)state;
	memset(answer.name, 'n', PASSWORD_USER_MAX);
	memset(answer.text, 't', PASSWORD_TEXT_SIZE - 1);
	assert_true(comes_through(&answer, &parsed));
	assert_true(
	    password_answer_print(message, PASSWORD_ANSWER_MAX, &answer) > 0);
	memset(text, 't', PASSWORD_TEXT_SIZE);
	text[PASSWORD_TEXT_SIZE] = '\0';
	wire_writer_init(&writer, message, sizeof(message));
	wire_put_u16(&writer, REASON_PASSWORD_WRONG);
	wire_put_string(&writer, text);
	wire_put_string(&writer, "");
	assert_false(password_answer_parse(message, writer.len, &parsed));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_that_nobody_may_have_are_refused),
	    cmocka_unit_test(names_and_passwords_have_at_most_255_octets),
	    cmocka_unit_test(a_password_is_any_octets_but_nul),
	    cmocka_unit_test(a_question_comes_through),
	    cmocka_unit_test(the_longest_question_fits),
	    cmocka_unit_test(a_question_that_is_cut_is_none),
	    cmocka_unit_test(what_may_not_be_asked_is_not_printed),
	    cmocka_unit_test(an_odd_question_is_none),
	    cmocka_unit_test(answers_come_through),
	    cmocka_unit_test(an_answer_that_is_cut_is_none),
	    cmocka_unit_test(an_answer_that_contradicts_itself_is_none),
	    cmocka_unit_test(the_longest_answer_fits_and_no_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
