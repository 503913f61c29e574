/* SPDX-License-Identifier: ISC */
/* The groups of a DN, and the groups that those are in. */
#include "policy/ldap_groups.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "policy/dn.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_template.h"
#include "policy/subject.h"

/* A DN whose groups are asked for, once, in the order in which it was met. */
struct member {
	RB_ENTRY(member) node;
	STAILQ_ENTRY(member) entry;
	unsigned depth; /* 0: the user */
	char *dn;	/* as the directory writes it */
	char *normalised;
};

struct search {
	const struct groups_settings *settings;
	RB_HEAD(member_tree, member) met;
	STAILQ_HEAD(, member) todo;
	unsigned count;
	unsigned depth; /* of the member that is asked about */
	char *why;
	size_t why_size;
};

static int
compare(struct member *a, struct member *b)
{
	return strcmp(a->normalised, b->normalised);
}

RB_PROTOTYPE_INTERNAL(
    member_tree, member, node, compare, static __attribute__((unused)))
RB_GENERATE_INTERNAL(
    member_tree, member, node, compare, static __attribute__((unused)))

static void
member_free(struct member *member)
{
	free(member->dn);
	free(member->normalised);
	free(member);
}

static int
check_bounds(struct search *search, unsigned depth)
{
	if (search->count > search->settings->groups_max) {
		(void)snprintf(search->why, search->why_size,
		    "the user is in more than %u groups "
		    "(directory.groups_max)",
		    search->settings->groups_max);
		return DIRECTORY_ERRNO(E2BIG);
	}
	if (depth > search->settings->nesting_max) {
		(void)snprintf(search->why, search->why_size,
		    "groups are nested deeper than %u "
		    "(directory.nesting_max)",
		    search->settings->nesting_max);
		return DIRECTORY_ERRNO(ELOOP);
	}
	return 0;
}

/* A DN that was met before is passed over: that ends every loop. */
static int
meet(struct search *search, const char *dn, size_t len, unsigned depth)
{
	struct member *member = calloc(1, sizeof(*member));

	if (member == NULL)
		return DIRECTORY_ERRNO(ENOMEM);
	member->depth = depth;
	member->dn = strndup(dn, len);
	if (member->dn != NULL)
		member->normalised = dn_normalise(member->dn);
	if (member->normalised == NULL) {
		member_free(member);
		return DIRECTORY_ERRNO(ENOMEM);
	}
	if (RB_INSERT(member_tree, &search->met, member) != NULL) {
		member_free(member);
		return 0;
	}
	STAILQ_INSERT_TAIL(&search->todo, member, entry);
	search->count += depth > 0;
	return check_bounds(search, depth);
}

static int
on_group(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct search *search = arg;
	char *dn = ldap_get_dn(ld, entry);
	int result = DIRECTORY_ERRNO(ENOMEM);

	if (dn != NULL)
		result = meet(search, dn, strlen(dn), search->depth + 1);
	ldap_memfree(dn);
	return result;
}

static int
on_member_of(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct search *search = arg;
	struct berval **values = ldap_get_values_len(ld, entry, "memberOf");
	int result = 0;

	for (size_t i = 0; values != NULL && values[i] != NULL && result == 0;
	     i++)
		result = meet(search, values[i]->bv_val, values[i]->bv_len,
		    search->depth + 1);
	ldap_value_free_len(values);
	return result;
}

/* Groups that name the member. */
static int
ask_groups(LDAP *ld, const struct directory_settings *directory,
    struct search *search, const struct member *member)
{
	char no_attributes[] = LDAP_NO_ATTRS;
	char *attributes[] = {no_attributes, NULL};
	const struct template_value values[] = {
	    {'d', member->dn}, {'\0', NULL}};
	char *filter;
	int result;

	if (*search->settings->base == '\0')
		return 0;
	filter = template_expand(search->settings->filter, values);
	if (filter == NULL)
		return DIRECTORY_ERRNO(errno);
	result = directory_search(ld, directory, search->settings->base,
	    LDAP_SCOPE_SUBTREE, filter, attributes, on_group, search);
	free(filter);
	return result;
}

/* Groups that the member names. */
static int
ask_member_of(LDAP *ld, const struct directory_settings *directory,
    struct search *search, const struct member *member)
{
	char member_of[] = "memberOf", any[] = "(objectClass=*)";
	char *attributes[] = {member_of, NULL};
	int result;

	if (!search->settings->member_of)
		return 0;
	result = directory_search(ld, directory, member->dn, LDAP_SCOPE_BASE,
	    any, attributes, on_member_of, search);
	/* A group may be named that is not there. */
	return result == LDAP_NO_SUCH_OBJECT ? 0 : result;
}

static int
ask_all(
    LDAP *ld, const struct directory_settings *directory, struct search *search)
{
	struct member *member;
	int result = 0;

	STAILQ_FOREACH (member, &search->todo, entry) {
		search->depth = member->depth;
		result = ask_groups(ld, directory, search, member);
		if (result == 0)
			result = ask_member_of(ld, directory, search, member);
		if (result != 0)
			break;
	}
	return result;
}

/* Everything met but the user itself is a group. */
static int
fill_subject(struct search *search, struct subject *subject)
{
	struct member *member;
	int result;

	STAILQ_FOREACH (member, &search->todo, entry) {
		if (member->depth == 0)
			continue;
		result = subject_add_group(subject, member->dn);
		if (result != 0)
			return DIRECTORY_ERRNO(-result);
	}
	subject_finish(subject);
	return 0;
}

int
groups_find(LDAP *ld, const struct directory_settings *directory,
    const struct groups_settings *settings, struct subject *subject,
    const char *dn, char *why, size_t why_size)
{
	struct search search = {
	    .settings = settings, .why = why, .why_size = why_size};
	struct member *member;
	int result;

	RB_INIT(&search.met);
	STAILQ_INIT(&search.todo);
	result = meet(&search, dn, strlen(dn), 0);
	if (result == 0)
		result = ask_all(ld, directory, &search);
	if (result == 0)
		result = fill_subject(&search, subject);
	while ((member = STAILQ_FIRST(&search.todo)) != NULL) {
		STAILQ_REMOVE_HEAD(&search.todo, entry);
		member_free(member);
	}
	return result;
}
