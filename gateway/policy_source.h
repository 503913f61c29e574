/* SPDX-License-Identifier: ISC */
/*
 * Where the rules come from: receives whole sets from directory-watch on the
 * main thread, builds the immutable rule set, and hands it on.  A set that is
 * not good leaves the last one in force.
 */
#ifndef GATEWAY_POLICY_SOURCE_H
#define GATEWAY_POLICY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/link.h"

struct audit_sender;
struct event_base;
struct policy_source;
struct ruleset;
struct shared;

struct policy_source_events {
	/* A new rule set is in force; borrowed. */
	void (*changed)(void *arg, struct ruleset *rules);
	/* What users are, or who is in which group, may have changed. */
	void (*subjects_changed)(void *arg);
	/* Once: rules are in force, or it is known why there are none. */
	void (*settled)(void *arg);
};

/* `shared`, `audit` and `events` are borrowed for ever; `has_directory` says
 * whether users can be looked up.  Dies without memory. */
struct policy_source *policy_source_new(struct event_base *base,
    struct shared *shared, struct audit_sender *audit, bool has_directory,
    const struct policy_source_events *events, void *arg) must_check;
void policy_source_free(struct policy_source *source);

/* A link to directory-watch was made (anew); fd taken. */
void policy_source_link(struct policy_source *source, int fd);

/* A question to directory-watch (policy/watch_protocol.h), as question_start;
 * EPIPE while it is not there. */
struct question *policy_source_ask(struct policy_source *source, uint16_t type,
    const void *data, size_t len, unsigned timeout_ms, question_done_fn *done,
    void *arg) must_check;
/* One that no question about a set of rules has had; never 0. */
uint32_t policy_source_ticket(struct policy_source *source);
/* And what wants no answer. */
void policy_source_tell(
    struct policy_source *source, uint16_t type, const void *data, size_t len);

#endif
