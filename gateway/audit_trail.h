/* SPDX-License-Identifier: ISC */
/*
 * Records on their way from the senders to the spool, which gives each its
 * sequence number, and from there to the syslog receiver.
 *
 * While the spool cannot be written nothing is taken; it is tried again every
 * second.  What the receiver does not take waits in the spool.
 */
#ifndef GATEWAY_AUDIT_TRAIL_H
#define GATEWAY_AUDIT_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "gateway/syslog_tls.h"

struct audit_record;
struct audit_trail;
struct event_base;

struct audit_trail_settings {
	const char *folder; /* the auditor's own, which is there */
	const char *target; /* as in the setting audit.target */
	struct syslog_tls_settings tls;
	bool rfc5424;
	int facility; /* its number */
	const char *sd_id, *instance, *boot_id;
	uint64_t spool_max; /* octets */
	uint64_t keep_s;    /* 0: for ever */
	bool durable;	    /* what is taken is on the disk */
};

struct audit_trail_functions {
	/* What is written by now is about to be made safe ... */
	void (*mark)(void *arg);
	/* ... and what was written before the last mark is: it may be
	 * acknowledged. */
	void (*safe)(void *arg);
	/* The spool cannot be written, or can be again. */
	void (*failing)(void *arg, bool is_failing);
};

/* Texts are copied.  The functions are called from the loop, never from
 * within a call.  Dies without memory. */
struct audit_trail *audit_trail_new(struct event_base *base,
    const struct audit_trail_settings *settings,
    const struct audit_trail_functions *functions, void *arg) must_check;
void audit_trail_free(struct audit_trail *trail);

/* The last number of the source that was taken; 0 too while the spool cannot
 * be opened. */
uint64_t audit_trail_taken(const struct audit_trail *trail, uint64_t source);

/* Takes one record in, which is the source's next; source 0 is the auditor
 * itself.  False if it cannot be taken now. */
bool audit_trail_write(struct audit_trail *trail, uint64_t source,
    uint64_t number, const struct audit_record *record) must_check;

/* Something that had been taken before was asked for again: `safe` is due. */
void audit_trail_confirm(struct audit_trail *trail);

bool audit_trail_is_failing(const struct audit_trail *trail);
/* Records that the receiver has not got yet. */
uint64_t audit_trail_waiting(const struct audit_trail *trail);
/* Facts (base/control_request.h): failing, spool_octets, spool_max, record
 * (the last one's number), waiting. */
void
audit_trail_describe(const struct audit_trail *trail, char *facts, size_t size);
/* Nothing waits to be made safe. */
bool audit_trail_is_safe(const struct audit_trail *trail);

/* Calls `each` for each record of the spool that is about a session's opening
 * or its close, in their order. */
void audit_trail_sessions(const struct audit_trail *trail,
    void (*each)(void *arg, const struct audit_record *record), void *arg);

#endif
