/* SPDX-License-Identifier: ISC */
/* How often passwords may be tried, counted before anybody is asked. */
#include "auth/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/siphash.h"

#define NAME_MAX_OCTETS 255 /* RFC 1929 */
#define SOURCE_OCTETS	9   /* family, /64 or the whole IPv4 address */

/* Sources that are known for a name. */
#define KNOWN_US   (UINT64_C(30) * 24 * 3600 * 1000000)
#define KNOWN_SETS 4096
#define KNOWN_WAYS 8

struct known {
	uint64_t pair; /* 0: none */
	uint64_t proved_us;
};

struct throttle {
	uint8_t key[SIPHASH_KEY_SIZE];
	pthread_mutex_t lock;
	/* Below: locked. */
	struct buckets *pairs, *names, *sources;
	/* By name, so that whoever floods their own name with sources
	 * presses out few others'. */
	struct known known[KNOWN_SETS][KNOWN_WAYS];
};

/* ---- beginning and end ---- */

struct throttle *
throttle_new(void)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (throttle == NULL)
		return NULL;
	must(pthread_mutex_init(&throttle->lock, NULL) == 0);
	throttle->pairs = buckets_new();
	throttle->names = buckets_new();
	throttle->sources = buckets_new();
	if (throttle->pairs == NULL || throttle->names == NULL ||
	    throttle->sources == NULL ||
	    getrandom(throttle->key, sizeof(throttle->key), 0) !=
		(ssize_t)sizeof(throttle->key)) {
		throttle_free(throttle);
		return NULL;
	}
	return throttle;
}

void
throttle_free(struct throttle *throttle)
{
	if (throttle == NULL)
		return;
	buckets_free(throttle->pairs);
	buckets_free(throttle->names);
	buckets_free(throttle->sources);
	(void)pthread_mutex_destroy(&throttle->lock);
	free(throttle);
}

static void
lock(struct throttle *throttle)
{
	must(pthread_mutex_lock(&throttle->lock) == 0);
}

static void
unlock(struct throttle *throttle)
{
	must(pthread_mutex_unlock(&throttle->lock) == 0);
}

/* ---- keys ---- */

static uint64_t
make_key(const struct throttle *throttle, const void *data, size_t len)
{
	uint64_t key = siphash(throttle->key, data, len);

	return key == 0 ? 1 : key; /* 0 is no key */
}

static void
print_source(uint8_t out[SOURCE_OCTETS], const struct address *source)
{
	out[0] = (uint8_t)source->family;
	memcpy(out + 1, source->bytes, SOURCE_OCTETS - 1);
}

