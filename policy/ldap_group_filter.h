/* SPDX-License-Identifier: ISC */
/* Filters for the groups that name a member, and the ways in which they may. */
#ifndef POLICY_LDAP_GROUP_FILTER_H
#define POLICY_LDAP_GROUP_FILTER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "policy/provenance.h"

struct account;
struct group_filter;

/*
 * One filter for the groups of many members, "(|", a filter for each, ")", of
 * a template: %d is the member's DN, %u a name of it.  What goes wrong is said
 * at the end.
 */
struct group_filter *group_filter_new(const char *template) must_check;
/* A user has an account, which has names; of a group (NULL) nothing is known
 * but its DN. */
void group_filter_add(
    struct group_filter *filter, const char *dn, const struct account *account);
/* The filter, malloc'ed; or NULL and errno, as template_expand's.  NULL is what
 * group_filter_new may have returned. */
char *group_filter_end(struct group_filter *filter) must_check;

/* "(member=", "(member:" and so on are in the filter. */
bool group_filter_names(const char *filter, const char *attribute);

/* An attribute of groups that names their members. */
struct group_way {
	const char *attribute;
	const char *template;
	enum origin origin;
	bool is_of_users; /* a group is never named so */
};

/* Ends with a row without attribute. */
extern const struct group_way group_ways[];

#endif
