/* SPDX-License-Identifier: ISC */
/* One worker thread's links to the directory-lookup programs. */
#include "policy/lookups.h"

#include <sys/queue.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/wire.h"
#include "policy/lookup_protocol.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"

#define NAME_SIZE 1024
/* How long those who ask wait for a fresh answer where an old one would do. */
#define PATIENCE_US 200000
#define TRIES_MAX   2 /* links that are asked about one name */
/* Thousands of sessions may wait for one name: for so long they are told, then
 * others have their turn. */
#define SLICE_US 500

/* A link to one directory-lookup program. */
struct server {
	SLIST_ENTRY(server) entry;
	struct lookups *lookups;
	uint32_t index;
	struct link *link; /* NULL while the program is down */
	unsigned outstanding;
	/* Groups that came ahead of the answer to the question with that
	 * number; NULL if none did.  A program answers one question after the
	 * other. */
	struct subject *ahead;
	uint32_t ahead_number;
};

/* One name being looked up, for everyone who waits for it. */
struct fetch {
	TAILQ_ENTRY(fetch) entry;
	struct lookups *lookups;
	struct server *server; /* which has, or had, the question */
	struct question *question;
	uint32_t number; /* of the question, never 0 */
	uint64_t epoch;	 /* of the cache, when it was asked */
	unsigned tries;
	struct event *patience;
	bool is_slow;	       /* patience has ended */
	struct event *deliver; /* the result, from the loop */
	enum reason reason;
	struct subject *subject;
	TAILQ_HEAD(, lookup) waiting;
	char name[NAME_SIZE];
};

struct lookup {
	TAILQ_ENTRY(lookup) entry;
	struct fetch *fetch;
	lookup_done_fn *done;
	void *arg;
};

struct lookups {
	struct event_base *base;
	struct subject_cache *cache;
	unsigned timeout_ms;
	uint32_t last_number;
	SLIST_HEAD(, server) servers;
	TAILQ_HEAD(, fetch) fetches;
};

static void ask(struct fetch *fetch);

struct lookups *
lookups_new(
    struct event_base *base, struct subject_cache *cache, unsigned timeout_ms)
{
	struct lookups *lookups = calloc(1, sizeof(*lookups));

	if (lookups == NULL)
		return NULL;
	lookups->base = base;
	lookups->cache = cache;
	lookups->timeout_ms = timeout_ms;
	SLIST_INIT(&lookups->servers);
	TAILQ_INIT(&lookups->fetches);
	return lookups;
}

static void
fetch_free(struct fetch *fetch)
{
	struct lookup *lookup;

	TAILQ_REMOVE(&fetch->lookups->fetches, fetch, entry);
	question_cancel(fetch->question);
	while ((lookup = TAILQ_FIRST(&fetch->waiting)) != NULL)
		lookup_cancel(lookup);
	event_free(fetch->patience);
	event_free(fetch->deliver);
	subject_unref(fetch->subject);
	free(fetch);
}

void
lookups_free(struct lookups *lookups)
{
	struct server *server;

	if (lookups == NULL)
		return;
	while (!TAILQ_EMPTY(&lookups->fetches))
		fetch_free(TAILQ_FIRST(&lookups->fetches));
	while ((server = SLIST_FIRST(&lookups->servers)) != NULL) {
		SLIST_REMOVE_HEAD(&lookups->servers, entry);
		link_free(server->link);
		subject_unref(server->ahead);
		free(server);
	}
	free(lookups);
}

/* ---- the links */

static void
forget_ahead(struct server *server)
{
	subject_unref(server->ahead);
	server->ahead = NULL;
}

static void
on_closed(void *arg)
{
	struct server *server = arg;
	struct link *link = server->link;

	/* NULL first: what is asked again goes to another one. */
	server->link = NULL;
	forget_ahead(server);
	link_free(link);
}

/* What is wrong or cannot be kept is missed when the answer comes. */
static void
on_groups(void *arg, struct link_message *message)
{
	struct server *server = arg;
	uint32_t number = lookup_groups_number(message->data, message->len);

	if (server->ahead != NULL && server->ahead_number != number)
		forget_ahead(server);
	if (server->ahead == NULL)
		server->ahead = subject_new(NULL);
	server->ahead_number = number;
	if (server->ahead != NULL && lookup_groups_decode(message->data,
					 message->len, server->ahead) != 0)
		forget_ahead(server);
}

/* Answers only; a program that asks is not what it should be. */
static const struct link_handler handlers[] = {
    {LOOKUP_GROUPS, 4, LOOKUP_MESSAGE_MAX, on_groups},
    {.handle = NULL},
};

