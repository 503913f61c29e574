/* SPDX-License-Identifier: ISC */
/*
 * The sessions that a sender of records has opened and not closed, so that
 * the auditor can close them should the sender die.
 */
#ifndef GATEWAY_OPEN_SESSIONS_H
#define GATEWAY_OPEN_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct audit_record;
struct open_sessions;

/* At most `max` sessions; what comes on top is not remembered.  Dies without
 * memory. */
struct open_sessions *open_sessions_new(size_t max) must_check;
void open_sessions_free(struct open_sessions *open);

/* Remembers a session that was opened, forgets one that was closed. */
void open_sessions_note(
    struct open_sessions *open, const struct audit_record *record);

size_t open_sessions_count(const struct open_sessions *open);

/*
 * Forgets those with ids below `below`; each is passed on first as the record
 * of its end, with the reason crash.  Ends at the first that is not taken,
 * which is kept.
 */
void open_sessions_crash(struct open_sessions *open, uint64_t below,
    bool (*closed)(void *arg, const struct audit_record *record), void *arg);

/* Moves all of them. */
void open_sessions_move(struct open_sessions *from, struct open_sessions *to);

#endif
