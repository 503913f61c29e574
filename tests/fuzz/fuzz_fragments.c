/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the reassembly queue: each four octets of the input are one
 * datagram: FRAG, how long it is, which destination, when it comes.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/fragments.h"
#include "base/must.h"

static const struct fragments_limits limits = {
    .octets = 600, .count = 20, .timeout_us = FRAGMENTS_TIMEOUT_MIN_US};

static struct endpoint
destination_of(uint8_t which)
{
	struct endpoint destination;

	must(endpoint_parse(
	    which % 2 == 0 ? "192.0.2.1:53" : "a.example:53", &destination));
	return destination;
}

/* Reads all of it. */
static unsigned
sum(const uint8_t *data, size_t len)
{
	unsigned total = 0;

	for (size_t i = 0; i < len; i++)
		total += data[i];
	return total;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragments *fragments = fragments_new(&limits);
	unsigned taken = 0, delivered = 0, lost = 0, held = 0;
	unsigned expected = 0; /* the sum of what is held */
	uint64_t now_us = 0;

	must(fragments != NULL);
	for (; size >= 4; data += 4, size -= 4) {
		struct endpoint destination = destination_of(data[2]);
		uint8_t *payload = malloc((size_t)data[1] + 1);
		struct fragment fragment = {.frag = data[0],
		    .destination = &destination,
		    .data = payload,
		    .len = data[1]};
		struct fragments_whole whole;
		enum fragments_result result;

		must(payload != NULL);
		memset(payload, data[3], fragment.len);
		now_us += (uint64_t)data[3] * 100000;
		taken++;
		result = fragments_take(fragments, &fragment, now_us, &whole);
		if (result == FRAGMENTS_DROPPED)
			property(whole.lost == held + 1);
		else
			property(whole.lost == 0 || whole.lost == held);
		if (whole.lost > 0)
			held = expected = 0;
		switch (result) {
		case FRAGMENTS_HELD:
			held++;
			expected += sum(payload, fragment.len);
			property(held <= limits.count);
			break;
		case FRAGMENTS_WHOLE:
			delivered += held + 1;
			expected += sum(payload, fragment.len);
			property(sum(whole.data, whole.len) == expected);
			held = expected = 0;
			break;
		case FRAGMENTS_DROPPED:
			break;
		case FRAGMENTS_RESULT_COUNT:
			property(0);
			break;
		}
		lost += whole.lost;
		property(delivered + lost + held == taken);
		free(payload);
	}
	property(
	    fragments_expire(fragments, now_us + limits.timeout_us) == held);
	fragments_free(fragments);
	return 0;
}
