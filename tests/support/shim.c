/* SPDX-License-Identifier: ISC */
/* A network that loses, repeats, delays, changes and replays datagrams. */
#include "tests/support/shim.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define TICKS	(SHIM_DELAY_MAX + 1)
#define HISTORY 8192 /* sent datagrams that can be replayed; a power of two */

struct held {
	struct held *next;
	uint64_t number;
	enum shim_kind kind;
	size_t len;
	uint8_t octets[];
};

struct queue {
	struct held *first, **last;
};

struct sent {
	size_t len;
	uint8_t octets[SHIM_LEN_MAX];
};

struct fate {
	bool has_arrived; /* a copy that was not forged */
	bool is_due;
	uint8_t delivered; /* how often; 255 is many */
};

struct shim {
	uint64_t count, sent, tick;
	uint64_t random;
	size_t unprotected;
	uint64_t highest; /* that has arrived, plus one */
	size_t held;
	uint64_t lost, arrived[SHIM_KIND_COUNT];
	struct queue queues[TICKS]; /* by tick modulo TICKS */
	struct held *current;	    /* handed out last */
	struct sent *history;
	struct fate *fates; /* by number */
};

struct shim *
shim_new(uint64_t count, unsigned seed, size_t unprotected)
{
	struct shim *shim = must_alloc(1, sizeof(*shim));

	shim->count = count;
	shim->random = seed;
	shim->unprotected = unprotected;
	shim->history = must_alloc(HISTORY, sizeof(*shim->history));
	shim->fates = must_alloc(count, sizeof(*shim->fates));
	for (size_t i = 0; i < TICKS; i++)
		shim->queues[i].last = &shim->queues[i].first;
	return shim;
}

void
shim_free(struct shim *shim)
{
	if (shim == NULL)
		return;
	must(shim->held == 0);
	free(shim->current);
	free(shim->history);
	free(shim->fates);
	free(shim);
}

