/* SPDX-License-Identifier: ISC */
/*
 * A real context with a raw GSSAPI client on one side and a seal on ours, for
 * tests that with_kdc.sh runs.
 */
#ifndef TESTS_SUPPORT_SEAL_PAIR_H
#define TESTS_SUPPORT_SEAL_PAIR_H

#include "auth/gss_context.h"
#include "base/seal.h"
#include "tests/support/kerberos.h"

struct seal_pair {
	struct gssaccept *accept;
	struct kerberos_client client;
	struct gssctx *context; /* the gateway's side */
	struct seal *seal;	/* made of it */
};

/* With KERBEROS_SOCKS and its keytab, or others. */
struct seal_pair seal_pair_establish(OM_uint32 flags);
struct seal_pair seal_pair_establish_with(
    const char *keytab, const char *service, OM_uint32 flags);
/* The seal is made; no context is left. */
struct seal_pair seal_pair_make(OM_uint32 flags, enum protection protection);
void seal_pair_end(struct seal_pair *pair);

/* A message of the client's; the caller drops it. */
gss_buffer_desc seal_pair_wrap(
    struct seal_pair *pair, int confidential, const void *text, size_t len);
void seal_pair_drop(gss_buffer_desc *token);

/* Opens a copy of it; text is ended by NUL. */
enum reason seal_pair_open(
    struct seal *seal, const void *token, size_t len, char *text, size_t size);
void seal_pair_assert_opens(
    struct seal *seal, const gss_buffer_desc *token, const char *text);
void seal_pair_assert_fails(
    struct seal *seal, const gss_buffer_desc *token, enum reason reason);

#endif
