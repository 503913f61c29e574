/* SPDX-License-Identifier: ISC */
/* A sliding window over the numbers of messages. */
#include "base/replay_window.h"

#include <string.h>

#include "base/must.h"

void
replay_window_init(struct replay_window *window, uint64_t first)
{
	window->next = first;
	memset(window->seen, 0xff, sizeof(window->seen));
}

static uint64_t *
word_of(struct replay_window *window, uint64_t number)
{
	return &window->seen[number % REPLAY_WINDOW_SIZE / 64];
}

static uint64_t
bit_of(uint64_t number)
{
	return UINT64_C(1) << number % 64;
}

bool
replay_window_may_pass(const struct replay_window *window, uint64_t number)
{
	if (number >= window->next)
		return number != UINT64_MAX;
	if (window->next - number > REPLAY_WINDOW_SIZE)
		return false;
	return (window->seen[number % REPLAY_WINDOW_SIZE / 64] &
		   bit_of(number)) == 0;
}

/* Moves on so that `next` is the next one; what was skipped may come yet. */
static void
advance(struct replay_window *window, uint64_t next)
{
	if (next - window->next >= REPLAY_WINDOW_SIZE)
		memset(window->seen, 0, sizeof(window->seen));
	else
		for (uint64_t i = window->next; i < next; i++)
			*word_of(window, i) &= ~bit_of(i);
	window->next = next;
}

void
replay_window_commit(struct replay_window *window, uint64_t number)
{
	must(replay_window_may_pass(window, number));
	if (number >= window->next)
		advance(window, number + 1);
	*word_of(window, number) |= bit_of(number);
}
