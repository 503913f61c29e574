/* SPDX-License-Identifier: ISC */
/* What the gateway counts. */
#include "gateway/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[COUNTER_COUNT] = {
#define C(id, name, sentence) [COUNTER_##id] = (name),
#include "gateway/counters.def"
#undef C
};

/* Nothing else is published through them. */
static void
add_one(_Atomic uint64_t *value)
{
	(void)atomic_fetch_add_explicit(value, 1, memory_order_relaxed);
}

static uint64_t
get(_Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

void
counters_add(struct counters *counters, enum counter counter)
{
	add_one(&counters->values[counter]);
}

void
counters_add_end(struct counters *counters, enum reason reason)
{
	add_one(&counters->ends[reason]);
}

uint64_t
counters_get(struct counters *counters, enum counter counter)
{
	return get(&counters->values[counter]);
}

uint64_t
counters_get_end(struct counters *counters, enum reason reason)
{
	return get(&counters->ends[reason]);
}

/* Appends one that is not zero, whole or not at all. */
static size_t
append(
    char *out, size_t len, const char *kind, const char *name, uint64_t value)
{
	size_t room = COUNTERS_TEXT_SIZE - len;
	int printed;

	if (value == 0)
		return len;
	printed = snprintf(out + len, room, "%s%s%s=%" PRIu64,
	    len > 0 ? " " : "", kind, name, value);
	if (printed < 0 || (size_t)printed >= room) {
		out[len] = '\0';
		return len;
	}
	return len + (size_t)printed;
}

void
counters_print(struct counters *counters, char out[COUNTERS_TEXT_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		len = append(out, len, "", names[i], get(&counters->values[i]));
	for (unsigned i = 0; i < REASON_COUNT; i++)
		len = append(out, len, "ended:", reason_name((enum reason)i),
		    get(&counters->ends[i]));
}

const char *
counter_name(enum counter counter)
{
	return names[counter];
}