/* splitmix64: the same everywhere. */
static uint64_t
draw(struct shim *shim, uint64_t below)
{
	uint64_t z = shim->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

/* Mostly none; sometimes near the edge of the window and beyond. */
static uint64_t
draw_delay(struct shim *shim)
{
	static const struct {
		unsigned per_mille;
		uint64_t least, most;
	} rows[] = {
	    {200, 1, 8},
	    {80, 9, 200},
	    {14, 201, SHIM_WINDOW - 1},
	    {6, SHIM_WINDOW, SHIM_DELAY_MAX},
	};
	uint64_t chance = draw(shim, 1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (chance < rows[i].per_mille)
			return rows[i].least +
			       draw(shim, rows[i].most - rows[i].least + 1);
		chance -= rows[i].per_mille;
	}
	return 0;
}

static struct held *
enqueue(struct shim *shim, uint64_t number, enum shim_kind kind, uint64_t delay)
{
	const struct sent *sent = &shim->history[number % HISTORY];
	struct queue *queue = &shim->queues[(shim->tick + delay) % TICKS];
	struct held *held = must_alloc(1, sizeof(*held) + sent->len);

	held->number = number;
	held->kind = kind;
	held->len = sent->len;
	memcpy(held->octets, sent->octets, sent->len);
	*queue->last = held;
	queue->last = &held->next;
	shim->held++;
	return held;
}

static void
send_copies(struct shim *shim, uint64_t number)
{
	static const unsigned extra_per_mille[] = {100, 200, 300};

	if (draw(shim, 1000) < 50) {
		shim->lost++;
		return;
	}
	(void)enqueue(shim, number, SHIM_GENUINE, draw_delay(shim));
	/* One more, and another, and another. */
	for (size_t i = 0; i < 3; i++) {
		if (draw(shim, 1000) >= extra_per_mille[i])
			return;
		(void)enqueue(shim, number, SHIM_GENUINE, draw_delay(shim));
	}
}

static void
send_replay(struct shim *shim, uint64_t number, enum shim_kind kind,
    uint64_t age, unsigned per_mille)
{
	if (draw(shim, 1000) < per_mille && number >= age)
		(void)enqueue(shim, number - age, kind, 0);
}

static void
send_forged(struct shim *shim, uint64_t number)
{
	struct held *held;
	uint64_t bit;

	if (draw(shim, 1000) >= 10)
		return;
	held = enqueue(shim, number, SHIM_FORGED, draw(shim, 3));
	bit = draw(shim, (held->len - 2) * 8);
	if (bit >= shim->unprotected * 8)
		bit += 2 * 8;
	held->octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

void
shim_send(struct shim *shim, const uint8_t *octets, size_t len)
{
	uint64_t number = shim->sent++;
	struct sent *sent = &shim->history[number % HISTORY];

	must(number < shim->count && len >= shim->unprotected + 2);
	must(len <= SHIM_LEN_MAX);
	if (number > 0)
		(void)shim_wait(shim);
	memcpy(sent->octets, octets, len);
	sent->len = len;
	send_copies(shim, number);
	send_forged(shim, number);
	send_replay(shim, number, SHIM_REPLAY_90, 90, 20);
	send_replay(shim, number, SHIM_REPLAY_2000, 2000, 20);
	send_replay(
	    shim, number, SHIM_REPLAY_ANY, 1 + draw(shim, HISTORY - 1), 10);
}

bool
shim_wait(struct shim *shim)
{
	must(shim->queues[shim->tick % TICKS].first == NULL);
	shim->tick++;
	return shim->held > 0;
}

/* Is it the first of its number, and near enough to the newest? */
static bool
note_arrival(struct shim *shim, uint64_t number)
{
	struct fate *fate = &shim->fates[number];

	if (fate->has_arrived)
		return false;
	fate->has_arrived = true;
	fate->is_due = number + SHIM_WINDOW >= shim->highest;
	if (number >= shim->highest)
		shim->highest = number + 1;
	return fate->is_due;
}

bool
shim_arrive(struct shim *shim, struct shim_arrival *arrival)
{
	struct queue *queue = &shim->queues[shim->tick % TICKS];
	struct held *held = queue->first;

	free(shim->current);
	shim->current = held;
	if (held == NULL)
		return false;
	queue->first = held->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	shim->held--;
	shim->arrived[held->kind]++;
	*arrival = (struct shim_arrival){
	    .number = held->number,
	    .kind = held->kind,
	    .octets = held->octets,
	    .len = held->len,
	};
	if (held->kind != SHIM_FORGED)
		arrival->is_due = note_arrival(shim, held->number);
	return true;
}

void
shim_delivered(struct shim *shim, uint64_t number)
{
	must(number < shim->count);
	if (shim->fates[number].delivered < UINT8_MAX)
		shim->fates[number].delivered++;
}

bool
shim_report(const struct shim *shim, const char *title, FILE *out)
{
	uint64_t due = 0, due_delivered = 0, late = 0, late_delivered = 0;
	uint64_t twice = 0, unsent = 0;
	bool is_good;

	for (uint64_t i = 0; i < shim->sent; i++) {
		const struct fate *fate = &shim->fates[i];

		twice += fate->delivered > 1;
		unsent += fate->delivered > 0 && !fate->has_arrived;
		due += fate->is_due;
		due_delivered += fate->is_due && fate->delivered > 0;
		late += fate->has_arrived && !fate->is_due;
		late_delivered +=
		    fate->has_arrived && !fate->is_due && fate->delivered > 0;
	}
	is_good = twice == 0 && unsent == 0 && due > 0 &&
		  due_delivered >= due - due / 1000;
	fprintf(out,
	    "%s: %s\n"
	    "  sent %ju, lost %ju; arrived %ju and copies, replays from 90 "
	    "ago %ju, from 2000 ago %ju, from any time %ju, forged %ju\n"
	    "  delivered twice %ju; delivered without having arrived %ju\n"
	    "  within %d of the newest %ju, of these delivered %ju (%.4f %%)\n"
	    "  later than that %ju, of these delivered %ju\n",
	    title, is_good ? "good" : "BAD", (uintmax_t)shim->sent,
	    (uintmax_t)shim->lost, (uintmax_t)shim->arrived[SHIM_GENUINE],
	    (uintmax_t)shim->arrived[SHIM_REPLAY_90],
	    (uintmax_t)shim->arrived[SHIM_REPLAY_2000],
	    (uintmax_t)shim->arrived[SHIM_REPLAY_ANY],
	    (uintmax_t)shim->arrived[SHIM_FORGED], (uintmax_t)twice,
	    (uintmax_t)unsent, SHIM_WINDOW, (uintmax_t)due,
	    (uintmax_t)due_delivered,
	    due == 0 ? 0.0 : 100.0 * (double)due_delivered / (double)due,
	    (uintmax_t)late, (uintmax_t)late_delivered);
	return is_good;
}
