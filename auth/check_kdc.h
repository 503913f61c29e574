/* SPDX-License-Identifier: ISC */
/* Asking the KDC for `gatewarden --check`: is it there, does it have our keys,
 * what does its clock say? */
#ifndef AUTH_CHECK_KDC_H
#define AUTH_CHECK_KDC_H

#include <krb5.h>

struct findings;
struct options;
struct own_principals;

/*
 * With the first of our principals of each realm it asks for a ticket, by the
 * keytab's key.  Blocks, for as long as libkrb5 waits for a KDC.
 *
 * A KDC that knows a service but lets it have no ticket of its own (Active
 * Directory, for who has no userPrincipalName) answers, and its clock is
 * known; whether the keys are current is not.
 */
void check_kdc(krb5_context krb5, const struct own_principals *own,
    const struct options *options, struct findings *findings);

#endif
