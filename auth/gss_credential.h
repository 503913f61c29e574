/* SPDX-License-Identifier: ISC */
/*
 * What contexts are accepted with: the keytab's keys and the replay cache, as
 * libgssapi wants them.
 */
#ifndef AUTH_GSS_CREDENTIAL_H
#define AUTH_GSS_CREDENTIAL_H

#include <stddef.h>

#include <gssapi/gssapi.h>

#include "base/compiler.h"

struct gsscredential;

/*
 * Both are paths of files; the replay cache is made if it is not there.
 * NULL with a sentence in why: the keytab cannot be used, or the replay cache
 * cannot be written.
 */
struct gsscredential *gsscredential_new(const char *keytab,
    const char *replay_cache, char *why, size_t why_size) must_check;
/* NULL is fine. */
void gsscredential_free(struct gsscredential *credential);

/* For Kerberos 5 and nothing else; borrowed. */
gss_cred_id_t gsscredential_krb5(const struct gsscredential *credential);

/*
 * For SPNEGO that may lead to Kerberos 5 and nothing else; borrowed.  Made
 * when it is asked for first, since libgssapi then asks every mechanism that
 * is installed.  GSS_S_COMPLETE, or what libgssapi said.
 */
OM_uint32 gsscredential_spnego(struct gsscredential *credential,
    gss_cred_id_t *spnego, OM_uint32 *minor) must_check;

#endif
