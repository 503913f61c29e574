/* SPDX-License-Identifier: ISC */
/* Searching a directory, bounded in time and size. */
#ifndef POLICY_LDAP_SEARCH_H
#define POLICY_LDAP_SEARCH_H

#include <stdbool.h>

#include <ldap.h>

#include "base/compiler.h"

/* What to do with each entry of a search: 0, or anything else to stop. */
typedef int directory_entry_fn(void *arg, LDAP *ld, LDAPMessage *entry);

struct directory_query {
	const char *base;
	int scope;
	const char *filter;
	const char *const *attributes; /* NULL: all that users see */
	unsigned timeout_s;	       /* for each answer */
	/* Fail where a part of the subtree lives on another server, instead of
	 * passing over it: referrals are not followed. */
	bool must_be_whole;
	directory_entry_fn *entry;
	void *arg;
};

/*
 * libldap's own failures are small negative numbers, as -errno is: those of
 * ours are shifted out of their way.
 */
#define DIRECTORY_ERRNO(error) (-10000 - (error))

/*
 * Searches in pages (RFC 2696) until all entries were seen, holding one at a
 * time.  0; an LDAP result code; or what the callback returned.
 */
int directory_search(LDAP *ld, const struct directory_query *query) must_check;

/* What to do with each value: 0, or anything else to stop. */
typedef int directory_value_fn(
    void *arg, const char *attribute, const struct berval *value);

/*
 * The values of all attributes of an entry.  0; what the callback returned;
 * or LDAP_SIZELIMIT_EXCEEDED for an attribute that the server gives in part
 * only ("member;range=0-1499", Active Directory).
 */
int directory_values(LDAP *ld, LDAPMessage *entry, directory_value_fn *value,
    void *arg) must_check;

/* After such a result a connection is of no more use. */
bool directory_is_lost(int result);

/* What such a result means, for people: LDAP's codes and -errno. */
const char *directory_error(int result);

#endif
