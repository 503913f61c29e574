/* SPDX-License-Identifier: ISC */
/*
 * directory-lookup: finds one user's DN and groups in the directory.
 *
 * libldap may block.  Each question runs under an alarm that kills the
 * program past its deadline; the master starts it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/secret.h"
#include "base/wire.h"
#include "policy/ldap_account.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_groups.h"
#include "policy/ldap_search.h"
#include "policy/ldap_template.h"
#include "policy/lookup_protocol.h"
#include "policy/subject.h"

#define NAME_SIZE	1024
#define WHY_SIZE	DIRECTORY_WHY_SIZE
#define DEADLINE_FACTOR 3 /* timeouts that a question may take */
#define OPENING_FACTOR	1 /* ... after which no further server is tried */
#define RETRY_US	1000000

/* A link to one worker thread of the gateway. */
struct asker {
	SLIST_ENTRY(asker) entry;
	struct finder *finder;
	uint32_t slot;
	struct link *link;
};

struct finder {
	struct program *program;
	struct secret *password; /* arrived for the next configuration */
	struct directory_settings directory;
	char *user_base;
	char *user_filter;
	char *account_filter; /* "": every account is good */
	bool require_entry;
	struct groups_settings groups;
	LDAP *ld;	   /* NULL until somebody asks, or after a failure */
	uint64_t retry_us; /* until then no server is tried anew ... */
	char last_why[WHY_SIZE]; /* ... because of this */
	SLIST_HEAD(, asker) askers;
};

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
    char why[WHY_SIZE])
{
	struct account account;
	int result = account_read(finder->ld, dn, finder->account_filter,
	    finder->directory.timeout_s, &account);

	subject->is_disabled = !account.is_good;
	if (result == 0 && account.is_good)
		result = groups_find(finder->ld, &finder->groups, subject, dn,
		    &account, why, WHY_SIZE);
	account_fini(&account);
	return result;
}

/* 0 and a subject; or what directory_error explains, and maybe why. */
static int
find_subject(struct finder *finder, const char *name, struct subject **subject,
    char why[WHY_SIZE])
{
	char *dn = NULL;
	int result = find_user(finder, name, &dn);

	if (result == DIRECTORY_ERRNO(ENOTUNIQ))
		(void)snprintf(why, WHY_SIZE,
		    "more than one entry below %s is the user",
		    finder->user_base);
	if (result == 0) {
		*subject = subject_new(dn);
		result = *subject != NULL ? 0 : DIRECTORY_ERRNO(errno);
	}
	if (result == 0 && dn != NULL)
		result = fill_subject(finder, *subject, dn, why);
	else if (result == 0)
		(*subject)->is_disabled = finder->require_entry;
	ldap_memfree(dn);
	return result;
}

/* While no server answers, those who wait in line are told so at once. */
static bool
open_directory(struct finder *finder)
{
	if (finder->ld != NULL)
		return true;
	if (clock_monotonic_us() < finder->retry_us)
		return false;
	finder->ld = directory_open(&finder->directory,
	    finder->directory.timeout_s * OPENING_FACTOR, finder->last_why);
	if (finder->ld == NULL)
		finder->retry_us = clock_monotonic_us() + RETRY_US;
	return finder->ld != NULL;
}

/* A server may have closed a connection that was idle: once on the one that
 * is there, once on a new one. */
static struct subject *
find(struct finder *finder, const char *name, char why[WHY_SIZE])
{
	struct subject *subject;
	int result = LDAP_SERVER_DOWN;
	bool was_open;

	do {
		was_open = finder->ld != NULL;
		if (!open_directory(finder)) {
			(void)strlcpy(why, finder->last_why, WHY_SIZE);
			return NULL;
		}
		subject = NULL;
		result = find_subject(finder, name, &subject, why);
		if (result == 0)
			return subject;
		subject_unref(subject);
		if (directory_is_lost(result)) {
			directory_close(finder->ld);
			finder->ld = NULL;
		}
	} while (was_open && result == LDAP_SERVER_DOWN);
	if (why[0] == '\0')
		(void)strlcpy(why, directory_error(result), WHY_SIZE);
	return NULL;
}

/* ---- the questions */

static void
answer(struct asker *asker, uint64_t id, uint16_t type, const void *data,
    size_t len)
{
	if (link_send(asker->link, type, id, data, len) != 0)
		log_warning(NULL, "an answer could not be sent");
}

static void
answer_failed(struct asker *asker, uint64_t id, const char *why)
{
	uint8_t data[WHY_SIZE + 8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, why);
	answer(asker, id, LOOKUP_FAILED, data, writer.len);
}

