/* SPDX-License-Identifier: ISC */
/*
 * The sending side of the audit trail: numbers its records, keeps each until
 * the auditor has acknowledged it, sends them again to a new auditor.
 *
 * One for each thread that writes records.  Bounded: past the bound records
 * are counted, and the count goes out as a gap record.
 */
#ifndef GATEWAY_AUDIT_SENDER_H
#define GATEWAY_AUDIT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct audit_record;
struct audit_sender;
struct event_base;

#define AUDIT_SENDER_KEEP_MAX (4 * 1024 * 1024) /* octets kept */

/* `source` is this sender's number, below 2^60: the same over restarts of the
 * auditor, another one after a restart of this program. */
struct audit_sender *
audit_sender_new(struct event_base *base, uint64_t source) must_check;
void audit_sender_free(struct audit_sender *sender);

/* A link to the auditor was made (anew); fd taken.  Sends again what was not
 * acknowledged. */
void audit_sender_link(struct audit_sender *sender, int fd);

/* Writes one record; time_us is filled in if it is 0.  Never blocks and
 * never fails: what cannot be kept is counted. */
void audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record);

/* Records cannot be kept now: the auditor says so, or has been away for so
 * long that there is no room for more. */
bool audit_sender_is_failing(const struct audit_sender *sender);

/*
 * Calls back when the record that was written last has been acknowledged
 * (true), or cannot be kept for now (false): once, from the loop, never after a
 * cancel.  NULL without memory.
 */
struct audit_await;
struct audit_await *audit_sender_await(struct audit_sender *sender,
    void (*kept)(void *arg, bool is_kept), void *arg) must_check;
void audit_await_cancel(struct audit_await *await);

/* Records written but not yet acknowledged. */
size_t audit_sender_pending(const struct audit_sender *sender);

#endif
