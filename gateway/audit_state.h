/* SPDX-License-Identifier: ISC */
/*
 * What the auditor knows that must survive its own death: the next sequence
 * number, and how far each sender's records were taken.
 *
 * It lives in a memory file that the master holds and passes to each new
 * auditor; every change is complete or absent, wherever the auditor dies.
 */
#ifndef GATEWAY_AUDIT_STATE_H
#define GATEWAY_AUDIT_STATE_H

#include <stdint.h>

#include "base/compiler.h"

struct audit_state;

/* Takes fd; -1, or a file that cannot be used, means memory of our own.
 * Dies without memory. */
struct audit_state *audit_state_open(int fd) must_check;
void audit_state_close(struct audit_state *state);

/* The number that the next record will have, from 1 on. */
uint64_t audit_state_sequence(const struct audit_state *state);
/* The last number of this source that was taken; 0: none. */
uint64_t audit_state_taken(const struct audit_state *state, uint64_t source);
/* Records that were lost and not told of. */
uint64_t audit_state_lost(const struct audit_state *state);

/* The receiver has the source's record; it had the next sequence number.
 * Source 0: the auditor's own record. */
void audit_state_hand_over(
    struct audit_state *state, uint64_t source, uint64_t number);
/* The receiver has a gap record that told of `lost` records. */
void audit_state_hand_over_gap(struct audit_state *state, uint64_t lost);
/* The source's record is lost; a gap record will tell. */
void
audit_state_lose(struct audit_state *state, uint64_t source, uint64_t number);

#endif
