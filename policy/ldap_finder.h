/* SPDX-License-Identifier: ISC */
/*
 * One user's DN, account and groups in one directory.
 *
 * libldap may block; whoever calls is under a deadline of its own.
 */
#ifndef POLICY_LDAP_FINDER_H
#define POLICY_LDAP_FINDER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "policy/ldap_connection.h"

struct finder;
struct options;
struct provenance;
struct realm_line;
struct secret;
struct subject;

/*
 * For the directory of the options or, with them for all that a line does not
 * say, that of a realm; `realm` may be NULL.  The password is taken and may be
 * NULL.  Dies without memory.
 */
struct finder *finder_new(const struct options *options,
    const struct realm_line *realm, struct secret *password) must_check;
void finder_free(struct finder *finder); /* NULL is fine */

/* How long the servers may take for one user: for the caller's deadline. */
unsigned finder_timeout_s(const struct finder *finder);

/* A finished subject (without a DN if there is no such user); or NULL and in
 * `why`, which is empty before, what went wrong.  `provenance` gets where its
 * groups come from; NULL: nobody wants to know. */
struct subject *finder_find(struct finder *finder, const char *name,
    struct provenance *provenance, char why[DIRECTORY_WHY_SIZE]) must_check;

/* The DN, which is normalised, is below the base of a realm's directory. */
bool finder_has(const struct finder *finder, const char *dn);

/* 1: such an entry is there; 0: it is not, or we may not see it; -1 and why:
 * the directory did not say. */
int finder_look(struct finder *finder, const char *dn,
    char why[DIRECTORY_WHY_SIZE]) must_check;

#endif
