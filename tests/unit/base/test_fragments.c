/* SPDX-License-Identifier: ISC */
/* Tests the reassembly queue: by story, and against a model. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fragments.h"

#define SECOND_US UINT64_C(1000000)
#define LAST	  FRAGMENTS_LAST

static const struct fragments_limits limits = {
    .octets = 10, .count = 4, .timeout_us = 5 * SECOND_US};

/* ---- memory that runs out ---- */

static bool no_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* ---- stories ---- */

static struct fragments *
begin(void)
{
	struct fragments *fragments = fragments_new(&limits);

	assert_non_null(fragments);
	return fragments;
}

static struct endpoint
destination_of(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, &endpoint));
	return endpoint;
}

/* One step: what is taken, when, and what must come of it. */
struct step {
	uint8_t frag;
	const char *data;
	uint64_t at_us;
	const char *destination; /* NULL: the usual one */
	enum fragments_result result;
	unsigned lost;
	const char *whole; /* of FRAGMENTS_WHOLE */
};

static void
take(struct fragments *fragments, const struct step *step)
{
	struct endpoint destination = destination_of(
	    step->destination != NULL ? step->destination : "192.0.2.1:53");
	struct fragment fragment = {
	    .frag = step->frag,
	    .destination = &destination,
	    .data = (const uint8_t *)step->data,
	    .len = strlen(step->data),
	};
	struct fragments_whole whole;

	assert_int_equal(
	    fragments_take(fragments, &fragment, step->at_us, &whole),
	    step->result);
	assert_int_equal(whole.lost, step->lost);
	if (step->result != FRAGMENTS_WHOLE)
		return;
	assert_int_equal(whole.len, strlen(step->whole));
	if (whole.len > 0)
		assert_memory_equal(whole.data, step->whole, whole.len);
}

static void
tell(const struct step *steps, size_t count)
{
	struct fragments *fragments = begin();

	for (size_t i = 0; i < count; i++)
		take(fragments, &steps[i]);
	fragments_free(fragments);
}

#define TELL(steps) tell(steps, ARRAY_COUNT(steps))
#define HELD	    .result = FRAGMENTS_HELD
#define DROPPED	    .result = FRAGMENTS_DROPPED
#define WHOLE(text) .result = FRAGMENTS_WHOLE, .whole = (text)

static void
what_stands_alone_is_whole(void **state)
{
	static const struct step steps[] = {
	    {0, "alone", WHOLE("alone")},
	    {0, "", WHOLE("")},
	    {0, "more than a sequence may have", /* its limit is no limit */
		WHOLE("more than a sequence may have")},
	};

	(void)state;
	TELL(steps);
}

static void
fragments_in_order_become_one(void **state)
{
	static const struct step steps[] = {
	    {1, "ab", HELD},
	    {2, "", HELD},
	    {LAST | 3, "c", WHOLE("abc")},
	    {LAST | 1, "one", WHOLE("one")},
	    {LAST | 1, "", WHOLE("")},
	    {1, "x", HELD},
	    {LAST | 2, "y", WHOLE("xy")},
	};

	(void)state;
	TELL(steps);
}

static void
a_gap_abandons_the_sequence(void **state)
{
	static const struct step steps[] = {
	    {1, "a", HELD},
	    {3, "c", DROPPED, .lost = 2},
	    {2, "b", DROPPED, .lost = 1},
	    {LAST | 4, "d", DROPPED, .lost = 1},
	};

	(void)state;
	TELL(steps);
}

static void
a_lower_position_abandons_the_sequence(void **state)
{
	static const struct step steps[] = {
	    {1, "a", HELD},
	    {2, "b", HELD},
	    {3, "c", HELD},
	    {2, "b", DROPPED, .lost = 4},
	    {LAST | 4, "d", DROPPED, .lost = 1},
	    {1, "a", HELD},
	    {2, "b", HELD},
	    {1, "A", HELD, .lost = 2}, /* begins anew */
	    {LAST | 2, "B", WHOLE("AB")},
	};

	(void)state;
	TELL(steps);
}

