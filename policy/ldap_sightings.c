/* SPDX-License-Identifier: ISC */
/* What was last seen of entries. */
#include "policy/ldap_sightings.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 65536 /* 1.5 MiB */

/* FNV-1a; the lengths are part of the sum, so that pieces do not run together.
 * Who could choose its input to collide can write the entry. */
#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct sighting {
	uint8_t id[SIGHTINGS_ID_SIZE];
	uint64_t sum; /* 0: nothing was seen */
};

struct sightings {
	struct sighting places[PLACES];
};

struct sightings *
sightings_new(void)
{
	return calloc(1, sizeof(struct sightings));
}

void
sightings_free(struct sightings *sightings)
{
	free(sightings);
}

static uint64_t
add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *octets = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ octets[i]) * FNV_PRIME;
	return sum;
}

uint64_t
sightings_sum(uint64_t sum, const void *data, size_t len)
{
	uint64_t size = len;

	if (sum == 0)
		sum = FNV_START;
	return add(add(sum, &size, sizeof(size)), data, len);
}

bool
sightings_note(struct sightings *sightings, const uint8_t id[SIGHTINGS_ID_SIZE],
    uint64_t sum)
{
	uint64_t place = add(FNV_START, id, SIGHTINGS_ID_SIZE);
	struct sighting *sighting =
	    &sightings->places[(place ^ place >> 32) % PLACES];

	if (sum != 0 && sighting->sum == sum &&
	    memcmp(sighting->id, id, SIGHTINGS_ID_SIZE) == 0)
		return false;
	memcpy(sighting->id, id, SIGHTINGS_ID_SIZE);
	sighting->sum = sum;
	return true;
}
