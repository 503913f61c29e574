/* SPDX-License-Identifier: ISC */
/*
 * A whole rule set as octets: each entry as a 32-bit length and
 * entry_encode's octets, one behind the other.
 */
#ifndef POLICY_RULE_SET_STREAM_H
#define POLICY_RULE_SET_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define RULE_SET_OCTETS_MAX  (64 * 1024 * 1024)
#define RULE_SET_ENTRIES_MAX 100000

/*
 * The next entry of a set from *at on: its octets in *entry (borrowed) and
 * *len; *at is behind it then.  1; 0 at the end; -1 if the set is cut off.
 */
int rule_set_next(const uint8_t *set, size_t set_len, size_t *at,
    const uint8_t **entry, size_t *len) must_check;

/* Counts the entries; -1 if the set is cut off. */
long rule_set_count(const uint8_t *set, size_t set_len) must_check;

#endif
