/* SPDX-License-Identifier: ISC */
/*
 * What was last seen of entries: servers tell of every change, of the time of
 * a user's last login too, and only what matters here is to count.
 */
#ifndef POLICY_LDAP_SIGHTINGS_H
#define POLICY_LDAP_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct sightings;

#define SIGHTINGS_ID_SIZE 16 /* an entryUUID or an objectGUID */

/* A table of a fixed size: what it has forgotten counts as new.  NULL without
 * memory. */
struct sightings *sightings_new(void) must_check;
void sightings_free(struct sightings *sightings); /* NULL is fine */

/* A sum over what matters of an entry, piece by piece; it begins with 0. */
uint64_t sightings_sum(uint64_t sum, const void *data, size_t len) must_check;

/* Keeps the sum; false if it is the one that was kept before. */
bool sightings_note(struct sightings *sightings,
    const uint8_t id[SIGHTINGS_ID_SIZE], uint64_t sum) must_check;

#endif
