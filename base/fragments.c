/* SPDX-License-Identifier: ISC */
/* The reassembly queue of a UDP association (RFC 1928 section 7). */
#include "base/fragments.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct fragments {
	struct fragments_limits limits;
	/* The sequence under way, if highest is not 0. */
	unsigned highest; /* position, which is how many are held */
	uint64_t started_us;
	struct endpoint destination;
	size_t len;
	uint8_t *data; /* limits.octets of room; NULL while none is needed */
};

struct fragments *
fragments_new(const struct fragments_limits *limits)
{
	struct fragments *fragments = calloc(1, sizeof(*fragments));

	must(limits->octets > 0);
	must(limits->count > 0 && limits->count <= FRAGMENTS_POSITION_MAX);
	must(limits->timeout_us >= FRAGMENTS_TIMEOUT_MIN_US);
	if (fragments != NULL)
		fragments->limits = *limits;
	return fragments;
}

void
fragments_free(struct fragments *fragments)
{
	if (fragments == NULL)
		return;
	free(fragments->data);
	free(fragments);
}

/* The sequence is no more; how many fragments it had. */
static unsigned
forget(struct fragments *fragments)
{
	unsigned held = fragments->highest;

	fragments->highest = 0;
	fragments->len = 0;
	return held;
}

static unsigned
abandon(struct fragments *fragments)
{
	free(fragments->data);
	fragments->data = NULL;
	return forget(fragments);
}

unsigned
fragments_expire(struct fragments *fragments, uint64_t now_us)
{
	if (fragments->highest == 0)
		return abandon(fragments); /* what was handed out last */
	if (now_us - fragments->started_us < fragments->limits.timeout_us)
		return 0;
	return abandon(fragments);
}

/* May it stand behind what is held (or, at position 1, at the beginning)? */
static bool
may_follow(const struct fragments *fragments, const struct fragment *fragment,
    unsigned position)
{
	const struct fragments_limits *limits = &fragments->limits;

	if (position != fragments->highest + 1 || position > limits->count ||
	    fragment->len > limits->octets - fragments->len)
		return false;
	return position == 1 || endpoint_is_equal(fragment->destination,
				    &fragments->destination);
}

static bool
append(struct fragments *fragments, const struct fragment *fragment)
{
	if (fragments->data == NULL)
		fragments->data = malloc(fragments->limits.octets);
	if (fragments->data == NULL)
		return false;
	if (fragment->len > 0)
		memcpy(fragments->data + fragments->len, fragment->data,
		    fragment->len);
	fragments->len += fragment->len;
	fragments->highest++;
	return true;
}

enum fragments_result
fragments_take(struct fragments *fragments, const struct fragment *fragment,
    uint64_t now_us, struct fragments_whole *whole)
{
	unsigned position = fragment->frag & FRAGMENTS_POSITION_MAX;

	*whole = (struct fragments_whole){
	    .lost = fragments_expire(fragments, now_us),
	    .data = fragment->data,
	    .len = fragment->len,
	};
	if (position <= 1)
		whole->lost += abandon(fragments);
	if (fragment->frag == 0)
		return FRAGMENTS_WHOLE;
	if (!may_follow(fragments, fragment, position) ||
	    !append(fragments, fragment)) {
		whole->lost += abandon(fragments) + 1;
		return FRAGMENTS_DROPPED;
	}
	if (position == 1) {
		fragments->started_us = now_us;
		fragments->destination = *fragment->destination;
	}
	if ((fragment->frag & FRAGMENTS_LAST) == 0)
		return FRAGMENTS_HELD;
	whole->data = fragments->data;
	whole->len = fragments->len;
	forget(fragments);
	return FRAGMENTS_WHOLE;
}