static struct server *
find_server(struct lookups *lookups, uint32_t index)
{
	struct server *server;

	SLIST_FOREACH (server, &lookups->servers, entry)
		if (server->index == index)
			return server;
	server = calloc(1, sizeof(*server));
	if (server != NULL) {
		server->lookups = lookups;
		server->index = index;
		SLIST_INSERT_HEAD(&lookups->servers, server, entry);
	}
	return server;
}

void
lookups_link(struct lookups *lookups, uint32_t index, int fd)
{
	struct server *server = find_server(lookups, index);

	if (server != NULL && server->link != NULL)
		on_closed(server);
	if (server != NULL)
		server->link =
		    link_new(lookups->base, fd, handlers, on_closed, server);
	else
		(void)close(fd);
	if (server == NULL || server->link == NULL)
		log_error(NULL, "directory-lookup cannot be linked: %s",
		    strerror(errno));
}

/* Not `lost`, whose link may not know yet that it is closed. */
static struct server *
least_busy(struct lookups *lookups, const struct server *lost)
{
	struct server *server, *best = NULL;

	SLIST_FOREACH (server, &lookups->servers, entry)
		if (server->link != NULL && server != lost &&
		    (best == NULL || server->outstanding < best->outstanding))
			best = server;
	return best;
}

/* ---- one fetch: asked, answered, delivered to all who wait */

static const struct timeval at_once = {0, 0};

/* Tells who waits, each with a reference of its own; true when all have been
 * told. */
static bool
tell(struct fetch *fetch, enum reason reason, struct subject *subject)
{
	uint64_t until_us = clock_monotonic_us() + SLICE_US;
	struct lookup *lookup;

	while ((lookup = TAILQ_FIRST(&fetch->waiting)) != NULL) {
		lookup_done_fn *done = lookup->done;
		void *done_arg = lookup->arg;

		lookup_cancel(lookup);
		done(done_arg, reason,
		    subject != NULL ? subject_ref(subject) : NULL);
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return TAILQ_EMPTY(&fetch->waiting);
}

static void
on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *fetch = arg;

	(void)fd;
	(void)what;
	if (tell(fetch, fetch->reason, fetch->subject))
		fetch_free(fetch);
	else
		(void)evtimer_add(fetch->deliver, &at_once);
}

/* The directory is slow: what it said before serves now.  The question goes
 * on, for those who come later. */
static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *fetch = arg;
	struct subject *subject = subject_cache_get(
	    fetch->lookups->cache, fetch->name, DIRECTORY_IS_SLOW);

	(void)fd;
	(void)what;
	fetch->is_slow = true;
	if (subject != NULL && !tell(fetch, REASON_OK, subject))
		(void)evtimer_add(fetch->patience, &at_once);
	subject_unref(subject);
}

/* Takes the subject. */
static void
settle(struct fetch *fetch, enum reason reason, struct subject *subject)
{
	fetch->reason = reason;
	fetch->subject = subject;
	(void)evtimer_del(fetch->patience);
	event_active(fetch->deliver, EV_TIMEOUT, 0);
}

/* The directory did not say: what it said before serves for a while. */
static void
settle_silent(struct fetch *fetch)
{
	struct subject *subject = subject_cache_get(
	    fetch->lookups->cache, fetch->name, DIRECTORY_IS_SILENT);

	settle(fetch,
	    subject != NULL ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE,
	    subject);
}

/* What came ahead for another question, one that timed out, is not for it. */
static struct subject *
read_subject(const struct fetch *fetch, const struct link_message *answer)
{
	struct server *server = fetch->server;
	struct subject *ahead =
	    server->ahead_number == fetch->number ? server->ahead : NULL;
	struct subject *subject =
	    lookup_subject_decode(answer->data, answer->len, ahead);

	forget_ahead(server);
	if (subject == NULL)
		log_warning(NULL, "directory-lookup: an answer is not whole");
	return subject;
}

static struct subject *
read_answer(const struct fetch *fetch, const struct link_message *answer)
{
	char why[1024];
	struct wire_reader reader;

	switch (answer->type) {
	case LOOKUP_SUBJECT:
		return read_subject(fetch, answer);
	case LOOKUP_NOBODY:
		return subject_new(NULL);
	case LOOKUP_FAILED:
		wire_reader_init(&reader, answer->data, answer->len);
		wire_get_string(&reader, why, sizeof(why));
		log_warning(NULL, "directory: %s",
		    reader.failed ? "no reason given" : why);
		return NULL;
	default:
		return NULL;
	}
}

/* Users or groups have changed since it was asked: what it says may be from
 * before.  Changes without end are not waited for. */
