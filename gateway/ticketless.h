/* SPDX-License-Identifier: ISC */
/*
 * A short memory of clients that chose GSSAPI without having a ticket: SOCKS5
 * has no second try on a connection, so that they would never get in by
 * another method.
 *
 * One for the whole program, with its own small lock; of fixed size: of too
 * many addresses the oldest are forgotten.
 */
#ifndef GATEWAY_TICKETLESS_H
#define GATEWAY_TICKETLESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"

struct ticketless;

/* NULL when there is no memory. */
struct ticketless *ticketless_new(void) must_check;
void ticketless_free(struct ticketless *ticketless);

/* A client there has left before its first token.  It counts together with
 * those of which each is at most `window_us` after the one before. */
void ticketless_note(struct ticketless *ticketless,
    const struct address *address, uint64_t now_us, uint64_t window_us);

/* A client there has a ticket. */
void
ticketless_forget(struct ticketless *ticketless, const struct address *address);

/* Were there `tries` of them, the last less than `memory_us` ago? */
bool
ticketless_has(struct ticketless *ticketless, const struct address *address,
    uint64_t now_us, uint64_t tries, uint64_t memory_us) must_check;

#endif
