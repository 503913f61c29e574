/* SPDX-License-Identifier: ISC */
/*
 * The other end of an authenticator's link, which does what the tokens say:
 *
 *     D...  done, for alice@EXAMPLE.COM, with the token "ok"
 *     E...  done, without a token
 *     X...  done, with a context that cannot be imported
 *     C...  continue, with the token "more"
 *     F...  failed: gss_clock_skew, "too late", with the token "error"
 *     G...  failed: gss_wrong_service, without a token
 *     H...  holds it: no answer
 *     B...  an answer that cannot be read
 */
#ifndef TESTS_SUPPORT_SCRIPTED_AUTHENTICATOR_H
#define TESTS_SUPPORT_SCRIPTED_AUTHENTICATOR_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct link;

struct scripted_authenticator {
	struct link *link;
	bool is_silent; /* holds everything, probes too */
	bool is_gone;	/* the link was closed */
	uint64_t held;	/* the last question that it holds; 0 none */
	uint16_t held_type;
	uint32_t flags;	      /* of contexts that are done */
	uint64_t lifetime_us; /* of their tickets */
	bool may_spnego;      /* said so with the last token */
	unsigned steps, firsts, forgets, probes;
	uint64_t last_acceptance, forgotten;
};

/* Makes it; *other is the gateway's end of the link. */
void scripted_authenticator_init(struct scripted_authenticator *authenticator,
    struct event_base *base, int *other);
void scripted_authenticator_fini(struct scripted_authenticator *authenticator);

/* Answers what it holds: a probe, or a token as if it began with `what`. */
void scripted_authenticator_answer(
    struct scripted_authenticator *authenticator, char what);

#endif
