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

#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/wire.h"
#include "policy/dn.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_groups.h"
#include "policy/ldap_template.h"
#include "policy/lookup_protocol.h"
#include "policy/subject.h"

#define NAME_SIZE	1024
#define WHY_SIZE	768
#define DEADLINE_FACTOR 3 /* timeouts that a question may take */

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
	struct groups_settings groups;
	LDAP *ld; /* NULL until somebody asks, or after a failure */
	SLIST_HEAD(, asker) askers;
};

/* ---- one user */

/* The user's entry: how many there were, and the first one's DN. */
struct found {
	unsigned count;
	char *dn;
};

static int
on_user(void *arg, LDAP *ld, LDAPMessage *entry)
{
	struct found *found = arg;

	if (found->count++ == 0)
		found->dn = ldap_get_dn(ld, entry);
	return 0;
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

/* 0 and a subject; an LDAP result or -errno, and why. */
static int
find_subject(struct finder *finder, const char *name, struct subject **subject,
    char why[WHY_SIZE])
{
	char no_attributes[] = LDAP_NO_ATTRS;
	char *attributes[] = {no_attributes, NULL};
	struct found found = {0, NULL};
	char *filter = user_filter(finder, name);
	int result;

	if (filter == NULL) {
		/* A name that cannot be asked for is nobody's. */
		*subject = subject_new(NULL);
		return *subject != NULL ? 0 : DIRECTORY_ERRNO(ENOMEM);
	}
	result =
	    directory_search(finder->ld, &finder->directory, finder->user_base,
		LDAP_SCOPE_SUBTREE, filter, attributes, on_user, &found);
	free(filter);
	if (result == 0 && found.count > 1) {
		(void)snprintf(why, WHY_SIZE,
		    "%u entries below %s match one user", found.count,
		    finder->user_base);
		result = DIRECTORY_ERRNO(ENOTUNIQ);
	} else if (result == 0 && found.count == 1 && found.dn == NULL) {
		result = DIRECTORY_ERRNO(ENOMEM);
	} else if (result == 0) {
		*subject = subject_new(found.dn);
		result = *subject != NULL ? 0 : DIRECTORY_ERRNO(errno);
	}
	if (result == 0 && found.dn != NULL)
		result = groups_find(finder->ld, &finder->directory,
		    &finder->groups, *subject, found.dn, why, WHY_SIZE);
	ldap_memfree(found.dn);
	return result;
}

/* True for what a new connection may mend. */
static bool
is_lost(int result)
{
	return result == LDAP_SERVER_DOWN || result == LDAP_TIMEOUT ||
	       result == LDAP_UNAVAILABLE || result == LDAP_BUSY ||
	       result == LDAP_CONNECT_ERROR;
}

/* Once on the connection that is there, once on a new one. */
static struct subject *
find(struct finder *finder, const char *name, char why[WHY_SIZE])
{
	struct subject *subject;
	int result = LDAP_SERVER_DOWN;

	for (int tries = 0; tries < 2; tries++) {
		if (finder->ld == NULL)
			finder->ld = directory_open(&finder->directory, why);
		if (finder->ld == NULL)
			return NULL;
		subject = NULL;
		why[0] = '\0';
		result = find_subject(finder, name, &subject, why);
		if (result == 0)
			return subject;
		subject_unref(subject);
		if (!is_lost(result))
			break;
		directory_close(finder->ld);
		finder->ld = NULL;
	}
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
	uint8_t data[TEXT_QUOTED_SIZE(WHY_SIZE) + 8];
	char quoted[TEXT_QUOTED_SIZE(WHY_SIZE)];
	struct wire_writer writer;

	(void)text_quote(quoted, sizeof(quoted), why, strlen(why));
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, quoted);
	answer(asker, id, LOOKUP_FAILED, data, writer.len);
}

static void
answer_subject(struct asker *asker, uint64_t id, const struct subject *subject)
{
	uint8_t *data;
	size_t len;

	if (subject->dn == NULL) {
		answer(asker, id, LOOKUP_NOBODY, NULL, 0);
		return;
	}
	if (lookup_subject_encode(subject, &data, &len) != 0) {
		answer_failed(asker, id, "the user has too many groups");
		return;
	}
	answer(asker, id, LOOKUP_SUBJECT, data, len);
	free(data);
}

static void
on_name(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	struct finder *finder = asker->finder;
	char name[NAME_SIZE], why[WHY_SIZE] = "";
	struct subject *subject;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, name, sizeof(name));
	if (!wire_is_done(&reader)) {
		answer_failed(asker, message->id, "the question is no name");
		return;
	}
	(void)alarm(finder->directory.timeout_s * DEADLINE_FACTOR);
	subject = find(finder, name, why);
	(void)alarm(0);
	if (subject != NULL)
		answer_subject(asker, message->id, subject);
	else
		answer_failed(asker, message->id, why);
	subject_unref(subject);
}

static const struct link_handler handlers[] = {
    {LOOKUP_NAME, 4, NAME_SIZE + 4, on_name},
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
	directory_settings_fini(&finder->directory);
	free(finder->user_base);
	free(finder->user_filter);
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
	finder->groups = (struct groups_settings){
	    .base = copy_option(options, "directory.group_base"),
	    .filter = copy_option(options, "directory.group_filter"),
	    .member_of = options_get_bool(options, "directory.member_of", true),
	    .nesting_max =
		(unsigned)options_get_u64(options, "directory.nesting_max", 16),
	    .groups_max = (unsigned)options_get_u64(
		options, "directory.groups_max", 4096),
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
