/* SPDX-License-Identifier: ISC */
/* Kinds of keys that Kerberos should not have any more. */
#ifndef AUTH_WEAK_KEY_H
#define AUTH_WEAK_KEY_H

#include <stdbool.h>

#include <krb5.h>

/* DES, triple DES and RC4 (RFC 6649, RFC 8429); libkrb5 has no question for
 * it. */
bool is_weak_key(krb5_enctype kind);

#endif
