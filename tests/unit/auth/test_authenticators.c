/* SPDX-License-Identifier: ISC */
/* The pool: who gets a token, and what becomes of the answer. */
#include "tests/support/unit.h"

#include "auth/authenticators.h"

#include <string.h>

#include <event2/event.h>

#include "auth/authenticator_protocol.h"
#include "base/clock.h"
#include "tests/support/scripted_authenticator.h"

#define TIMEOUT_MS 250
#define TURNS_MAX  60

struct world {
	struct event_base *base;
	struct authenticators *pool;
	struct scripted_authenticator helpers[2];
};

/* What one acceptance was told. */
struct told {
	unsigned count;
	enum acceptance_outcome outcome;
	enum reason reason;
	char text[64], token[64], exported[64];
	struct identity identity;
	uint32_t flags;
	struct acceptance **frees; /* in the callback, if not NULL */
};

static void
link_helper(struct world *world, uint32_t index)
{
	int fd;

	scripted_authenticator_init(&world->helpers[index], world->base, &fd);
	authenticators_link(world->pool, index, fd);
}

/* In place: links point into it. */
static void
begin(struct world *world, uint32_t helpers)
{
	memset(world, 0, sizeof(*world));
	world->base = event_base_new();
	world->pool = authenticators_new(world->base, TIMEOUT_MS);
	assert_non_null(world->pool);
	for (uint32_t i = 0; i < helpers; i++)
		link_helper(world, i);
}

static void
end(struct world *world)
{
	authenticators_free(world->pool);
	for (size_t i = 0; i < ARRAY_COUNT(world->helpers); i++)
		scripted_authenticator_fini(&world->helpers[i]);
	event_base_free(world->base);
}

