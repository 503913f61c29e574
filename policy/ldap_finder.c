/* SPDX-License-Identifier: ISC */
/* One user's DN, account and groups in one directory. */
#include "policy/ldap_finder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/options.h"
#include "base/realm_line.h"
#include "policy/dn.h"
#include "policy/ldap_account.h"
#include "policy/ldap_groups.h"
#include "policy/ldap_search.h"
#include "policy/ldap_template.h"
#include "policy/subject.h"

#define NAME_SIZE 1024
#define RETRY_US  1000000

struct finder {
	struct directory_settings directory;
	char *user_base;
	char *user_filter;
	char *account_filter; /* "": every account is good */
	bool require_entry;
	struct groups_settings groups;
	LDAP *ld;	   /* NULL until somebody asks, or after a failure */
	uint64_t retry_us; /* until then no server is tried anew ... */
	char last_why[DIRECTORY_WHY_SIZE]; /* ... because of this */
};

/* ---- settings */

static void
take_groups(struct finder *finder, const struct options *options)
{
	finder->groups = (struct groups_settings){
	    .base = options_copy(options, "directory.group_base"),
	    .filter = options_copy(options, "directory.group_filter"),
	    .member_of = options_get_bool(options, "directory.member_of", true),
	    .is_in_chain =
		strcmp(options_get(options, "directory.nested", "search"),
		    "in_chain") == 0,
	    .primary_group =
		options_get_bool(options, "directory.primary_group", false),
	    .nesting_max =
		(unsigned)options_get_u64(options, "directory.nesting_max", 16),
	    .groups_max = (unsigned)options_get_u64(
		options, "directory.groups_max", 4096),
	    .timeout_s = finder->directory.timeout_s,
	};
}

static void
replace(char **text, const char *with)
{
	free(*text);
	*text = must_strdup(with);
}

/* Servers and places of its own; the rest is as in the other directory. */
static void
take_realm(struct finder *finder, const struct realm_line *realm)
{
	char uris[REALM_TEXT_SIZE], *next = uris;
	const char *uri;

	(void)strlcpy(uris, realm->uris, sizeof(uris));
	directory_settings_servers(&finder->directory, NULL);
	while ((uri = strsep(&next, ",")) != NULL)
		directory_settings_servers(&finder->directory, uri);
	replace(&finder->user_base, realm->base);
	replace(&finder->groups.base, realm->base);
	finder->groups.inside = dn_normalise(realm->base);
	must(finder->groups.inside != NULL);
	if (realm->filter[0] != '\0')
		replace(&finder->user_filter, realm->filter);
}

struct finder *
finder_new(const struct options *options, const struct realm_line *realm,
    struct secret *password)
{
	struct finder *finder = must_alloc(1, sizeof(*finder));

	directory_settings_init(&finder->directory, options, password);
	directory_settings_export(&finder->directory);
	finder->user_base = options_copy(options, "directory.user_base");
	finder->user_filter = options_copy(options, "directory.user_filter");
	finder->account_filter =
	    options_copy(options, "directory.account_filter");
	finder->require_entry =
	    options_get_bool(options, "directory.require_entry", false);
	take_groups(finder, options);
	if (realm != NULL)
		take_realm(finder, realm);
	return finder;
}

void
finder_free(struct finder *finder)
{
	if (finder == NULL)
		return;
	directory_close(finder->ld);
	directory_settings_fini(&finder->directory);
	free(finder->user_base);
	free(finder->user_filter);
	free(finder->account_filter);
	free(finder->groups.base);
	free(finder->groups.filter);
	free(finder->groups.inside);
	free(finder);
}

unsigned
finder_timeout_s(const struct finder *finder)
{
	return finder->directory.timeout_s;
}

/* ---- one user */

/* One entry is the user; a second one makes it nobody's. */
static int
on_user(void *arg, LDAP *ld, LDAPMessage *entry)
{
	char **dn = arg;

	if (*dn != NULL)
		return DIRECTORY_ERRNO(ENOTUNIQ);
	*dn = ldap_get_dn(ld, entry);
	return *dn != NULL ? 0 : DIRECTORY_ERRNO(ENOMEM);
}

/* alice/admin@EXAMPLE.COM: %u is alice/admin, %r EXAMPLE.COM. */
static char *
user_filter(const struct finder *finder, const char *name)
{
	char user[NAME_SIZE];
	const char *realm = strrchr(name, '@');
	const struct template_value values[] = {
	    {'p', name},
	    {'u', user},
	    {'r', realm != NULL ? realm + 1 : ""},
	    {'\0', NULL},
	};

	(void)strlcpy(user, name, sizeof(user));
	if (realm != NULL && realm - name < (ptrdiff_t)sizeof(user))
		user[realm - name] = '\0';
	return template_expand(finder->user_filter, values);
}

/* *dn is NULL if there is no such user. */
static int
find_user(struct finder *finder, const char *name, char **dn)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	struct directory_query query = {
	    .base = finder->user_base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .attributes = nothing,
	    .timeout_s = finder->directory.timeout_s,
	    .entry = on_user,
	    .arg = dn,
	};
	char *filter = user_filter(finder, name);
	int result;

	/* A name that cannot be asked for is nobody's. */
	if (filter == NULL)
		return errno == EINVAL ? 0 : DIRECTORY_ERRNO(errno);
	query.filter = filter;
	result = directory_search(finder->ld, &query);
	free(filter);
	return result;
}

