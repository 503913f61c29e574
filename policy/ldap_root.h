/* SPDX-License-Identifier: ISC */
/* What a server says of itself: its root DSE (RFC 4512 section 5.1). */
#ifndef POLICY_LDAP_ROOT_H
#define POLICY_LDAP_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include <ldap.h>

#include "base/compiler.h"

#define ROOT_VALUES_MAX 256 /* of an attribute; the rest is not seen */

struct root_values {
	size_t count;
	char *texts[ROOT_VALUES_MAX];
};

struct root {
	struct root_values controls; /* OIDs */
	struct root_values contexts; /* DNs, as the server writes them */
};

/* 0, or what directory_error explains; `root` is to be freed all the same. */
int root_read(struct root *root, LDAP *ld, unsigned timeout_s) must_check;
void root_fini(struct root *root);

#define ROOT_USN_SIZE 32

/* 0 if the server answers at all within that time.  `usn` is Active
 * Directory's highestCommittedUSN, which each change of anything changes; ""
 * elsewhere. */
int root_ask(LDAP *ld, unsigned timeout_s, char usn[ROOT_USN_SIZE]) must_check;

bool root_offers(const struct root *root, const char *control);

/* The naming context that holds the DN, or NULL; borrowed. */
const char *root_context(const struct root *root, const char *dn);

/*
 * A cookie for "from now on", of OpenLDAP's form, for a search below `base`:
 * made of the contextCSN of its naming context.  "" if that cannot be read, or
 * does not fit.
 */
void root_read_cookie(const struct root *root, LDAP *ld, const char *base,
    unsigned timeout_s, char *cookie, size_t size);

#endif