/* Lets everybody say what they have to say. */
static void
turn(struct world *world)
{
	for (int i = 0; i < TURNS_MAX; i++)
		(void)event_base_loop(
		    world->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

/* Until questions have timed out. */
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
copy(char *out, size_t size, const uint8_t *data, size_t len)
{
	assert_true(len < size);
	if (len > 0)
		memcpy(out, data, len);
	out[len] = '\0';
}

static void
on_told(void *arg, const struct acceptance_answer *answer)
{
	struct told *told = arg;

	told->count++;
	told->outcome = answer->outcome;
	told->reason = answer->reason;
	told->identity = answer->identity;
	told->flags = answer->flags;
	copy(told->text, sizeof(told->text), (const uint8_t *)answer->text,
	    strlen(answer->text));
	copy(
	    told->token, sizeof(told->token), answer->token, answer->token_len);
	copy(told->exported, sizeof(told->exported), answer->exported,
	    answer->exported_len);
	if (told->frees != NULL) {
		acceptance_free(*told->frees);
		*told->frees = NULL;
	}
}

static struct acceptance *
step(struct world *world, struct acceptance *acceptance, const char *token,
    struct told *told)
{
	unsigned before = told->count;

	acceptance = acceptance_step(world->pool, acceptance, false, token,
	    strlen(token), on_told, told);
	assert_non_null(acceptance);
	assert_int_equal(told->count, before); /* never inside of the call */
	return acceptance;
}

/* One token, its answer, and the end. */
static struct told
ask(struct world *world, const char *token)
{
	struct told told = {0};
	struct acceptance *acceptance = step(world, NULL, token, &told);

	turn(world);
	acceptance_free(acceptance);
	return told;
}

static void
assert_failed(const struct told *told, enum reason reason)
{
	assert_int_equal(told->count, 1);
	assert_int_equal(told->outcome, ACCEPTANCE_FAILED);
	assert_string_equal(reason_name(told->reason), reason_name(reason));
}

/* ---- answers ---- */

static void
a_finished_context_comes_with_its_identity(void **state)
{
	struct world world;
	begin(&world, 1);
	uint64_t before_us = clock_monotonic_us();
	struct told told = ask(&world, "Done");

	(void)state;
	assert_int_equal(told.count, 1);
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	assert_string_equal(told.token, "ok");
	assert_string_equal(told.exported, "TOY");
	assert_string_equal(told.identity.name, "alice@EXAMPLE.COM");
	assert_string_equal(told.identity.mechanism, "krb5");
	assert_int_equal(told.identity.method, METHOD_GSSAPI);
	assert_int_equal(told.flags, world.helpers[0].flags);
	assert_true(told.identity.expires_us >= before_us + 1000000 &&
		    told.identity.expires_us <= clock_monotonic_us() + 1000000);
	/* It has nothing more to forget. */
	turn(&world);
	assert_int_equal(world.helpers[0].forgets, 0);
	end(&world);
}

static void
an_endless_lifetime_does_not_wrap_around(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told;

	(void)state;
	world.helpers[0].lifetime_us = UINT64_MAX;
	told = ask(&world, "Done");
	assert_true(told.identity.expires_us == UINT64_MAX);
	end(&world);
}

static void
a_failure_brings_reason_text_and_token(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = ask(&world, "Failed");

	(void)state;
	assert_failed(&told, REASON_GSS_CLOCK_SKEW);
	assert_string_equal(told.text, "too late");
	assert_string_equal(told.token, "error");
	end(&world);
}

static void
an_answer_that_cannot_be_read_is_a_lost_one(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = ask(&world, "Broken");

	(void)state;
	assert_failed(&told, REASON_AUTH_LOST);
	end(&world);
}

static void
an_acceptance_stays_with_its_authenticator(void **state)
{
	struct world world;
	begin(&world, 2);
	struct told told = {0}, other = {0};
	struct acceptance *acceptance = step(&world, NULL, "Continue", &told);
	struct acceptance *held;
	struct scripted_authenticator *its;
	unsigned before, firsts;

	(void)state;
	turn(&world);
	assert_int_equal(told.outcome, ACCEPTANCE_CONTINUE);
	assert_string_equal(told.token, "more");
	its =
	    world.helpers[0].steps == 1 ? &world.helpers[0] : &world.helpers[1];
	/* Somebody else's question may make it the busier one. */
	held = step(&world, NULL, "Hold", &other);
	turn(&world);
	before = its->steps;
	firsts = its->firsts;
	for (int i = 0; i < 3; i++) {
		acceptance = step(&world, acceptance, "Continue", &told);
		turn(&world);
	}
	assert_int_equal(its->steps, before + 3);
	assert_int_equal(its->firsts, firsts);
	acceptance = step(&world, acceptance, "Done", &told);
	turn(&world);
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	assert_int_equal(told.count, 5);
	acceptance_free(acceptance);
	acceptance_free(held);
	end(&world);
}

static void
it_may_be_freed_in_its_callback(void **state)
{
	struct world world;
	begin(&world, 1);
	struct acceptance *acceptance;
	struct told told = {.frees = &acceptance};

	(void)state;
	acceptance = step(&world, NULL, "Done", &told);
	turn(&world);
	assert_int_equal(told.count, 1);
	assert_null(acceptance);
	acceptance = step(&world, NULL, "Continue", &told);
	turn(&world);
	assert_int_equal(told.count, 2);
	turn(&world);
	assert_int_equal(world.helpers[0].forgets, 1);
	end(&world);
}

/* ---- whom to ask ---- */

static void
tokens_go_to_the_one_with_least_to_do(void **state)
{
	struct world world;
	begin(&world, 2);
	struct acceptance *acceptances[8];
	struct told told[8] = {{0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(acceptances); i++)
		acceptances[i] = step(&world, NULL, "Hold", &told[i]);
	turn(&world);
	assert_int_equal(world.helpers[0].steps, 4);
	assert_int_equal(world.helpers[1].steps, 4);
	for (size_t i = 0; i < ARRAY_COUNT(acceptances); i++)
		acceptance_free(acceptances[i]);
	end(&world);
}

static void
without_any_authenticator_it_is_lost(void **state)
{
	struct world world;
	begin(&world, 0);
	struct told told = ask(&world, "Done");

	(void)state;
	assert_failed(&told, REASON_AUTH_LOST);
	end(&world);
}

static void
without_any_authenticator_the_callback_can_be_called_off(void **state)
{
	struct world world;
	begin(&world, 0);
	struct told told = {0};

	(void)state;
	acceptance_free(step(&world, NULL, "Done", &told));
	turn(&world);
	assert_int_equal(told.count, 0);
	end(&world);
}

/* ---- authenticators that die ---- */

static void
death_fails_the_questions_that_it_held(void **state)
{
	struct world world;
	begin(&world, 2);
	struct told told[4] = {{0}};
	struct acceptance *acceptances[4];
	unsigned lost = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(told); i++)
		acceptances[i] = step(&world, NULL, "Hold", &told[i]);
	turn(&world);
	scripted_authenticator_fini(&world.helpers[0]);
	turn(&world);
	for (size_t i = 0; i < ARRAY_COUNT(told); i++) {
		lost += told[i].count;
		if (told[i].count > 0)
			assert_failed(&told[i], REASON_AUTH_LOST);
		acceptance_free(acceptances[i]);
	}
	assert_int_equal(lost, 2);
	/* The other one serves on. */
	told[0] = ask(&world, "Done");
	assert_int_equal(told[0].outcome, ACCEPTANCE_DONE);
	end(&world);
}

static void
a_context_dies_with_its_authenticator_between_two_tokens(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = {0};
	struct acceptance *acceptance = step(&world, NULL, "Continue", &told);

	(void)state;
	turn(&world);
	scripted_authenticator_fini(&world.helpers[0]);
	turn(&world);
	link_helper(&world, 0); /* a new one does not know it */
	told.count = 0;
	acceptance = step(&world, acceptance, "Done", &told);
	turn(&world);
	assert_failed(&told, REASON_AUTH_LOST);
	assert_int_equal(world.helpers[0].steps, 0);
	acceptance_free(acceptance);
	end(&world);
}

static void
one_that_was_linked_anew_is_asked_again(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told;

	(void)state;
	scripted_authenticator_fini(&world.helpers[0]);
	told = ask(&world, "Done");
	assert_failed(&told, REASON_AUTH_LOST);
	link_helper(&world, 0);
	told = ask(&world, "Done");
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	end(&world);
}

/* The old one's other end stays open, as a stopped program's would. */
static void
a_new_link_replaces_the_old_one(void **state)
{
	struct world world;
	begin(&world, 1);
	struct scripted_authenticator next;
	struct told told = {0};
	struct acceptance *acceptance = step(&world, NULL, "Hold", &told);
	int fd;

	(void)state;
	turn(&world);
	scripted_authenticator_init(&next, world.base, &fd);
	authenticators_link(world.pool, 0, fd);
	assert_failed(&told, REASON_AUTH_LOST);
	acceptance_free(acceptance);
	told = ask(&world, "Done");
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	assert_int_equal(next.steps, 1);
	assert_true(world.helpers[0].is_gone);
	scripted_authenticator_fini(&next);
	end(&world);
}

static void
the_pool_may_go_before_its_acceptances(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = {0}, held = {0};
	struct acceptance *half = step(&world, NULL, "Continue", &told);
	struct acceptance *asked;

	(void)state;
	turn(&world);
	asked = step(&world, NULL, "Hold", &held);
	authenticators_free(world.pool);
	world.pool = NULL;
	assert_failed(&held, REASON_AUTH_LOST);
	acceptance_free(half);
	acceptance_free(asked);
	end(&world);
}

/* ---- authenticators that hang ---- */

static void
a_silent_one_is_avoided_until_it_answers_again(void **state)
{
	struct world world;
	begin(&world, 2);
	struct scripted_authenticator *silent = &world.helpers[0];
	struct told told = {0};
	struct acceptance *acceptance;
	unsigned before;

	(void)state;
	world.helpers[0].is_silent = world.helpers[1].is_silent = true;
	acceptance = step(&world, NULL, "Done", &told);
	wait_for_timeouts(&world);
	assert_failed(&told, REASON_AUTH_TIMEOUT);
	acceptance_free(acceptance);
	if (world.helpers[1].steps > 0)
		silent = &world.helpers[1];
	world.helpers[silent == &world.helpers[0]].is_silent = false;
	turn(&world);
	assert_int_equal(silent->probes, 1);
	assert_int_equal(silent->forgets, 1);
	assert_true(silent->forgotten == silent->last_acceptance);

	before = silent->steps;
	for (int i = 0; i < 3; i++) {
		told = ask(&world, "Done");
		assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	}
	assert_int_equal(silent->steps, before);

	/* It goes on, and answers the probe. */
	silent->is_silent = false;
	scripted_authenticator_answer(silent, 0);
	turn(&world);
	for (int i = 0; i < 2; i++) {
		memset(&told, 0, sizeof(told));
		acceptance = step(&world, NULL, "Hold", &told);
		(void)ask(&world, "Done");
		acceptance_free(acceptance);
	}
	assert_true(silent->steps > before);
	end(&world);
}

static void
when_all_are_silent_it_is_busy_at_once(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = {0};
	struct acceptance *acceptance;

	(void)state;
	world.helpers[0].is_silent = true;
	acceptance = step(&world, NULL, "Done", &told);
	wait_for_timeouts(&world);
	acceptance_free(acceptance);
	told = ask(&world, "Done");
	assert_failed(&told, REASON_AUTH_BUSY);
	end(&world);
}

static void
a_question_that_was_called_off_is_forgotten_there_too(void **state)
{
	struct world world;
	begin(&world, 1);
	struct told told = {0};
	struct acceptance *acceptance = step(&world, NULL, "Hold", &told);

	(void)state;
	turn(&world);
	acceptance_free(acceptance);
	turn(&world);
	assert_int_equal(world.helpers[0].forgets, 1);
	/* Its late answer is dropped quietly. */
	scripted_authenticator_answer(&world.helpers[0], 'D');
	turn(&world);
	assert_int_equal(told.count, 0);
	assert_false(world.helpers[0].is_gone);
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_finished_context_comes_with_its_identity),
	    cmocka_unit_test(an_endless_lifetime_does_not_wrap_around),
	    cmocka_unit_test(a_failure_brings_reason_text_and_token),
	    cmocka_unit_test(an_answer_that_cannot_be_read_is_a_lost_one),
	    cmocka_unit_test(an_acceptance_stays_with_its_authenticator),
	    cmocka_unit_test(it_may_be_freed_in_its_callback),
	    cmocka_unit_test(tokens_go_to_the_one_with_least_to_do),
	    cmocka_unit_test(without_any_authenticator_it_is_lost),
	    cmocka_unit_test(
		without_any_authenticator_the_callback_can_be_called_off),
	    cmocka_unit_test(death_fails_the_questions_that_it_held),
	    cmocka_unit_test(
		a_context_dies_with_its_authenticator_between_two_tokens),
	    cmocka_unit_test(one_that_was_linked_anew_is_asked_again),
	    cmocka_unit_test(a_new_link_replaces_the_old_one),
	    cmocka_unit_test(the_pool_may_go_before_its_acceptances),
	    cmocka_unit_test(a_silent_one_is_avoided_until_it_answers_again),
	    cmocka_unit_test(when_all_are_silent_it_is_busy_at_once),
	    cmocka_unit_test(
		a_question_that_was_called_off_is_forgotten_there_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