static void
a_repeated_position_abandons_the_sequence(void **state)
{
	static const struct step steps[] = {
	    {1, "a", HELD},
	    {1, "A", HELD, .lost = 1},
	    {2, "b", HELD},
	    {2, "b", DROPPED, .lost = 3},
	    {LAST | 3, "c", DROPPED, .lost = 1},
	};

	(void)state;
	TELL(steps);
}

static void
what_stands_alone_abandons_the_sequence(void **state)
{
	static const struct step steps[] = {
	    {1, "a", HELD},
	    {2, "b", HELD},
	    {0, "alone", WHOLE("alone"), .lost = 2},
	    {LAST | 3, "c", DROPPED, .lost = 1},
	};

	(void)state;
	TELL(steps);
}

static void
there_is_no_last_position_0(void **state)
{
	static const struct step steps[] = {
	    {LAST, "x", DROPPED, .lost = 1},
	    {1, "a", HELD},
	    {LAST, "x", DROPPED, .lost = 2},
	    {LAST | 2, "b", DROPPED, .lost = 1},
	};

	(void)state;
	TELL(steps);
}

static void
one_sequence_has_one_destination(void **state)
{
	static const char *const others[] = {
	    "192.0.2.2:53", "192.0.2.1:54", "a.example:53"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		const struct step steps[] = {
		    {1, "a", HELD},
		    {LAST | 2, "b", .destination = others[i], DROPPED,
			.lost = 2},
		    {LAST | 2, "b", DROPPED, .lost = 1},
		    {1, "a", .destination = others[i], HELD},
		    {1, "a", HELD, .lost = 1},
		    {LAST | 2, "b", WHOLE("ab")},
		};

		TELL(steps);
	}
}

static void
octets_are_limited(void **state)
{
	static const struct step steps[] = {
	    {1, "12345", HELD},
	    {LAST | 2, "67890", WHOLE("1234567890")},
	    {1, "12345", HELD},
	    {LAST | 2, "67890x", DROPPED, .lost = 2},
	    {LAST | 1, "1234567890", WHOLE("1234567890")},
	    {LAST | 1, "1234567890x", DROPPED, .lost = 1},
	    {1, "1234567890", HELD},
	    {2, "x", DROPPED, .lost = 2},
	};

	(void)state;
	TELL(steps);
}

static void
fragments_are_limited(void **state)
{
	static const struct step steps[] = {
	    {1, "", HELD},
	    {2, "", HELD},
	    {3, "", HELD},
	    {LAST | 4, "", WHOLE("")},
	    {1, "", HELD},
	    {2, "", HELD},
	    {3, "", HELD},
	    {4, "", HELD},
	    {LAST | 5, "", DROPPED, .lost = 5},
	};

	(void)state;
	TELL(steps);
}

static void
all_127_positions_can_be_used(void **state)
{
	static const struct fragments_limits most = {.octets = 127,
	    .count = FRAGMENTS_POSITION_MAX,
	    .timeout_us = FRAGMENTS_TIMEOUT_MIN_US};
	struct fragments *fragments = fragments_new(&most);
	char text[128] = "";

	(void)state;
	assert_non_null(fragments);
	for (unsigned i = 1; i <= FRAGMENTS_POSITION_MAX; i++) {
		const char piece[] = {(char)i, '\0'};
		struct step step = {(uint8_t)i, piece, HELD};

		text[i - 1] = (char)i;
		if (i == FRAGMENTS_POSITION_MAX) {
			step.frag |= LAST;
			step.result = FRAGMENTS_WHOLE;
			step.whole = text;
		}
		take(fragments, &step);
	}
	fragments_free(fragments);
}

