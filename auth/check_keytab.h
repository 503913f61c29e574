/* SPDX-License-Identifier: ISC */
/* Looking at a keytab for `gatewarden --check`: which of its principals are
 * ours, and whether their keys are of any use. */
#ifndef AUTH_CHECK_KEYTAB_H
#define AUTH_CHECK_KEYTAB_H

#include <stdbool.h>
#include <stddef.h>

#include <krb5.h>

#include "base/compiler.h"

struct finding_place;
struct findings;
struct options;

#define OWN_PRINCIPALS_MAX 64 /* the rest is not looked at */

/* What the keytab has for the services of kerberos.services. */
struct own_principals {
	size_t count;
	krb5_principal principals[OWN_PRINCIPALS_MAX];
	bool has_strong_key[OWN_PRINCIPALS_MAX];
};

/* Reads it; finds that it cannot be used, has none of our principals, or only
 * weak keys for one.  A file that cannot be opened is found by the master. */
void check_keytab(krb5_context krb5, struct own_principals *own,
    const struct options *options, struct findings *findings);
void own_principals_fini(krb5_context krb5, struct own_principals *own);

/* Is there a key for such a principal, of whatever realm? */
bool own_principals_have(krb5_context krb5, const struct own_principals *own,
    krb5_const_principal principal) must_check;

/* Of --check: where the keytab is named, and the keytab. */
struct finding_place check_keytab_place(const struct options *options);

/* The principal as text, quoted; "?" if it is none. */
#define PRINCIPAL_TEXT_SIZE 1100
void principal_print(krb5_context krb5, krb5_const_principal principal,
    char text[PRINCIPAL_TEXT_SIZE]);

#endif
