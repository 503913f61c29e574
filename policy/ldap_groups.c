/* SPDX-License-Identifier: ISC */
/* The groups of a DN, and the groups that those are in. */
#include "policy/ldap_groups.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <strings.h>
#include <sys/tree.h>

#include "policy/dn.h"
#include "policy/ldap_search.h"
#include "policy/ldap_template.h"
#include "policy/subject.h"

#define BATCH_MAX 32 /* members that one question is about */

/* A DN whose groups are asked for, once, in the order in which it was met. */
struct member {
	RB_ENTRY(member) node;
	STAILQ_ENTRY(member) entry;
	unsigned depth; /* 0: the user */
	char *dn;	/* as the directory writes it */
	char *normalised;
};

struct search {
	LDAP *ld;
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
	int error;

	if (member == NULL)
		return DIRECTORY_ERRNO(ENOMEM);
	member->depth = depth;
	member->dn = strndup(dn, len);
	if (member->dn != NULL)
		member->normalised = dn_normalise(member->dn);
	if (member->normalised == NULL) {
		error = member->dn != NULL ? errno : ENOMEM;
		member_free(member);
		return DIRECTORY_ERRNO(error);
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
on_value(void *arg, const char *attribute, const struct berval *value)
{
	struct search *search = arg;

	if (strcasecmp(attribute, "memberOf") != 0)
		return 0;
	return meet(search, value->bv_val, value->bv_len, search->depth + 1);
}

static int
on_member_of(void *arg, LDAP *ld, LDAPMessage *entry)
{
	return directory_values(ld, entry, on_value, arg);
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

/* "(|", the filter of each member, ")": one question for many. */
static char *
join_filters(struct member *const *members, size_t count, const char *template)
{
	char *joined = NULL, *filter;
	size_t len;
	FILE *out = open_memstream(&joined, &len);
	int error = out == NULL ? ENOMEM : 0;

	if (out != NULL)
		(void)fputs("(|", out);
	for (size_t i = 0; i < count && error == 0; i++) {
		const struct template_value values[] = {
		    {'d', members[i]->dn}, {'\0', NULL}};

		filter = template_expand(template, values);
		if (filter == NULL)
			error = errno;
		else
			(void)fputs(filter, out);
		free(filter);
	}
	if (out != NULL)
		(void)fputc(')', out);
	if (out != NULL && fclose(out) != 0)
		error = ENOMEM;
	if (error == 0)
		return joined;
	free(joined);
	errno = error;
	return NULL;
}

/* Groups that name one of the members. */
static int
ask_groups(struct search *search, struct member *const *members, size_t count)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	struct directory_query query = {
	    .base = search->settings->base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .attributes = nothing,
	    .timeout_s = search->settings->timeout_s,
	    .entry = on_group,
	    .arg = search,
	};
	char *filter;
	int result;

	if (*search->settings->base == '\0')
		return 0;
	filter = join_filters(members, count, search->settings->filter);
	if (filter == NULL)
		return DIRECTORY_ERRNO(errno);
	query.filter = filter;
	result = directory_search(search->ld, &query);
	free(filter);
	return result;
}

/* Groups that the member names. */
static int
ask_member_of(struct search *search, const struct member *member)
{
	static const char *const member_of[] = {"memberOf", NULL};
	const struct directory_query query = {
	    .base = member->dn,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = "(objectClass=*)",
	    .attributes = member_of,
	    .timeout_s = search->settings->timeout_s,
	    .entry = on_member_of,
	    .arg = search,
	};
	int result;

	if (!search->settings->member_of)
		return 0;
	result = directory_search(search->ld, &query);
	/* A group may be named that is not there. */
	return result == LDAP_NO_SUCH_OBJECT ? 0 : result;
}

/* Members of one depth, as many as one question takes, from `first` on. */
static size_t
gather(struct member *first, struct member *members[BATCH_MAX])
{
	size_t count = 0;

	for (struct member *member = first;
	     member != NULL && count < BATCH_MAX &&
	     member->depth == first->depth;
	     member = STAILQ_NEXT(member, entry))
		members[count++] = member;
	return count;
}

static int
ask_all(struct search *search)
{
	struct member *members[BATCH_MAX];
	struct member *next = STAILQ_FIRST(&search->todo);
	int result = 0;

	while (result == 0 && next != NULL) {
		size_t count = gather(next, members);

		search->depth = next->depth;
		result = ask_groups(search, members, count);
		for (size_t i = 0; i < count && result == 0; i++)
			result = ask_member_of(search, members[i]);
		next = STAILQ_NEXT(members[count - 1], entry);
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
groups_find(LDAP *ld, const struct groups_settings *settings,
    struct subject *subject, const char *dn, char *why, size_t why_size)
{
	struct search search = {
	    .ld = ld, .settings = settings, .why = why, .why_size = why_size};
	struct member *member;
	int result;

	RB_INIT(&search.met);
	STAILQ_INIT(&search.todo);
	result = meet(&search, dn, strlen(dn), 0);
	if (result == 0)
		result = ask_all(&search);
	if (result == 0)
		result = fill_subject(&search, subject);
	while ((member = STAILQ_FIRST(&search.todo)) != NULL) {
		STAILQ_REMOVE_HEAD(&search.todo, entry);
		member_free(member);
	}
	return result;
}
