/* SPDX-License-Identifier: ISC */
/*
 * One worker thread's links to the authenticators, and the contexts that are
 * being established over them.
 *
 * Not the authenticator: this side holds no keytab and calls no
 * gss_accept_sec_context.
 */
#ifndef AUTH_AUTHENTICATORS_H
#define AUTH_AUTHENTICATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/identity.h"
#include "base/reason.h"

struct event_base;
struct authenticators;
struct acceptance;

struct authenticators *
authenticators_new(struct event_base *base, unsigned timeout_ms) must_check;
void authenticators_free(struct authenticators *authenticators);

/* From the next question on. */
void authenticators_set_timeout(
    struct authenticators *authenticators, unsigned timeout_ms);

/* A link to authenticator `index` was made (anew); fd taken. */
void authenticators_link(
    struct authenticators *authenticators, uint32_t index, int fd);

enum acceptance_outcome {
	ACCEPTANCE_CONTINUE, /* send the token, then step with the next */
	ACCEPTANCE_DONE,     /* send the token if any; identity and context */
	ACCEPTANCE_FAILED    /* send the token if any, then the abort */
};

struct acceptance_answer {
	enum acceptance_outcome outcome;
	enum reason reason;   /* if failed */
	const char *text;     /* for the record: what the library says, or "" */
	const uint8_t *token; /* for the client; borrowed for the call */
	size_t token_len;
	/* If done: */
	struct identity identity; /* expires_us by our monotonic clock */
	uint32_t flags;		  /* GSS_C_*_FLAG, as ret_flags */
	const uint8_t *exported;  /* the context; borrowed for the call */
	size_t exported_len;
};

typedef void
acceptance_done_fn(void *arg, const struct acceptance_answer *answer);

/*
 * Gives the client's next token to the authenticator that holds this
 * acceptance (the first one picks it).  The callback comes exactly once a
 * step, never before this has returned, never after acceptance_free.
 * Without a living authenticator the answer is auth_worker_lost or
 * auth_busy.  `acceptance` is NULL at the first step; SPNEGO is accepted
 * only with may_spnego.  NULL when there is no
 * memory.
 */
struct acceptance *acceptance_step(struct authenticators *authenticators,
    struct acceptance *acceptance, bool may_spnego, const void *token,
    size_t len, acceptance_done_fn *done, void *arg) must_check;

/* Ends it; the authenticator forgets a half-made context.  NULL is fine. */
void acceptance_free(struct acceptance *acceptance);

#endif
