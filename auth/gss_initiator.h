/* SPDX-License-Identifier: ISC */
/* The client's side of a GSS context: used by the agent. */
#ifndef AUTH_GSS_INITIATOR_H
#define AUTH_GSS_INITIATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct gssinit;
struct gssctx;

enum gssinit_outcome {
	GSSINIT_CONTINUE, /* send the token (if any), step with the answer */
	GSSINIT_DONE,	  /* send the token (if any); the context is made */
	GSSINIT_FAILED	  /* gssinit_why says why, in plain words */
};

/*
 * For host-based service `service`@`host` with the user's tickets.  Asks for
 * mutual, replay, sequence, integrity and confidentiality.  Never delegates.
 */
struct gssinit *gssinit_new(const char *service, const char *host) must_check;
void gssinit_free(struct gssinit *init);

/* May talk to a KDC and so block.  *out is valid until the next call. */
enum gssinit_outcome gssinit_step(struct gssinit *init, const void *token,
    size_t len, const uint8_t **out, size_t *out_len) must_check;

enum gssinit_failure {
	GSSINIT_NO_TICKET,
	GSSINIT_NO_SERVICE, /* the KDC or the acceptor does not know it */
	GSSINIT_CLOCK,
	GSSINIT_NO_KDC,
	GSSINIT_OTHER,
	GSSINIT_FAILURE_COUNT
};

enum gssinit_failure gssinit_failure(const struct gssinit *init);

/* What failed, for people: "no Kerberos ticket: run kinit" ... */
const char *gssinit_why(const struct gssinit *init);

/* Takes the context out of a GSSINIT_DONE. */
struct gssctx *gssinit_take_context(struct gssinit *init) must_check;

#endif
