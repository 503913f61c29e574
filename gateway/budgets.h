/* SPDX-License-Identifier: ISC */
/*
 * How many sessions there may be: in total, before their proof, from one
 * source and of one identity.
 *
 * All worker threads share them.  A session enters, says where its client
 * is, later who its client is, and leaves; each step can find a budget used
 * up.  Who is in stays in: only newcomers are turned away.
 */
#ifndef GATEWAY_BUDGETS_H
#define GATEWAY_BUDGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

struct budgets;
struct holder;
struct settings;

/* What one session holds of them; all zero: nothing. */
struct budget_share {
	bool is_counted;
	bool is_unproved;
	bool is_wide; /* it has descriptors for two */
	struct holder *source;
	struct holder *identity;
};

/*
 * `ceiling` sessions fit into this process, whatever the settings permit: it
 * has only so many descriptors.  NULL without memory.
 */
struct budgets *budgets_new(uint64_t ceiling) must_check;
/* NULL is fine; no session may be left. */
void budgets_free(struct budgets *budgets);

/*
 * Each takes what the step needs into *share, or nothing of it when a limit
 * of the settings is reached: overloaded, too_many_unproved;
 * too_many_from_source; too_many_of_identity.  no_memory, too.
 */
enum reason budgets_enter(struct budgets *budgets,
    const struct settings *settings, struct budget_share *share) must_check;
/* The source is the client's IPv4 address, or the /64 of its IPv6 one. */
enum reason
budgets_locate(struct budgets *budgets, const struct settings *settings,
    const struct address *client, struct budget_share *share) must_check;
/* A session that is turned away here still counts as one without a proof. */
enum reason
budgets_prove(struct budgets *budgets, const struct settings *settings,
    const char *identity, struct budget_share *share) must_check;

/* Makes room for twice the descriptors that a session has: no_descriptors
 * where the process has no more. */
enum reason
budgets_widen(struct budgets *budgets, struct budget_share *share) must_check;

/* Gives back whatever the share holds. */
void budgets_leave(struct budgets *budgets, struct budget_share *share);

/* How many there are now. */
uint64_t budgets_sessions(struct budgets *budgets);
uint64_t budgets_unproved(struct budgets *budgets);

#endif