static bool
ask_anew(struct fetch *fetch)
{
	uint64_t epoch = subject_cache_epoch(fetch->lookups->cache);

	if (fetch->epoch == epoch || fetch->tries >= TRIES_MAX)
		return false;
	fetch->epoch = epoch;
	fetch->server = NULL;
	ask(fetch);
	return true;
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct fetch *fetch = arg;
	struct subject *subject = NULL;

	fetch->question = NULL;
	fetch->server->outstanding--;
	switch (outcome) {
	case ANSWER_GIVEN:
		if (ask_anew(fetch))
			return;
		subject = read_answer(fetch, answer);
		break;
	case ANSWER_LOST:
		ask(fetch);
		return;
	case ANSWER_TIMEOUT:
		log_warning(NULL, "directory-lookup did not answer in time");
		break;
	}
	if (subject == NULL) {
		settle_silent(fetch);
		return;
	}
	subject_cache_put(
	    fetch->lookups->cache, fetch->name, subject, fetch->epoch);
	settle(fetch, REASON_OK, subject);
}

/* Asks a program that is there; after TRIES_MAX the directory is silent. */
static void
ask(struct fetch *fetch)
{
	uint8_t data[NAME_SIZE + 8];
	struct wire_writer writer;
	struct server *server = least_busy(fetch->lookups, fetch->server);

	if (++fetch->lookups->last_number == 0)
		fetch->lookups->last_number = 1;
	fetch->number = fetch->lookups->last_number;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, fetch->number);
	wire_put_string(&writer, fetch->name);
	if (server != NULL && fetch->tries++ < TRIES_MAX)
		fetch->question =
		    question_start(server->link, LOOKUP_NAME, data, writer.len,
			fetch->lookups->timeout_ms, on_answer, fetch);
	if (fetch->question == NULL) {
		settle_silent(fetch);
		return;
	}
	fetch->server = server;
	server->outstanding++;
}

static struct fetch *
fetch_new(struct lookups *lookups, const char *name)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->deliver = evtimer_new(lookups->base, on_deliver, fetch);
	fetch->patience = evtimer_new(lookups->base, on_patience, fetch);
	if (fetch->deliver == NULL || fetch->patience == NULL ||
	    strlcpy(fetch->name, name, NAME_SIZE) >= NAME_SIZE) {
		if (fetch->deliver != NULL)
			event_free(fetch->deliver);
		if (fetch->patience != NULL)
			event_free(fetch->patience);
		free(fetch);
		return NULL;
	}
	fetch->lookups = lookups;
	TAILQ_INIT(&fetch->waiting);
	TAILQ_INSERT_TAIL(&lookups->fetches, fetch, entry);
	return fetch;
}

/* What is known serves; else a question. */
static struct fetch *
start_fetch(struct lookups *lookups, const char *name)
{
	static const struct timeval patience = {0, PATIENCE_US};
	struct fetch *fetch = fetch_new(lookups, name);
	struct subject *known;

	if (fetch == NULL)
		return NULL;
	fetch->epoch = subject_cache_epoch(lookups->cache);
	known = subject_cache_get(lookups->cache, name, DIRECTORY_ANSWERS);
	if (known != NULL) {
		settle(fetch, REASON_OK, known);
		return fetch;
	}
	(void)evtimer_add(fetch->patience, &patience);
	ask(fetch);
	return fetch;
}

/* One that is under way and has not been answered serves all who ask, but none
 * who ask after a change what was asked before it. */
static struct fetch *
find_or_start(struct lookups *lookups, const char *name)
{
	struct fetch *fetch;
	uint64_t epoch = subject_cache_epoch(lookups->cache);
	struct subject *known;

	TAILQ_FOREACH (fetch, &lookups->fetches, entry)
		if (fetch->question != NULL && fetch->epoch == epoch &&
		    strcmp(fetch->name, name) == 0)
			break;
	if (fetch == NULL)
		return start_fetch(lookups, name);
	if (!fetch->is_slow)
		return fetch;
	known = subject_cache_get(lookups->cache, name, DIRECTORY_IS_SLOW);
	if (known == NULL)
		return fetch;
	fetch = fetch_new(lookups, name);
	if (fetch != NULL)
		settle(fetch, REASON_OK, known);
	else
		subject_unref(known);
	return fetch;
}

/* ---- what the session calls */

struct lookup *
lookup_start(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return NULL;
	lookup->fetch = find_or_start(lookups, name);
	if (lookup->fetch == NULL) {
		free(lookup);
		return NULL;
	}
	lookup->done = done;
	lookup->arg = arg;
	TAILQ_INSERT_TAIL(&lookup->fetch->waiting, lookup, entry);
	return lookup;
}

void
lookup_cancel(struct lookup *lookup)
{
	if (lookup == NULL)
		return;
	/* The fetch goes on: its answer is worth keeping. */
	TAILQ_REMOVE(&lookup->fetch->waiting, lookup, entry);
	free(lookup);
}
