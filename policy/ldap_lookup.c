/* SPDX-License-Identifier: ISC */
/*
 * directory-lookup: finds one user's DN and groups in the directory; for who
 * wants to know why, also where the groups come from, and whether an entry is
 * there.
 *
 * libldap may block.  Each question runs under an alarm that kills the
 * program past its deadline; the master starts it again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/sandbox_confine.h"
#include "base/realm_line.h"
#include "base/secret.h"
#include "base/wire.h"
#include "policy/dn.h"
#include "policy/ldap_finder.h"
#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"

#define NAME_SIZE	1024
#define WHY_SIZE	DIRECTORY_WHY_SIZE
#define DEADLINE_FACTOR 3 /* timeouts that a question may take */

/* A link to one worker thread of the gateway. */
struct asker {
	SLIST_ENTRY(asker) entry;
	struct lookup_program *lookups;
	uint32_t slot;
	struct link *link;
};

struct lookup_program {
	struct program *program;
	struct secret *password; /* for the next configuration */
	struct finder *finder;
	size_t realm_count;
	struct {
		char name[REALM_NAME_SIZE];
		struct finder *finder;
	} realms[REALMS_MAX]; /* with directories of their own */
	SLIST_HEAD(, asker) askers;
};

/* ---- whose directory it is */

/* A realm's own, or that of all others. */
static struct finder *
find_finder(struct lookup_program *lookups, const char *name)
{
	for (size_t i = 0; i < lookups->realm_count; i++)
		if (strcmp(lookups->realms[i].name, realm_of(name)) == 0)
			return lookups->realms[i].finder;
	return lookups->finder;
}

/* The same, of an entry. */
static struct finder *
find_finder_of_dn(struct lookup_program *lookups, const char *normalised)
{
	for (size_t i = 0; i < lookups->realm_count; i++)
		if (finder_has(lookups->realms[i].finder, normalised))
			return lookups->realms[i].finder;
	return lookups->finder;
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

/* All groups go ahead, each with how it was found.  0 or -errno. */
static int
send_findings(
    struct asker *asker, uint32_t number, const struct provenance *provenance)
{
	size_t len, first = 0;
	uint8_t *data;
	int result = 0;

	while (result == 0 && first < provenance->count) {
		result = lookup_findings_encode(
		    provenance, &first, number, &data, &len);
		if (result == 0)
			result = link_send(
			    asker->link, LOOKUP_FINDINGS, 0, data, len);
		free(data);
	}
	return result;
}

static int
send_explained(struct asker *asker, uint64_t id, uint32_t number,
    const struct subject *subject, const struct provenance *provenance)
{
	uint8_t *data;
	size_t len;
	int result = send_findings(asker, number, provenance);

	if (result == 0)
		result =
		    lookup_subject_encode(subject, subject->count, &data, &len);
	if (result != 0)
		return result;
	answer(asker, id, LOOKUP_SUBJECT, data, len);
	free(data);
	return 0;
}

/* `provenance` is NULL where nobody wants to know. */
static void
answer_subject(struct asker *asker, uint64_t id, uint32_t number,
    const struct subject *subject, const struct provenance *provenance)
{
	int result;

	if (subject->dn == NULL && !subject->is_disabled) {
		answer(asker, id, LOOKUP_NOBODY, NULL, 0);
		return;
	}
	if (provenance == NULL)
		result = send_subject(asker, id, number, subject);
	else
		result = send_explained(asker, id, number, subject, provenance);
	if (result != 0)
		answer_failed(asker, id, strerror(-result));
}

static void
find_and_answer(struct asker *asker, const struct link_message *message,
    struct provenance *provenance)
{
	struct finder *finder;
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
	finder = find_finder(asker->lookups, name);
	(void)alarm(finder_timeout_s(finder) * DEADLINE_FACTOR);
	subject = finder_find(finder, name, provenance, why);
	(void)alarm(0);
	if (subject != NULL)
		answer_subject(asker, message->id, number, subject, provenance);
	else
		answer_failed(asker, message->id, why);
	subject_unref(subject);
}

static void
on_name(void *arg, struct link_message *message)
{
	find_and_answer(arg, message, NULL);
}

static void
on_explain(void *arg, struct link_message *message)
{
	struct provenance *provenance = provenance_new();

	if (provenance != NULL)
		find_and_answer(arg, message, provenance);
	else
		answer_failed(arg, message->id, strerror(ENOMEM));
	provenance_free(provenance);
}

/* 1, 0, or -1 and why, as finder_look. */
static int
look(struct lookup_program *lookups, const char *dn, char why[WHY_SIZE])
{
	char *normalised = dn_normalise(dn);
	struct finder *finder;
	int result;

	if (normalised == NULL) {
		(void)strlcpy(why,
		    errno == EINVAL ? "it is no DN" : strerror(errno),
		    WHY_SIZE);
		return -1;
	}
	finder = find_finder_of_dn(lookups, normalised);
	free(normalised);
	(void)alarm(finder_timeout_s(finder) * DEADLINE_FACTOR);
	result = finder_look(finder, dn, why);
	(void)alarm(0);
	return result;
}

static void
on_entry(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	char dn[LOOKUP_DN_MAX], why[WHY_SIZE] = "the question is no DN";
	struct wire_reader reader;
	int there = -1;

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, dn, sizeof(dn));
	if (wire_is_done(&reader)) {
		why[0] = '\0';
		there = look(asker->lookups, dn, why);
	}
	if (there < 0)
		answer_failed(asker, message->id, why);
	else
		answer(asker, message->id,
		    there > 0 ? LOOKUP_THERE : LOOKUP_MISSING, NULL, 0);
}