static uint8_t
fold(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

struct throttle_attempt
throttle_attempt(const struct throttle *throttle, const void *name, size_t len,
    const struct address *source)
{
	uint8_t data[SOURCE_OCTETS + NAME_MAX_OCTETS];
	const uint8_t *octets = name;
	struct throttle_attempt attempt = {.is_known = false};

	must(len <= NAME_MAX_OCTETS);
	print_source(data, source);
	for (size_t i = 0; i < len; i++)
		data[SOURCE_OCTETS + i] = fold(octets[i]);
	attempt.source = make_key(throttle, data, SOURCE_OCTETS);
	attempt.name = make_key(throttle, data + SOURCE_OCTETS, len);
	attempt.pair = make_key(throttle, data, SOURCE_OCTETS + len);
	return attempt;
}

/* ---- sources that are known for a name; locked ---- */

static bool
is_known(const struct throttle *throttle,
    const struct throttle_attempt *attempt, uint64_t now_us)
{
	const struct known *set = throttle->known[attempt->name % KNOWN_SETS];

	for (size_t i = 0; i < KNOWN_WAYS; i++)
		if (set[i].pair == attempt->pair)
			return now_us - set[i].proved_us < KNOWN_US;
	return false;
}

/* In the place of itself, or of the one that was proved longest ago. */
static void
make_known(struct throttle *throttle, const struct throttle_attempt *attempt,
    uint64_t now_us)
{
	struct known *set = throttle->known[attempt->name % KNOWN_SETS];
	struct known *place = &set[0];

	for (size_t i = 0; i < KNOWN_WAYS; i++) {
		if (set[i].pair == attempt->pair) {
			place = &set[i];
			break;
		}
		if (set[i].proved_us < place->proved_us)
			place = &set[i];
	}
	*place = (struct known){.pair = attempt->pair, .proved_us = now_us};
}

/* ---- one try ---- */

/* The budgets that one try draws on. */
struct draw {
	struct buckets *buckets;
	uint64_t key;
	const struct budget *budget;
};
#define DRAWS_MAX 3

static size_t
list_draws(struct throttle *throttle, const struct throttle_budgets *budgets,
    const struct throttle_attempt *attempt, struct draw draws[DRAWS_MAX])
{
	draws[0] =
	    (struct draw){throttle->pairs, attempt->pair, &budgets->pair};
	draws[1] =
	    (struct draw){throttle->names, attempt->name, &budgets->name};
	draws[2] =
	    (struct draw){throttle->sources, attempt->source, &budgets->source};
	return attempt->is_known ? 1 : DRAWS_MAX;
}

/* All places are held, or none. */
static bool
hold(const struct draw *draws, size_t count, uint64_t now_us)
{
	for (size_t i = 0; i < count; i++) {
		if (buckets_begin(draws[i].buckets, draws[i].key, now_us))
			continue;
		while (i-- > 0)
			buckets_end(draws[i].buckets, draws[i].key,
			    draws[i].budget, false, now_us);
		return false;
	}
	return true;
}

static enum throttle_verdict
judge(const struct draw *draws, size_t count, uint64_t now_us)
{
	enum throttle_verdict verdict = THROTTLE_GO;

	for (size_t i = 0; i < count; i++) {
		switch (buckets_look(
		    draws[i].buckets, draws[i].key, draws[i].budget, now_us)) {
		case BUCKET_FREE:
			break;
		case BUCKET_PENDING:
			verdict = THROTTLE_WAIT;
			break;
		case BUCKET_EMPTY:
			return THROTTLE_REFUSE;
		}
	}
	return verdict;
}

enum throttle_verdict
throttle_begin(struct throttle *throttle,
    const struct throttle_budgets *budgets, struct throttle_attempt *attempt)
{
	uint64_t now_us = clock_monotonic_us();
	struct draw draws[DRAWS_MAX];
	enum throttle_verdict verdict;
	size_t count;

	must(!attempt->is_under_way);
	lock(throttle);
	attempt->is_known = is_known(throttle, attempt, now_us);
	count = list_draws(throttle, budgets, attempt, draws);
	verdict = judge(draws, count, now_us);
	if (verdict == THROTTLE_GO && !hold(draws, count, now_us))
		verdict = THROTTLE_WAIT;
	attempt->is_under_way = verdict == THROTTLE_GO;
	unlock(throttle);
	return verdict;
}

void
throttle_end(struct throttle *throttle, const struct throttle_budgets *budgets,
    struct throttle_attempt *attempt, enum throttle_outcome outcome)
{
	uint64_t now_us = clock_monotonic_us();
	struct draw draws[DRAWS_MAX];
	size_t count;

	if (!attempt->is_under_way)
		return;
	attempt->is_under_way = false;
	lock(throttle);
	count = list_draws(throttle, budgets, attempt, draws);
	for (size_t i = 0; i < count; i++)
		buckets_end(draws[i].buckets, draws[i].key, draws[i].budget,
		    outcome == THROTTLE_FAILED, now_us);
	if (outcome == THROTTLE_PROVED)
		make_known(throttle, attempt, now_us);
	unlock(throttle);
}

uint32_t
throttle_failures(struct throttle *throttle,
    const struct throttle_budgets *budgets,
    const struct throttle_attempt *attempt)
{
	uint64_t now_us = clock_monotonic_us();
	uint32_t pair, source;

	lock(throttle);
	pair = buckets_debt(
	    throttle->pairs, attempt->pair, &budgets->pair, now_us);
	source = buckets_debt(
	    throttle->sources, attempt->source, &budgets->source, now_us);
	unlock(throttle);
	return pair > source ? pair : source;
}

void
throttle_blame(struct throttle *throttle,
    const struct throttle_budgets *budgets, const struct address *source)
{
	uint64_t now_us = clock_monotonic_us();
	struct throttle_attempt attempt =
	    throttle_attempt(throttle, "", 0, source);

	lock(throttle);
	/* An empty one is not made emptier: it refills as it would. */
	if (buckets_look(throttle->sources, attempt.source, &budgets->source,
		now_us) == BUCKET_FREE &&
	    buckets_begin(throttle->sources, attempt.source, now_us))
		buckets_end(throttle->sources, attempt.source, &budgets->source,
		    true, now_us);
	unlock(throttle);
}