/* Groups that do not fit into the answer go ahead.  0 or -errno. */
static int
send_subject(struct asker *asker, uint64_t id, uint32_t number,
    const struct subject *subject)
{
	uint8_t *data;
	size_t len, first = 0;
	int result;

	while ((result = lookup_subject_encode(subject, first, &data, &len)) ==
	       -EMSGSIZE) {
		result =
		    lookup_groups_encode(subject, &first, number, &data, &len);
		if (result == 0)
			result =
			    link_send(asker->link, LOOKUP_GROUPS, 0, data, len);
		free(data);
		if (result != 0)
			return result;
	}
	if (result != 0)
		return result;
	answer(asker, id, LOOKUP_SUBJECT, data, len);
	free(data);
	return 0;
}

static void
answer_subject(struct asker *asker, uint64_t id, uint32_t number,
    const struct subject *subject)
{
	int result;

	if (subject->dn == NULL && !subject->is_disabled) {
		answer(asker, id, LOOKUP_NOBODY, NULL, 0);
		return;
	}
	result = send_subject(asker, id, number, subject);
	if (result != 0)
		answer_failed(asker, id, strerror(-result));
}

static void
on_name(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	struct finder *finder = asker->finder;
	char name[NAME_SIZE], why[WHY_SIZE] = "";
	struct subject *subject;
	struct wire_reader reader;
	uint32_t number;

	wire_reader_init(&reader, message->data, message->len);
	number = wire_get_u32(&reader);
	wire_get_string(&reader, name, sizeof(name));
	if (!wire_is_done(&reader)) {
		answer_failed(asker, message->id, "the question is no name");
		return;
	}
	(void)alarm(finder->directory.timeout_s * DEADLINE_FACTOR);
	subject = find(finder, name, why);
	(void)alarm(0);
	if (subject != NULL)
		answer_subject(asker, message->id, number, subject);
	else
		answer_failed(asker, message->id, why);
	subject_unref(subject);
}

static const struct link_handler handlers[] = {
    {LOOKUP_NAME, 8, NAME_SIZE + 8, on_name},
    {.handle = NULL},
};

static void
asker_free(void *arg)
{
	struct asker *asker = arg;

	SLIST_REMOVE(&asker->finder->askers, asker, asker, entry);
	link_free(asker->link);
	free(asker);
}

/* ---- the frame */

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct finder *finder = state;
	struct asker *asker, *next;

	(void)index;
	if (peer != ROLE_GATEWAY) {
		(void)close(fd);
		return;
	}
	SLIST_FOREACH_SAFE(asker, &finder->askers, entry, next)
	if (asker->slot == slot)
		asker_free(asker);
	asker = must_alloc(1, sizeof(*asker));
	asker->finder = finder;
	asker->slot = slot;
	asker->link = link_new(
	    program_base(finder->program), fd, handlers, asker_free, asker);
	if (asker->link == NULL) {
		log_error(
		    NULL, "a worker cannot be linked: %s", strerror(errno));
		free(asker);
		return;
	}
	SLIST_INSERT_HEAD(&finder->askers, asker, entry);
}

static void
start(void *state, struct program *program)
{
	struct finder *finder = state;

	finder->program = program;
	SLIST_INIT(&finder->askers);
}

static void
take_file(void *state, const char *name, int fd)
{
	struct finder *finder = state;

	if (strcmp(name, "directory.password") == 0) {
		secret_free(finder->password);
		finder->password = secret_read(fd);
	}
	(void)close(fd);
}

static char *
copy_option(const struct options *options, const char *name)
{
	return must_strdup(options_get(options, name, ""));
}

static void
forget_settings(struct finder *finder)
{
	directory_close(finder->ld);
	finder->ld = NULL;
	finder->retry_us = 0;
	directory_settings_fini(&finder->directory);
	free(finder->user_base);
	free(finder->user_filter);
	free(finder->account_filter);
	free(finder->groups.base);
	free(finder->groups.filter);
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct finder *finder = state;

	(void)why;
	(void)why_size;
	forget_settings(finder);
	directory_settings_init(&finder->directory, options, finder->password);
	finder->password = NULL;
	directory_settings_export(&finder->directory);
	finder->user_base = copy_option(options, "directory.user_base");
	finder->user_filter = copy_option(options, "directory.user_filter");
	finder->account_filter =
	    copy_option(options, "directory.account_filter");
	finder->require_entry =
	    options_get_bool(options, "directory.require_entry", false);
	finder->groups = (struct groups_settings){
	    .base = copy_option(options, "directory.group_base"),
	    .filter = copy_option(options, "directory.group_filter"),
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
	return 0;
}

static void
stop(void *state)
{
	struct finder *finder = state;

	while (!SLIST_EMPTY(&finder->askers))
		asker_free(SLIST_FIRST(&finder->askers));
	forget_settings(finder);
	secret_free(finder->password);
	program_exit(finder->program);
}

static const struct program_functions functions = {
    .role = ROLE_DIRECTORY_LOOKUP,
    .configure = configure,
    .file = take_file,
    .linked = linked,
    .stop = stop,
};

int
main(int argc, char **argv)
{
	static struct finder finder;

	program_run(&functions, start, &finder, argc, argv);
}