static void
on_probe(void *arg, struct link_message *message)
{
	answer(arg, message->id, LOOKUP_ALIVE, NULL, 0);
}

static const struct link_handler handlers[] = {
    {LOOKUP_NAME, 8, NAME_SIZE + 8, on_name},
    {LOOKUP_EXPLAIN, 8, NAME_SIZE + 8, on_explain},
    {LOOKUP_ENTRY, 4, LOOKUP_DN_MAX + 4, on_entry},
    {LOOKUP_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

static void
asker_free(void *arg)
{
	struct asker *asker = arg;

	SLIST_REMOVE(&asker->lookups->askers, asker, asker, entry);
	link_free(asker->link);
	free(asker);
}

/* ---- the frame */

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct lookup_program *lookups = state;
	struct asker *asker, *next;

	(void)index;
	if (peer != ROLE_GATEWAY) {
		(void)close(fd);
		return;
	}
	SLIST_FOREACH_SAFE(asker, &lookups->askers, entry, next)
	if (asker->slot == slot)
		asker_free(asker);
	asker = must_alloc(1, sizeof(*asker));
	asker->lookups = lookups;
	asker->slot = slot;
	asker->link = link_new(
	    program_base(lookups->program), fd, handlers, asker_free, asker);
	if (asker->link == NULL) {
		log_error(
		    NULL, "a worker cannot be linked: %s", strerror(errno));
		free(asker);
		return;
	}
	SLIST_INSERT_HEAD(&lookups->askers, asker, entry);
}

static void
start(void *state, struct program *program)
{
	struct lookup_program *lookups = state;

	lookups->program = program;
	SLIST_INIT(&lookups->askers);
}

static void
take_file(void *state, const char *name, int fd)
{
	struct lookup_program *lookups = state;

	if (strcmp(name, "directory.password") == 0) {
		secret_free(lookups->password);
		lookups->password = secret_read(fd);
	}
	(void)close(fd);
}

static void
forget_settings(struct lookup_program *lookups)
{
	finder_free(lookups->finder);
	lookups->finder = NULL;
	for (size_t i = 0; i < lookups->realm_count; i++)
		finder_free(lookups->realms[i].finder);
	lookups->realm_count = 0;
}

static struct secret *
copy_password(const struct secret *password)
{
	if (password == NULL)
		return NULL;
	return secret_new(password->data, password->len);
}

/* The master has checked them. */
static void
take_realms(struct lookup_program *lookups, const struct options *options)
{
	struct realm_line line;
	const char *text;

	for (size_t i = 0; i < REALMS_MAX; i++) {
		text = options_get_nth(options, "directory.realms", i);
		if (text == NULL || !realm_line_parse(text, &line))
			return;
		(void)strlcpy(lookups->realms[i].name, line.realm,
		    sizeof(lookups->realms[i].name));
		lookups->realms[i].finder = finder_new(
		    options, &line, copy_password(lookups->password));
		lookups->realm_count++;
	}
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct lookup_program *lookups = state;

	(void)why;
	(void)why_size;
	forget_settings(lookups);
	take_realms(lookups, options);
	lookups->finder = finder_new(options, NULL, lookups->password);
	lookups->password = NULL;
	return 0;
}

static void
stop(void *state)
{
	struct lookup_program *lookups = state;

	while (!SLIST_EMPTY(&lookups->askers))
		asker_free(SLIST_FIRST(&lookups->askers));
	forget_settings(lookups);
	secret_free(lookups->password);
	program_exit(lookups->program);
}

static const struct program_functions functions = {
    .role = ROLE_DIRECTORY_LOOKUP,
    .needs = SANDBOX_NETWORK,
    .configure = configure,
    .file = take_file,
    .linked = linked,
    .stop = stop,
};

int
main(int argc, char **argv)
{
	static struct lookup_program lookups;

	program_run(&functions, start, &lookups, argc, argv);
}
