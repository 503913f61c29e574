/* SPDX-License-Identifier: ISC */
/*
 * A worker's sessions, looked at or ended by an administrator, a few at a
 * time: the loop has others to serve.
 *
 * The main thread asks for one batch after the other; each begins where the
 * one before ended.  Of sessions that come meanwhile some are seen, of those
 * that were there all, and none twice.
 */
#ifndef GATEWAY_CENSUS_H
#define GATEWAY_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/audit_record.h"
#include "base/compiler.h"
#include "base/endpoint.h"
#include "base/identity.h"

struct census;
struct mailbox;
struct options;
struct session;
struct worker;

#define CENSUS_BATCH 64

/* Which sessions, and what of them; immutable. */
struct census_question {
	uint64_t number;  /* no other question has it, nor 0 */
	bool ends;	  /* each that fits: it is closed (reason killed) */
	uint64_t session; /* 0: any */
	/* "" fits any.  A user without @ fits one of any realm. */
	char user[IDENTITY_NAME_SIZE];
	char rule[AUDIT_RULE_SIZE];
	/* Name or address, with or without a port: asked for or reached. */
	char target[ENDPOINT_TEXT_SIZE];
	struct mailbox *answers; /* of the main thread; borrowed */
};

/* Lines for the administrator: of kind `session`, as control_sessions
 * (gateway/control_commands.h) says. */
struct census_batch {
	uint64_t number; /* of the question */
	bool is_last;
	size_t count;
	struct options *lines[CENSUS_BATCH];
};
void census_batch_free(struct census_batch *batch); /* NULL is fine */

/* For the worker's sessions; the worker is borrowed.  NULL without memory. */
struct census *census_new(struct worker *worker) must_check;
void census_free(struct census *census); /* NULL is fine */

/* Mails the next batch (MAIL_CENSUS_BATCH); the first, if it is another
 * question than before.  Copies the question. */
void
census_go_on(struct census *census, const struct census_question *question);

/* The session leaves its place in the worker's list. */
void census_pass(struct census *census, const struct session *session);

#endif
