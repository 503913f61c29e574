/* SPDX-License-Identifier: ISC */
/*
 * Rule sets for who wants to look at them: the set in force, or one reading
 * of another base; one at a time, fetched in pieces.
 *
 * Nothing of it touches the rules in force.
 */
#ifndef POLICY_LDAP_SETS_H
#define POLICY_LDAP_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct link;
struct link_message;
struct reading_source;
struct sets;

struct sets *sets_new(struct event_base *base) must_check; /* or dies */
void sets_free(struct sets *sets);			   /* NULL is fine */

/* A WATCH_SET. */
struct sets_question {
	struct link *link; /* borrowed until sets_forget */
	uint64_t id;
	uint32_t ticket;
};

/*
 * Answers it: with a copy of the octets; with what the source says once,
 * later; or with why there is no set.  While there is another, with that.
 */
void sets_give(struct sets *sets, const struct sets_question *question,
    const uint8_t *octets, size_t len);
void sets_read(struct sets *sets, const struct sets_question *question,
    const struct reading_source *source);
void sets_fail(const struct sets_question *question, const char *why);

/* Answers a WATCH_PIECE. */
void sets_piece(
    struct sets *sets, struct link *link, const struct link_message *message);

/* Nobody wants the set of that ticket, if it is there. */
void sets_drop(struct sets *sets, uint32_t ticket);
/* The link is gone. */
void sets_forget(struct sets *sets);

#endif