static void
time_runs_out_for_the_whole_sequence(void **state)
{
	static const struct step steps[] = {
	    {1, "a", .at_us = SECOND_US, HELD},
	    {2, "b", .at_us = 4 * SECOND_US, HELD},
	    {LAST | 3, "c", .at_us = 6 * SECOND_US - 1, WHOLE("abc")},
	    {1, "a", .at_us = 10 * SECOND_US, HELD},
	    {2, "b", .at_us = 12 * SECOND_US, HELD},
	    {LAST | 3, "c", .at_us = 15 * SECOND_US, DROPPED, .lost = 3},
	    {1, "a", .at_us = 20 * SECOND_US, HELD},
	    {1, "a", .at_us = 30 * SECOND_US, HELD, .lost = 1},
	    {LAST | 2, "b", .at_us = 31 * SECOND_US, WHOLE("ab")},
	};

	(void)state;
	TELL(steps);
}

static void
time_runs_out_without_another_datagram(void **state)
{
	static const struct step first = {1, "a", HELD};
	static const struct step late = {LAST | 2, "b", DROPPED, .lost = 1};
	struct fragments *fragments = begin();

	(void)state;
	assert_int_equal(fragments_expire(fragments, 0), 0);
	take(fragments, &first);
	assert_int_equal(fragments_expire(fragments, 5 * SECOND_US - 1), 0);
	assert_int_equal(fragments_expire(fragments, 5 * SECOND_US), 1);
	assert_int_equal(fragments_expire(fragments, 5 * SECOND_US), 0);
	take(fragments, &late);
	fragments_free(fragments);
}

static void
without_memory_a_sequence_is_lost(void **state)
{
	static const struct step dropped = {1, "a", DROPPED, .lost = 1};
	static const struct step alone = {0, "alone", WHOLE("alone")};
	static const struct step held = {1, "a", HELD};
	struct fragments *fragments = begin();

	(void)state;
	no_memory = true;
	assert_null(fragments_new(&limits));
	take(fragments, &dropped);
	take(fragments, &alone);
	no_memory = false;
	take(fragments, &held);
	fragments_free(fragments);
	fragments_free(NULL);
}

/* ---- against a model ---- */

/*
 * The model remembers all datagrams and looks back: the newest completes a
 * sequence if it and those right before it are positions 1, 2, ... to its
 * own, all within the limits.
 */
#define DATAGRAMS 2000

struct taken {
	uint8_t frag;
	uint64_t at_us;
	unsigned destination;
	uint8_t octet;
	size_t len; /* of that octet */
};

static unsigned
position_of(const struct taken *taken)
{
	return taken->frag & FRAGMENTS_POSITION_MAX;
}

/* Is it in order so far? */
static bool
is_sequence(const struct taken *all, size_t newest)
{
	unsigned position = position_of(&all[newest]);
	const struct taken *first;
	size_t octets = 0;

	if (position == 0 || position > limits.count || position > newest + 1)
		return false;
	first = &all[newest + 1 - position];
	for (unsigned i = 0; i < position; i++) {
		bool is_last = (first[i].frag & LAST) != 0;

		octets += first[i].len;
		if (position_of(&first[i]) != i + 1 ||
		    (is_last && i + 1 < position) ||
		    first[i].destination != first->destination ||
		    first[i].at_us - first->at_us >= limits.timeout_us)
			return false;
	}
	return octets <= limits.octets;
}

static enum fragments_result
model_result(const struct taken *all, size_t newest)
{
	if (all[newest].frag == 0)
		return FRAGMENTS_WHOLE;
	if (!is_sequence(all, newest))
		return FRAGMENTS_DROPPED;
	return (all[newest].frag & LAST) != 0 ? FRAGMENTS_WHOLE
					      : FRAGMENTS_HELD;
}

static void
assert_is_sequence(
    const struct taken *all, size_t newest, const struct fragments_whole *whole)
{
	unsigned count = all[newest].frag == 0 ? 1 : position_of(&all[newest]);
	size_t at = 0;

	for (const struct taken *one = &all[newest + 1 - count];
	     one <= &all[newest]; one++)
		for (size_t i = 0; i < one->len; i++) {
			assert_true(at < whole->len);
			assert_int_equal(whole->data[at++], one->octet);
		}
	assert_int_equal(at, whole->len);
}

