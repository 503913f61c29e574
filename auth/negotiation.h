/* SPDX-License-Identifier: ISC */
/*
 * The gateway's side of the RFC 1961 sub-negotiation on one connection: from
 * the first context token to the granted protection level.
 */
#ifndef AUTH_NEGOTIATION_H
#define AUTH_NEGOTIATION_H

#include "auth/proof.h"
#include "base/hint.h"
#include "base/reason.h"

struct authenticators;
struct bufferevent;
struct negotiation;

struct negotiation_policy {
	enum protection minimum, maximum;
	uint32_t token_max;  /* octets in one context token */
	uint32_t rounds_max; /* context tokens */
	uint32_t total_max;  /* octets of all context tokens */
	bool short_abort;    /* 01 FF as RFC 1961 says; else 01 FF 00 00, which
			      * is what field clients recognise */
	bool allow_spnego;   /* Kerberos 5 inside of it, that is */
	bool allow_nec;	     /* a level as one bare octet, answered likewise;
			      * then nothing less than integrity is granted */
};

/*
 * reason is REASON_OK and proof is filled in (its seal becomes the callee's),
 * or why it failed and proof is NULL; `detail` may say more (borrowed, "" if
 * not).  Whatever the client has to read (an error token, the abort) stands
 * in bev's output then; closing is the owner's.  The handle is gone.
 */
typedef void negotiation_done_fn(
    void *arg, enum reason reason, const char *detail, struct proof *proof);

/*
 * Takes over bev's callbacks until done.  Octets behind the level message
 * stay in bev's input.  bev, authenticators and policy are borrowed; so are
 * the facts, in which it notes what the client does.  The deadline is the
 * owner's, who cancels.  An EOF in the middle of a message is REASON_TRUNCATED,
 * between two of them (and the client's own abort) REASON_CLIENT_CLOSED.  While
 * an authenticator has the question, reading is paused; it is on again after
 * success.  bev's read watermark is set so that no more than one message is
 * ever buffered.  The callback comes exactly once, never before this has
 * returned, never after the cancel.  NULL when there is no memory.
 */
struct negotiation *negotiation_start(struct bufferevent *bev,
    struct authenticators *authenticators,
    const struct negotiation_policy *policy, struct hint_facts *facts,
    negotiation_done_fn *done, void *arg) must_check;

/* NULL is fine.  bev's callbacks are off afterwards. */
void negotiation_cancel(struct negotiation *negotiation);

#endif
