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
#include "policy/ldap_account.h"
#include "policy/ldap_group_filter.h"
#include "policy/ldap_ranges.h"
#include "policy/ldap_search.h"
#include "policy/provenance.h"
#include "policy/subject.h"

#define BATCH_MAX 32 /* members that one question is about */

/* A DN whose groups are asked for, once, in the order in which it was met. */
struct member {
	RB_ENTRY(member) node;
	STAILQ_ENTRY(member) entry;
	unsigned depth; /* 0: the user */
	bool is_final;	/* what it is a member of is known already */
	char *dn;	/* as the directory writes it */
	char *normalised;
	/* How it was found, where somebody wants to know. */
	enum origin origin;
	const struct member *through; /* what it is a group of */
	uint32_t index;		      /* of its finding */
};

struct search {
	LDAP *ld;
	const struct groups_settings *settings;
	const struct account *account;
	RB_HEAD(member_tree, member) met;
	STAILQ_HEAD(, member) todo;
	unsigned count;
	unsigned depth; /* of the member that is asked about */
	bool is_final;	/* of the groups that are found now */
	/* What finds them, and whose groups they are; both of meaning only
	 * where somebody wants to know. */
	enum origin origin;
	const struct member *through;
	struct provenance *provenance; /* NULL: nobody wants to know */
	char *why;
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
		(void)snprintf(search->why, DIRECTORY_WHY_SIZE,
		    "the user is in more than %u groups "
		    "(directory.groups_max)",
		    search->settings->groups_max);
		return DIRECTORY_ERRNO(E2BIG);
	}
	if (depth > search->settings->nesting_max) {
		(void)snprintf(search->why, DIRECTORY_WHY_SIZE,
		    "groups are nested deeper than %u "
		    "(directory.nesting_max)",
		    search->settings->nesting_max);
		return DIRECTORY_ERRNO(ELOOP);
	}
	return 0;
}

static bool
may_give(const struct search *search, const char *dn)
{
	const char *inside = search->settings->inside;

	return inside == NULL || dn_is_inside(dn, inside);
}

/* The filter has found it; this attribute of it is what it found. */
static void
note_origin(const struct search *search, struct member *met)
{
	bool is_vague =
	    met->origin == ORIGIN_FILTER || met->origin == ORIGIN_IN_CHAIN;

	if (is_vague && met->depth > 0 && met->through == search->through)
		met->origin = search->origin;
}

