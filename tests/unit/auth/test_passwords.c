/* SPDX-License-Identifier: ISC */
/* The links to the password checkers: who is asked, what becomes of it. */
#include "tests/support/unit.h"

#include "auth/passwords.h"

#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "base/compiler.h"
#include "tests/support/scripted_checker.h"

#define TIMEOUT_MS 250
#define TURNS_MAX  60

struct world {
	struct event_base *base;
	struct passwords *passwords;
	struct scripted_checker checkers[2];
};

struct told {
	unsigned count;
	enum reason reason;
	char text[64];
};

static void
link_checker(struct world *world, uint32_t index)
{
	int fd;

	scripted_checker_init(&world->checkers[index], world->base, &fd);
	passwords_link(world->passwords, index, fd);
}

/* In place: links point into it. */
static void
begin(struct world *world, uint32_t checkers)
{
	memset(world, 0, sizeof(*world));
	world->base = event_base_new();
	world->passwords = passwords_new(world->base, TIMEOUT_MS);
	assert_non_null(world->passwords);
	for (uint32_t i = 0; i < checkers; i++)
		link_checker(world, i);
}

static void
end(struct world *world)
{
	passwords_free(world->passwords);
	for (size_t i = 0; i < ARRAY_COUNT(world->checkers); i++)
		scripted_checker_fini(&world->checkers[i]);
	event_base_free(world->base);
}

