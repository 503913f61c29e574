/* SPDX-License-Identifier: ISC */
/* Tests the replay window: by table, and against a model that keeps all. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/replay_window.h"

#define SIZE ((uint64_t)REPLAY_WINDOW_SIZE)

static bool
pass(struct replay_window *window, uint64_t number)
{
	if (!replay_window_may_pass(window, number))
		return false;
	/* Asking changes nothing. */
	assert_true(replay_window_may_pass(window, number));
	replay_window_commit(window, number);
	return true;
}

static void
numbers_pass_once_and_the_old_never(void **state)
{
	/* Of one window that began at 100. */
	static const struct {
		uint64_t number;
		bool passes;
	} rows[] = {
	    {99, false}, /* before the beginning */
	    {0, false},
	    {100, true},
	    {100, false},
	    {103, true}, /* a gap, and what fills it */
	    {101, true},
	    {102, true},
	    {101, false},
	    {99, false},
	    {103 + SIZE, true}, /* a gap as wide as the window */
	    {103, false},	/* seen, and just too old */
	    {104, true},	/* the oldest that is remembered */
	    {104, false},
	    {105 + SIZE, true}, /* moves it by two */
	    {105, false},
	    {106, true},
	    {104 + SIZE, true},
	    {50 * SIZE, true}, /* far away: nothing is left */
	    {50 * SIZE - 1, true},
	    {49 * SIZE + 1, true},
	    {49 * SIZE, false},
	    {105 + SIZE, false},
	    {UINT64_MAX, false}, /* has no next */
	    {UINT64_MAX - 1, true},
	    {UINT64_MAX - 1, false},
	    {UINT64_MAX, false},
	    {UINT64_MAX - 2, true},
	    {UINT64_MAX - SIZE, true},
	    {UINT64_MAX - SIZE - 1, false},
	    {0, false},
	};
	struct replay_window window;

	(void)state;
	replay_window_init(&window, 100);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_int_equal(pass(&window, rows[i].number), rows[i].passes);
}

static void
a_window_may_begin_at_nothing(void **state)
{
	struct replay_window window;

	(void)state;
	replay_window_init(&window, 0);
	assert_true(pass(&window, 5));
	assert_true(pass(&window, 0));
	assert_false(pass(&window, 0));
	assert_false(pass(&window, 5));
}

/* ---- against a model ---- */

#define NUMBERS 20000

/* Whatever has passed, whole. */
struct model {
	uint64_t first, next;
	bool seen[NUMBERS];
};

static bool
model_pass(struct model *model, uint64_t number)
{
	if (number < model->first || model->seen[number - model->first])
		return false;
	if (number < model->next && model->next - number > SIZE)
		return false;
	model->seen[number - model->first] = true;
	if (number >= model->next)
		model->next = number + 1;
	return true;
}

/* A number near the newest, or anywhere. */
static uint64_t
draw(const struct model *model, unsigned reach)
{
	uint64_t offset = model->next - model->first;
	long drift = random() % (2 * (long)reach) - (long)reach;

	if (random() % 500 == 0)
		offset = (uint64_t)random() % NUMBERS;
	else if (drift < 0 && offset < (uint64_t)-drift)
		offset = 0;
	else
		offset += (uint64_t)drift;
	return model->first + (offset < NUMBERS ? offset : NUMBERS - 1);
}

static void
it_agrees_with_a_memory_of_everything(void **state)
{
	static const unsigned reaches[] = {1, 3, 64, 300, REPLAY_WINDOW_SIZE};
	struct model *model = malloc(sizeof(*model));

	(void)state;
	assert_non_null(model);
	srandom(4121);
	for (unsigned round = 0; round < 50; round++) {
		struct replay_window window;

		memset(model, 0, sizeof(*model));
		model->first = round % 2 == 0 ? (uint64_t)random()
					      : UINT64_MAX - NUMBERS - round;
		model->next = model->first;
		replay_window_init(&window, model->first);
		for (unsigned i = 0; i < 4000; i++) {
			uint64_t number =
			    draw(model, reaches[round % ARRAY_COUNT(reaches)]);

			assert_int_equal(
			    pass(&window, number), model_pass(model, number));
		}
	}
	free(model);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_pass_once_and_the_old_never),
	    cmocka_unit_test(a_window_may_begin_at_nothing),
	    cmocka_unit_test(it_agrees_with_a_memory_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
