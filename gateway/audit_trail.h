/* SPDX-License-Identifier: ISC */
/*
 * Records on their way from the senders to the syslog receiver: a bounded
 * queue that gives them their sequence numbers as they are handed over.
 *
 * When the queue is full its oldest record is lost and counted; the gap
 * record that tells of it is the first that the receiver gets then.
 */
#ifndef GATEWAY_AUDIT_TRAIL_H
#define GATEWAY_AUDIT_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct audit_record;
struct audit_state;
struct audit_trail;
struct event_base;

struct audit_trail_settings {
	const char *target; /* as in the setting audit.target */
	bool rfc5424;
	int facility; /* its number */
	const char *sd_id, *instance, *boot_id;
	size_t queue_max; /* records */
};

/* `state` is borrowed, the texts of settings are copied.  taken is called
 * from the loop when records were handed over.  Dies without memory. */
struct audit_trail *audit_trail_new(struct event_base *base,
    struct audit_state *state, const struct audit_trail_settings *settings,
    void (*taken)(void *arg), void *arg) must_check;
void audit_trail_free(struct audit_trail *trail);

/* The last number of the source that waits here or was taken. */
uint64_t audit_trail_received(const struct audit_trail *trail, uint64_t source);

/* Takes one record in, which is the source's next; source 0 is the auditor
 * itself.  It is handed over in this turn of the loop. */
void audit_trail_write(struct audit_trail *trail, uint64_t source,
    uint64_t number, const struct audit_record *record);

/* Records that wait, a gap record among them. */
size_t audit_trail_waiting(const struct audit_trail *trail);

#endif