/* A DN that was met before is passed over: that ends every loop. */
static int
meet(struct search *search, const char *dn, size_t len, unsigned depth)
{
	struct member *member = calloc(1, sizeof(*member)), *met;
	int error;

	if (member == NULL)
		return DIRECTORY_ERRNO(ENOMEM);
	if (memchr(dn, '\0', len) != NULL) {
		free(member);
		return DIRECTORY_ERRNO(EINVAL);
	}
	member->depth = depth;
	member->is_final = search->is_final;
	member->origin = search->origin;
	member->through = search->through;
	member->dn = strndup(dn, len);
	if (member->dn != NULL)
		member->normalised = dn_normalise(member->dn);
	if (member->normalised == NULL) {
		error = member->dn != NULL ? errno : ENOMEM;
		member_free(member);
		return DIRECTORY_ERRNO(error);
	}
	if (!may_give(search, member->normalised)) {
		member_free(member);
		return 0;
	}
	met = RB_INSERT(member_tree, &search->met, member);
	if (met != NULL) {
		note_origin(search, met);
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

	(void)attribute;
	return meet(search, value->bv_val, value->bv_len, search->depth + 1);
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

/* ---- groups that name a member */

/* The filters of each member in one question.  NULL and errno. */
static char *
join_filters(const struct search *search, const char *template,
    struct member *const *members, size_t count)
{
	struct group_filter *filter = group_filter_new(template);

	for (size_t i = 0; i < count && filter != NULL; i++)
		group_filter_add(filter, members[i]->dn,
		    members[i]->depth == 0 ? search->account : NULL);
	return group_filter_end(filter);
}

static int
ask_filter(struct search *search, const char *filter, directory_entry_fn *entry)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	const struct directory_query query = {
	    .base = search->settings->base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .filter = filter,
	    .attributes = nothing,
	    .timeout_s = search->settings->timeout_s,
	    .entry = entry,
	    .arg = search,
	};

	return directory_search(search->ld, &query);
}

static int
ask_groups(struct search *search, struct member *const *members, size_t count)
{
	char *filter;
	int result;

	if (*search->settings->base == '\0')
		return 0;
	filter = join_filters(search, search->settings->filter, members, count);
	if (filter == NULL)
		return DIRECTORY_ERRNO(errno);
	search->is_final = search->settings->is_in_chain;
	search->origin = search->is_final ? ORIGIN_IN_CHAIN : ORIGIN_FILTER;
	result = ask_filter(search, filter, on_group);
	free(filter);
	return result;
}

/* Of those that the filter finds, which does this attribute find? */
static int
ask_way(
    struct search *search, const struct group_way *way, struct member *member)
{
	char *all = join_filters(search, search->settings->filter, &member, 1);
	char *narrow = join_filters(search, way->template, &member, 1);
	char *both = NULL;
	int result = DIRECTORY_ERRNO(ENOMEM);

	if (all != NULL && narrow != NULL &&
	    asprintf(&both, "(&%s%s)", all, narrow) < 0)
		both = NULL;
	search->origin = way->origin;
	if (both != NULL)
		result = ask_filter(search, both, on_group);
	free(all);
	free(narrow);
	free(both);
	return result;
}

/* Another search for each way in which the filter may have found them. */
static int
ask_how(struct search *search, struct member *member)
{
	unsigned met = search->count;
	int result = ask_groups(search, &member, 1);

	if (result != 0 || search->count == met)
		return result;
	for (const struct group_way *way = group_ways;
	     way->attribute != NULL && result == 0; way++)
		if (group_filter_names(
			search->settings->filter, way->attribute) &&
		    (member->depth == 0 || !way->is_of_users))
			result = ask_way(search, way, member);
	return result;
}

/* A group that was not met before ends the search. */
static int
on_any_group(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct search *search = arg;
	char *dn = ldap_get_dn(ld, entry);
	struct member key = {
	    .normalised = dn != NULL ? dn_normalise(dn) : NULL};
	bool is_new = key.normalised == NULL ||
		      (may_give(search, key.normalised) &&
			  RB_FIND(member_tree, &search->met, &key) == NULL);

	free(key.normalised);
	ldap_memfree(dn);
	return is_new ? DIRECTORY_ERRNO(EEXIST) : 0;
}

/* Most groups are in none: that is asked about many at once. */
static int
ask_whether(struct search *search, struct member *const *members, size_t count,
    bool *is_any)
{
	char *filter;
	int result;

	*is_any = false;
	if (*search->settings->base == '\0')
		return 0;
	filter = join_filters(search, search->settings->filter, members, count);
	if (filter == NULL)
		return DIRECTORY_ERRNO(errno);
	result = ask_filter(search, filter, on_any_group);
	free(filter);
	*is_any = result == DIRECTORY_ERRNO(EEXIST);
	return *is_any ? 0 : result;
}

/* ---- groups that a member names */

/* The user's primary group names nobody, and is not in memberOf. */
static int
ask_primary_group(struct search *search)
{
	const char *filter = search->account->primary_group;

	if (!search->settings->primary_group || *filter == '\0' ||
	    *search->settings->base == '\0')
		return 0;
	search->is_final = false;
	search->origin = ORIGIN_PRIMARY_GROUP;
	return ask_filter(search, filter, on_group);
}

static int
ask_member_of(struct search *search, const struct member *member)
{
	int result;

	if (!search->settings->member_of)
		return 0;
	search->is_final = search->settings->is_in_chain;
	search->origin = ORIGIN_MEMBER_OF;
	result = directory_read(search->ld, member->dn, "memberOf",
	    search->settings->timeout_s, on_value, search);
	/* A group may be named that is not there. */
	return result == LDAP_NO_SUCH_OBJECT ? 0 : result;
}

/* ---- all of them */

/* Members of one depth, as many as one question takes, from `first` on;
 * *last is the last that was looked at. */
static size_t
gather(struct member *first, struct member *members[BATCH_MAX],
    struct member **last)
{
	size_t count = 0;

	for (struct member *member = first;
	     member != NULL && count < BATCH_MAX &&
	     member->depth == first->depth;
	     member = STAILQ_NEXT(member, entry)) {
		*last = member;
		if (!member->is_final)
			members[count++] = member;
	}
	return count;
}

/* Whose groups they are matters: each by itself. */
static int
ask_about_each(
    struct search *search, struct member *const *members, size_t count)
{
	bool is_any = true;
	int result = 0;

	if (count > 1)
		result = ask_whether(search, members, count, &is_any);
	for (size_t i = 0; i < count && result == 0; i++) {
		search->through = members[i];
		if (is_any)
			result = ask_how(search, members[i]);
		if (result == 0)
			result = ask_member_of(search, members[i]);
	}
	return result;
}

static int
ask_about(struct search *search, struct member *const *members, size_t count)
{
	int result = 0;

	search->through = STAILQ_FIRST(&search->todo); /* the user */
	if (search->depth == 0)
		result = ask_primary_group(search);
	if (result == 0 && search->provenance != NULL)
		return ask_about_each(search, members, count);
	if (result == 0 && count > 0)
		result = ask_groups(search, members, count);
	for (size_t i = 0; i < count && result == 0; i++)
		result = ask_member_of(search, members[i]);
	return result;
}

static int
ask_all(struct search *search)
{
	struct member *members[BATCH_MAX], *last;
	struct member *next = STAILQ_FIRST(&search->todo);
	int result = 0;

	while (result == 0 && next != NULL) {
		size_t count = gather(next, members, &last);

		search->depth = next->depth;
		result = ask_about(search, members, count);
		next = STAILQ_NEXT(last, entry);
	}
	return result;
}

/* Who was asked about was met before. */
static int
note_finding(struct search *search, struct member *member)
{
	const struct member *through = member->through;
	bool is_nested = through != NULL && through->depth > 0;

	if (search->provenance == NULL)
		return 0;
	member->index = (uint32_t)search->provenance->count;
	return provenance_add(search->provenance, member->dn, member->origin,
	    is_nested ? through->index : FINDING_DIRECT);
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
		if (result == 0)
			result = note_finding(search, member);
		if (result != 0)
			return DIRECTORY_ERRNO(-result);
	}
	subject_finish(subject);
	return 0;
}

int
groups_find(LDAP *ld, const struct groups_settings *settings,
    struct subject *subject, const char *dn, const struct account *account,
    struct provenance *provenance, char why[DIRECTORY_WHY_SIZE])
{
	struct search search = {.ld = ld,
	    .settings = settings,
	    .account = account,
	    .provenance = provenance,
	    .why = why};
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