/* Groups count for nothing where the account is not good. */
static int
fill_subject(struct finder *finder, struct subject *subject, const char *dn,
    struct provenance *provenance, char why[DIRECTORY_WHY_SIZE])
{
	struct account account;
	int result = account_read(finder->ld, dn, finder->account_filter,
	    finder->directory.timeout_s, &account);

	subject->is_disabled = !account.is_good;
	if (result == 0 && account.is_good)
		result = groups_find(finder->ld, &finder->groups, subject, dn,
		    &account, provenance, why);
	account_fini(&account);
	return result;
}

/* What is asked of a directory, over a connection that may have to be made
 * anew. */
struct finder_question {
	const char *text;	       /* a user's name, or a DN */
	struct provenance *provenance; /* or NULL */
	struct subject *subject;       /* the answer about a user */
	bool is_there;		       /* ... about a DN */
	int (*ask)(struct finder *finder, struct finder_question *question,
	    char why[DIRECTORY_WHY_SIZE]);
};

/* 0 and a subject; or what directory_error explains, and maybe why. */
static int
find_subject(struct finder *finder, struct finder_question *question,
    char why[DIRECTORY_WHY_SIZE])
{
	struct subject **subject = &question->subject;
	const char *name = question->text;
	char *dn = NULL;
	int result = find_user(finder, name, &dn);

	if (result == DIRECTORY_ERRNO(ENOTUNIQ))
		(void)snprintf(why, DIRECTORY_WHY_SIZE,
		    "more than one entry below %s is the user",
		    finder->user_base);
	if (result == 0) {
		*subject = subject_new(dn);
		result = *subject != NULL ? 0 : DIRECTORY_ERRNO(errno);
	}
	if (result == 0 && dn != NULL && finder->groups.inside != NULL &&
	    !dn_is_inside((*subject)->dn, finder->groups.inside))
		result = DIRECTORY_ERRNO(EPERM);
	if (result == 0 && dn != NULL)
		result = fill_subject(
		    finder, *subject, dn, question->provenance, why);
	else if (result == 0)
		(*subject)->is_disabled = finder->require_entry;
	ldap_memfree(dn);
	return result;
}

/* ---- one entry */

static int
on_entry(void *arg, LDAP *ld, LDAPMessage *entry)
{
	(void)arg;
	(void)ld;
	(void)entry;
	return 0;
}

/* Where the base is not there the server says so (RFC 4511 section 4.5.1);
 * whoever may find an entry need not be allowed to see its class. */
static int
look_for_entry(struct finder *finder, struct finder_question *question,
    char why[DIRECTORY_WHY_SIZE])
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	const struct directory_query query = {
	    .base = question->text,
	    .scope = LDAP_SCOPE_BASE,
	    .filter = "(objectClass=*)",
	    .attributes = nothing,
	    .timeout_s = finder->directory.timeout_s,
	    .must_be_whole = true,
	    .entry = on_entry,
	};
	int result = directory_search(finder->ld, &query);

	(void)why;
	question->is_there = result == 0;
	return result == LDAP_NO_SUCH_OBJECT ? 0 : result;
}

bool
finder_has(const struct finder *finder, const char *dn)
{
	return finder->groups.inside != NULL &&
	       dn_is_inside(dn, finder->groups.inside);
}

/* ---- asking */

/* While no server answers, those who wait in line are told so at once. */
static bool
open_directory(struct finder *finder)
{
	if (finder->ld != NULL)
		return true;
	if (clock_monotonic_us() < finder->retry_us)
		return false;
	finder->ld = directory_open(
	    &finder->directory, finder->directory.timeout_s, finder->last_why);
	if (finder->ld == NULL)
		finder->retry_us = clock_monotonic_us() + RETRY_US;
	return finder->ld != NULL;
}

/* A server may have closed a connection that was idle: once on the one that
 * is there, once on a new one.  False and why. */
static bool
ask(struct finder *finder, struct finder_question *question,
    char why[DIRECTORY_WHY_SIZE])
{
	int result = LDAP_SERVER_DOWN;
	bool was_open;

	do {
		was_open = finder->ld != NULL;
		if (!open_directory(finder)) {
			(void)strlcpy(
			    why, finder->last_why, DIRECTORY_WHY_SIZE);
			return false;
		}
		result = question->ask(finder, question, why);
		if (result == 0)
			return true;
		subject_unref(question->subject);
		question->subject = NULL;
		if (directory_is_lost(result)) {
			directory_close(finder->ld);
			finder->ld = NULL;
		}
	} while (was_open && result == LDAP_SERVER_DOWN);
	if (why[0] == '\0')
		(void)strlcpy(why, directory_error(result), DIRECTORY_WHY_SIZE);
	return false;
}

struct subject *
finder_find(struct finder *finder, const char *name,
    struct provenance *provenance, char why[DIRECTORY_WHY_SIZE])
{
	struct finder_question question = {
	    .text = name, .provenance = provenance, .ask = find_subject};

	return ask(finder, &question, why) ? question.subject : NULL;
}

int
finder_look(struct finder *finder, const char *dn, char why[DIRECTORY_WHY_SIZE])
{
	struct finder_question question = {.text = dn, .ask = look_for_entry};

	return ask(finder, &question, why) ? question.is_there : -1;
}
