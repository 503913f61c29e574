/* SPDX-License-Identifier: ISC */
/*
 * The sessions that a sender of records has opened and not closed, so that
 * the auditor can close them should the sender die.
 */
#ifndef GATEWAY_OPEN_SESSIONS_H
#define GATEWAY_OPEN_SESSIONS_H

#include <stddef.h>

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

/* Forgets all; each is passed on first as the record of its end, with the
 * reason crash. */
void open_sessions_crash(struct open_sessions *open,
    void (*closed)(void *arg, const struct audit_record *record), void *arg);

#endif
