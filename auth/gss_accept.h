/* SPDX-License-Identifier: ISC */
/*
 * Accepting GSS contexts: a client's token in, who it is and the finished
 * context out.
 *
 * Linked into the authenticator only.  Reads the keytab, writes the replay
 * cache, may block on their locks, never talks to the network.
 */
#ifndef AUTH_GSS_ACCEPT_H
#define AUTH_GSS_ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#include "auth/authenticator_protocol.h"
#include "base/compiler.h"

struct gssaccept;
struct gssaccept_half; /* a context that is not established yet */

/* Texts and lists are copied; lists end with NULL. */
struct gssaccept_settings {
	const char *keytab;
	const char *replay_cache; /* a file; made if it is not there */
	const char *const *services;
	const char *const *realms; /* besides those of the keytab */
};

/*
 * NULL with a sentence in why that names the file: the keytab cannot be
 * read, has no key for any of the services, or the replay cache cannot be
 * written.
 */
struct gssaccept *gssaccept_new(const struct gssaccept_settings *settings,
    char *why, size_t why_size) must_check;
void gssaccept_free(struct gssaccept *accept);

/* As gsskeytab_describe (auth/gss_keytab.h). */
void
gssaccept_describe(const struct gssaccept *accept, char *facts, size_t size);

/*
 * Takes the next token of a context (*half is NULL at the first) and fills
 * in the answer.  With ACCEPT_CONTINUE *half is the caller's to keep; with
 * every other outcome it is NULL again.  SPNEGO (with Kerberos 5 inside and
 * nothing else) is accepted only with may_spnego.  What the answer borrows is
 * valid until the next call.
 */
void gssaccept_step(struct gssaccept *accept, struct gssaccept_half **half,
    bool may_spnego, const void *token, size_t len,
    struct accept_answer *answer);

/* Forgets a half-made context; NULL is fine. */
void gssaccept_half_free(struct gssaccept_half *half);

#endif