/* Mostly what continues the one before; else anything. */
static struct taken
draw(const struct taken *before)
{
	struct taken taken = {
	    .frag = (uint8_t)(position_of(before) % 5 + 1),
	    .at_us = before->at_us + (uint64_t)random() % SECOND_US,
	    .destination = before->destination,
	    .octet = (uint8_t)random(),
	    .len = (size_t)random() % 4,
	};

	if (random() % 3 == 0)
		taken.frag |= LAST;
	if (random() % 8 == 0)
		taken.frag = (uint8_t)random();
	else if (random() % 8 == 0)
		taken.frag = (uint8_t)(random() % 4);
	if (random() % 16 == 0)
		taken.destination = (unsigned)random() % 3;
	if (random() % 16 == 0)
		taken.at_us += 3 * SECOND_US;
	return taken;
}

static void
it_agrees_with_one_who_looks_back(void **state)
{
	const struct endpoint destinations[] = {destination_of("192.0.2.1:53"),
	    destination_of("192.0.2.1:54"), destination_of("a.example:53")};
	static struct taken all[DATAGRAMS];
	unsigned results[FRAGMENTS_RESULT_COUNT] = {0};

	(void)state;
	srandom(1928);
	for (unsigned round = 0; round < 50; round++) {
		struct fragments *fragments = begin();
		/* Each datagram is delivered, lost or held. */
		size_t delivered = 0, lost = 0, held;

		for (size_t i = 0; i < DATAGRAMS; i++) {
			struct taken nothing = {0};
			uint8_t data[4];
			struct fragment fragment = {.data = data};
			struct fragments_whole whole;
			enum fragments_result result;

			all[i] = draw(i == 0 ? &nothing : &all[i - 1]);
			memset(data, all[i].octet, sizeof(data));
			fragment.frag = all[i].frag;
			fragment.len = all[i].len;
			fragment.destination =
			    &destinations[all[i].destination];
			result = fragments_take(
			    fragments, &fragment, all[i].at_us, &whole);
			assert_int_equal(result, model_result(all, i));
			results[result]++;
			lost += whole.lost;
			held = 0;
			if (result == FRAGMENTS_HELD)
				held = position_of(&all[i]);
			if (result == FRAGMENTS_WHOLE) {
				assert_is_sequence(all, i, &whole);
				delivered +=
				    all[i].frag == 0 ? 1 : position_of(&all[i]);
			}
			assert_int_equal(delivered + lost + held, i + 1);
		}
		fragments_free(fragments);
	}
	/* The drawing reaches everything. */
	for (size_t i = 0; i < ARRAY_COUNT(results); i++)
		assert_true(results[i] > 1000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_stands_alone_is_whole),
	    cmocka_unit_test(fragments_in_order_become_one),
	    cmocka_unit_test(a_gap_abandons_the_sequence),
	    cmocka_unit_test(a_lower_position_abandons_the_sequence),
	    cmocka_unit_test(a_repeated_position_abandons_the_sequence),
	    cmocka_unit_test(what_stands_alone_abandons_the_sequence),
	    cmocka_unit_test(there_is_no_last_position_0),
	    cmocka_unit_test(one_sequence_has_one_destination),
	    cmocka_unit_test(octets_are_limited),
	    cmocka_unit_test(fragments_are_limited),
	    cmocka_unit_test(all_127_positions_can_be_used),
	    cmocka_unit_test(time_runs_out_for_the_whole_sequence),
	    cmocka_unit_test(time_runs_out_without_another_datagram),
	    cmocka_unit_test(without_memory_a_sequence_is_lost),
	    cmocka_unit_test(it_agrees_with_one_who_looks_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
