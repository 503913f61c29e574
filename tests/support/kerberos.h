/* SPDX-License-Identifier: ISC */
/*
 * A Kerberos client and the accepting side, for tests that with_kdc.sh runs.
 *
 * The client is raw GSSAPI, so that it can do what ours would not.
 */
#ifndef TESTS_SUPPORT_KERBEROS_H
#define TESTS_SUPPORT_KERBEROS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gssapi/gssapi.h>

#include "auth/gss_accept.h"

#define KERBEROS_FLAGS                                                         \
	(GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |         \
	    GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG)
#define KERBEROS_SOCKS "socks@gw.example.com"

/* The path of a file in with_kdc.sh's folder; one of a few static buffers. */
const char *kerberos_path(const char *name);

/* Runs a shell command; it must succeed. */
void
kerberos_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Gets a ticket, with kinit's own options ("" for none). */
void kerberos_login(const char *principal, const char *options);

/* Accepts for socks and rcmd with gateway.keytab, or with another keytab. */
struct gssaccept *kerberos_acceptor(void);
struct gssaccept *kerberos_acceptor_with(const char *keytab);

/*
 * Everything that follows, on both sides, is as old as RC4 (or as new as
 * AES again); there is a ticket for socks@old.example.com.
 */
#define KERBEROS_OLD "socks@old.example.com"
void kerberos_grow_old(bool old);

struct kerberos_client {
	gss_ctx_id_t handle;
	gss_cred_id_t credential; /* GSS_C_NO_CREDENTIAL: the default */
	gss_name_t target;
	OM_uint32 flags;
	gss_OID mech;
	gss_buffer_desc token; /* to be sent; ours until the next call */
};

/* The first token for a host-based service; flags are wished for. */
void kerberos_begin(
    struct kerberos_client *client, const char *service, OM_uint32 flags);
/* The same by SPNEGO, which offers these mechanisms; the first of them has
 * its token in ours. */
void kerberos_begin_spnego(struct kerberos_client *client, const char *service,
    OM_uint32 flags, gss_OID_set mechs);
/* Gives it the acceptor's token: what gss_init_sec_context says. */
OM_uint32 kerberos_continue(
    struct kerberos_client *client, const void *token, size_t len);
void kerberos_end(struct kerberos_client *client);

/* Both sides of one context: the client's, and the acceptor's answer, which
 * borrows from `accept`. */
void
kerberos_establish(struct gssaccept *accept, struct kerberos_client *client,
    const char *service, OM_uint32 flags, struct accept_answer *answer);

/*
 * A first token of a ticket that no KDC would give: for any client name (as
 * krb5_parse_name reads it), and with exactly these flags.  The caller frees
 * it.
 */
uint8_t *kerberos_forge(const char *client, OM_uint32 flags, size_t *len);

#endif