static void
turn(struct world *world)
{
	for (int i = 0; i < TURNS_MAX; i++)
		(void)event_base_loop(
		    world->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
wait_for_timeouts(struct world *world)
{
	const struct timeval pause = {
	    .tv_usec = (suseconds_t)(TIMEOUT_MS + 50) * 1000};

	assert_int_equal(event_base_loopexit(world->base, &pause), 0);
	(void)event_base_dispatch(world->base);
	turn(world);
}

static void
on_told(void *arg, enum reason reason, const char *text)
{
	struct told *told = arg;

	told->count++;
	told->reason = reason;
	(void)snprintf(told->text, sizeof(told->text), "%s", text);
}

static struct password_check *
ask_about(struct world *world, const char *user, const char *password,
    struct told *told)
{
	struct password_question question = {
	    .password = (const uint8_t *)password,
	    .password_len = strlen(password),
	};
	struct password_check *check;

	(void)snprintf(question.user, sizeof(question.user), "%s", user);
	assert_true(address_parse("192.0.2.1", &question.client));
	memset(told, 0, sizeof(*told));
	check =
	    password_check_start(world->passwords, &question, on_told, told);
	assert_int_equal(told->count, 0); /* never inside of the call */
	return check;
}

/* One password and its answer. */
static struct told
ask(struct world *world, const char *password)
{
	struct told told;

	assert_non_null(ask_about(world, "alice", password, &told));
	turn(world);
	assert_int_equal(told.count, 1);
	return told;
}

static void
assert_told(const struct told *told, enum reason reason)
{
	assert_int_equal(told->count, 1);
	assert_string_equal(reason_name(told->reason), reason_name(reason));
}

static void
the_checker_sees_name_password_and_client(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = ask(&world, "Right \1\377");
	struct address client;

	(void)state;
	assert_told(&told, REASON_OK);
	assert_string_equal(world.checkers[0].user, "alice");
	assert_int_equal(world.checkers[0].password_len, 8);
	assert_memory_equal(world.checkers[0].password, "Right \1\377", 8);
	assert_true(address_parse("192.0.2.1", &client));
	assert_true(address_is_equal(&world.checkers[0].client, &client));
	end(&world);
}

static void
each_answer_has_its_reason(void **state)
{
	static const struct {
		const char *password;
		enum reason reason;
		const char *text;
	} answers[] = {
	    {"Right", REASON_OK, ""},
	    {"Wrong", REASON_PASSWORD_WRONG, "as PAM says"},
	    {"Unknown", REASON_USER_UNKNOWN, ""},
	    {"Locked", REASON_ACCOUNT_DENIED, ""},
	    {"Other", REASON_USER_CHANGED, ""},
	    {"Broken", REASON_CHECKER_LOST, ""},
	};
	struct world world;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
		begin(&world, 1);
		struct told told = ask(&world, answers[i].password);

		assert_told(&told, answers[i].reason);
		assert_string_equal(told.text, answers[i].text);
		end(&world);
	}
}

static void
what_may_not_be_asked_is_not_asked(void **state)
{
	struct world world;
	struct told told;

	(void)state;
	begin(&world, 1);
	assert_null(ask_about(&world, "", "Right", &told));
	assert_null(ask_about(&world, "alice", "", &told));
	assert_null(ask_about(&world, "../alice", "Right", &told));
	turn(&world);
	assert_int_equal(world.checkers[0].asked, 0);
	end(&world);
}

static void
without_a_checker_it_is_busy(void **state)
{
	struct world world;
	begin(&world, 0);
	struct told told = ask(&world, "Right");

	(void)state;
	assert_told(&told, REASON_CHECKER_BUSY);
	end(&world);
}

static void
one_that_dies_loses_what_it_held_and_is_asked_again_later(void **state)
{
	struct world world;
	struct told told;

	(void)state;
	begin(&world, 1);
	assert_non_null(ask_about(&world, "alice", "Hold", &told));
	turn(&world);
	scripted_checker_fini(&world.checkers[0]);
	turn(&world);
	assert_told(&told, REASON_CHECKER_LOST);
	link_checker(&world, 0);
	told = ask(&world, "Right");
	assert_told(&told, REASON_OK);
	end(&world);
}

static void
a_silent_one_is_probed_and_avoided(void **state)
{
	struct world world;
	struct told told;

	(void)state;
	begin(&world, 1);
	world.checkers[0].is_silent = true;
	assert_non_null(ask_about(&world, "alice", "Right", &told));
	wait_for_timeouts(&world);
	assert_told(&told, REASON_CHECKER_TIMEOUT);
	assert_int_equal(world.checkers[0].probes, 1);
	told = ask(&world, "Right");
	assert_told(&told, REASON_CHECKER_BUSY);
	link_checker(&world, 1);
	told = ask(&world, "Right");
	assert_told(&told, REASON_OK);
	assert_int_equal(world.checkers[0].asked, 1);
	end(&world);
}

static void
a_new_timeout_counts_from_the_next_question_on(void **state)
{
	struct world world;
	struct told told;

	(void)state;
	begin(&world, 1);
	passwords_set_timeout(world.passwords, 60000);
	assert_non_null(ask_about(&world, "alice", "Hold", &told));
	wait_for_timeouts(&world);
	assert_int_equal(told.count, 0);
	scripted_checker_answer(&world.checkers[0], 'R');
	turn(&world);
	assert_told(&told, REASON_OK);
	end(&world);
}

static void
called_off_it_says_nothing(void **state)
{
	struct world world;
	struct told told;
	struct password_check *check;

	(void)state;
	begin(&world, 1);
	check = ask_about(&world, "alice", "Hold", &told);
	turn(&world);
	password_check_cancel(check);
	scripted_checker_answer(&world.checkers[0], 'R');
	turn(&world);
	assert_int_equal(told.count, 0);
	assert_false(world.checkers[0].is_gone);
	password_check_cancel(NULL);
	end(&world);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_checker_sees_name_password_and_client),
	    cmocka_unit_test(each_answer_has_its_reason),
	    cmocka_unit_test(what_may_not_be_asked_is_not_asked),
	    cmocka_unit_test(without_a_checker_it_is_busy),
	    cmocka_unit_test(
		one_that_dies_loses_what_it_held_and_is_asked_again_later),
	    cmocka_unit_test(a_silent_one_is_probed_and_avoided),
	    cmocka_unit_test(a_new_timeout_counts_from_the_next_question_on),
	    cmocka_unit_test(called_off_it_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
