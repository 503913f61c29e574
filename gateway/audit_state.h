/* SPDX-License-Identifier: ISC */
/*
 * What the auditor knows that must survive its own death: the number of the
 * last record, how far each sender's records were taken into the spool, and
 * how far the spool was forwarded.
 *
 * It lives in a file beside the spool that is mapped into memory: the kernel
 * keeps every change whichever of our programs dies, and each is complete or
 * absent.  After a loss of power the spool knows better.
 */
#ifndef GATEWAY_AUDIT_STATE_H
#define GATEWAY_AUDIT_STATE_H

#include <stdint.h>

#include "base/compiler.h"

struct audit_state;

#define AUDIT_STATE_FILE "state"

/* The file in that folder (a descriptor, borrowed), made where there is none;
 * NULL and errno.  Dies without memory. */
struct audit_state *audit_state_open(int folder) must_check;
void audit_state_close(struct audit_state *state);

/* The number of the last record that was taken; 0: none. */
uint64_t audit_state_sequence(const struct audit_state *state);
/* The last number of this source that was taken; 0: none. */
uint64_t audit_state_taken(const struct audit_state *state, uint64_t source);

/* The source's record is about to be appended to the spool, and has been,
 * with that sequence number.  Source 0: the auditor's own record. */
void
audit_state_begin(struct audit_state *state, uint64_t source, uint64_t number);
void audit_state_commit(struct audit_state *state, uint64_t sequence);

/*
 * After a start: the spool's last record has that number.  What had been
 * begun and is in the spool is committed.  Returns how many records the spool
 * has lost that were taken.
 */
uint64_t
audit_state_recover(struct audit_state *state, uint64_t sequence) must_check;

/* The last record that the receiver has; 0: none. */
uint64_t audit_state_forwarded(const struct audit_state *state);
void audit_state_forward(struct audit_state *state, uint64_t sequence);

#endif
