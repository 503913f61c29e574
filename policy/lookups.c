/* SPDX-License-Identifier: ISC */
/* Look-ups of one worker thread: a name is one question at a time. */
#include "policy/lookups.h"

#include <sys/queue.h>
#include <sys/tree.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "policy/lookup_servers.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"

/* How long those who ask wait for a fresh answer where an old one would do. */
#define PATIENCE_US 200000
#define TRIES_MAX   2 /* programs that may be lost over one name */
/* Thousands of sessions may wait for one name, or for as many: for so long
 * something is done for them, then others have their turn. */
#define SLICE_US 500

/*
 * One name being looked up, for everyone who waits for it.  It is in line
 * until a program has room, is asked, and is settled: then its result is told,
 * and it stands for its name no more.
 */
struct fetch {
	TAILQ_ENTRY(fetch) entry;
	RB_ENTRY(fetch) node; /* by name, until it is settled */
	struct lookups *lookups;
	TAILQ_ENTRY(fetch) in_line;
	struct fetch_line *line; /* NULL: in none */
	struct lookup_question *question;
	/* For who asked after a change while the question was from before it:
	 * takes this one's place.  It is in no tree yet. */
	struct fetch *next;
	uint64_t epoch;	  /* of the cache, when it was asked */
	uint64_t answers; /* that had come by then */
	unsigned tries;
	bool is_of_standing; /* nobody waits at the door for it */
	bool was_asked_anew; /* since its answer was from before a change */
	struct event *patience;
	bool is_slow;	       /* patience has ended */
	struct event *deliver; /* the result, from the loop */
	enum reason reason;
	struct subject *subject;
	TAILQ_HEAD(, lookup) waiting;
	char name[];
};

TAILQ_HEAD(fetch_line, fetch);
RB_HEAD(fetch_tree, fetch);

struct lookup {
	TAILQ_ENTRY(lookup) entry;
	struct fetch *fetch;
	lookup_done_fn *done;
	void *arg;
};

struct lookups {
	struct event_base *base;
	struct subject_cache *cache;
	struct lookup_servers *servers;
	struct fetch_line fetches; /* all of them */
	/* A tree and not a hash table: clients choose the names. */
	struct fetch_tree by_name;
	/* Who wants to come in, and who is in and asked about again: in turns,
	 * so that neither waits for the whole other line. */
	struct fetch_line at_the_door, of_standing;
	bool is_turn_of_standing;
	struct event *go_on; /* with the lines */
	uint64_t answers;    /* that came, of all programs */
	bool is_silent;	     /* none comes: all who are in line hear so */
};

static int
compare(const struct fetch *a, const struct fetch *b)
{
	return strcmp(a->name, b->name);
}

RB_PROTOTYPE_INTERNAL(
    fetch_tree, fetch, node, compare, static __attribute__((unused)))
RB_GENERATE_INTERNAL(
    fetch_tree, fetch, node, compare, static __attribute__((unused)))

static void serve_lines(struct lookups *lookups);

static const struct timeval at_once = {0, 0};
static const struct timeval patience = {0, PATIENCE_US};

/* ---- the whole */

static void
on_go_on(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	serve_lines(arg);
}

struct lookups *
lookups_new(
    struct event_base *base, struct subject_cache *cache, unsigned timeout_ms)
{
	struct lookups *lookups = calloc(1, sizeof(*lookups));

	if (lookups == NULL)
		return NULL;
	lookups->base = base;
	lookups->cache = cache;
	TAILQ_INIT(&lookups->fetches);
	RB_INIT(&lookups->by_name);
	TAILQ_INIT(&lookups->at_the_door);
	TAILQ_INIT(&lookups->of_standing);
	lookups->servers = lookup_servers_new(base, timeout_ms);
	lookups->go_on = evtimer_new(base, on_go_on, lookups);
	if (lookups->servers == NULL || lookups->go_on == NULL) {
		lookups_free(lookups);
		return NULL;
	}
	return lookups;
}

static void
leave_line(struct fetch *fetch)
{
	if (fetch->line != NULL)
		TAILQ_REMOVE(fetch->line, fetch, in_line);
	fetch->line = NULL;
}

/* One that is in no tree any more, or never was. */
static void
fetch_free(struct fetch *fetch)
{
	struct lookup *lookup;

	TAILQ_REMOVE(&fetch->lookups->fetches, fetch, entry);
	leave_line(fetch);
	lookup_question_cancel(fetch->question);
	while ((lookup = TAILQ_FIRST(&fetch->waiting)) != NULL)
		lookup_cancel(lookup);
	if (fetch->patience != NULL)
		event_free(fetch->patience);
	if (fetch->deliver != NULL)
		event_free(fetch->deliver);
	subject_unref(fetch->subject);
	free(fetch);
}

void
lookups_free(struct lookups *lookups)
{
	if (lookups == NULL)
		return;
	while (!TAILQ_EMPTY(&lookups->fetches))
		fetch_free(TAILQ_FIRST(&lookups->fetches));
	lookup_servers_free(lookups->servers);
	if (lookups->go_on != NULL)
		event_free(lookups->go_on);
	free(lookups);
}

void
lookups_link(struct lookups *lookups, uint32_t index, int fd)
{
	lookup_servers_link(lookups->servers, index, fd);
	serve_lines(lookups);
}

/* ---- the result, told to all who wait */

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
deliver(struct fetch *fetch, enum reason reason, struct subject *subject)
{
	fetch->reason = reason;
	fetch->subject = subject;
	(void)evtimer_del(fetch->patience);
	event_active(fetch->deliver, EV_TIMEOUT, 0);
}

/* ---- in line */

static void
queue(struct fetch *fetch)
{
	struct lookups *lookups = fetch->lookups;

	fetch->line = fetch->is_of_standing ? &lookups->of_standing
					    : &lookups->at_the_door;
	TAILQ_INSERT_TAIL(fetch->line, fetch, in_line);
}

/* Who was lost with a program has waited already. */
static void
queue_first(struct fetch *fetch)
{
	queue(fetch);
	TAILQ_REMOVE(fetch->line, fetch, in_line);
	TAILQ_INSERT_HEAD(fetch->line, fetch, in_line);
}

/* Somebody waits at the door for it, too. */
static void
promote(struct fetch *fetch)
{
	bool is_in_line = fetch->line != NULL;

	if (!fetch->is_of_standing)
		return;
	fetch->is_of_standing = false;
	leave_line(fetch);
	if (is_in_line)
		queue(fetch);
}

/* It stands for its name no more; who asked after a change goes on. */
static void
settle(struct fetch *fetch, enum reason reason, struct subject *subject)
{
	struct lookups *lookups = fetch->lookups;
	struct fetch *next = fetch->next;

	leave_line(fetch);
	(void)RB_REMOVE(fetch_tree, &lookups->by_name, fetch);
	fetch->next = NULL;
	if (next != NULL) {
		(void)RB_INSERT(fetch_tree, &lookups->by_name, next);
		queue(next);
	}
	deliver(fetch, reason, subject);
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

static struct fetch *
first_in_line(const struct lookups *lookups)
{
	const struct fetch_line *turn = lookups->is_turn_of_standing
					    ? &lookups->of_standing
					    : &lookups->at_the_door;

	if (!TAILQ_EMPTY(turn))
		return TAILQ_FIRST(turn);
	return lookups->is_turn_of_standing
		   ? TAILQ_FIRST(&lookups->at_the_door)
		   : TAILQ_FIRST(&lookups->of_standing);
}

/* ---- asked, and answered */

/* It is asked once more, of now: that is for all who want to know. */
static void
take_in_next(struct fetch *fetch)
{
	struct fetch *next = fetch->next;
	struct lookup *lookup;

	if (next == NULL)
		return;
	while ((lookup = TAILQ_FIRST(&next->waiting)) != NULL) {
		TAILQ_REMOVE(&next->waiting, lookup, entry);
		lookup->fetch = fetch;
		TAILQ_INSERT_TAIL(&fetch->waiting, lookup, entry);
	}
	fetch->is_of_standing &= next->is_of_standing;
	fetch->next = NULL;
	fetch_free(next);
	(void)evtimer_add(fetch->patience, &patience);
}

/* Users or groups have changed since it was asked: what it says may be from
 * before, and who waits has another try.  Changes without end are not waited
 * for. */
static bool
ask_anew(struct fetch *fetch)
{
	if (fetch->epoch == subject_cache_epoch(fetch->lookups->cache) ||
	    fetch->was_asked_anew || TAILQ_EMPTY(&fetch->waiting))
		return false;
	fetch->was_asked_anew = true;
	fetch->tries = 0;
	take_in_next(fetch);
	queue(fetch);
	return true;
}

static void
take_answer(struct fetch *fetch, struct subject *subject)
{
	if (subject != NULL)
		subject_cache_put(
		    fetch->lookups->cache, fetch->name, subject, fetch->epoch);
	if (ask_anew(fetch))
		subject_unref(subject);
	else if (subject != NULL)
		settle(fetch, REASON_OK, subject);
	else
		settle_silent(fetch);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct subject *subject)
{
	struct fetch *fetch = arg;
	struct lookups *lookups = fetch->lookups;

	fetch->question = NULL;
	switch (outcome) {
	case ANSWER_GIVEN:
		lookups->answers++;
		take_answer(fetch, subject);
		break;
	case ANSWER_LOST:
		if (fetch->tries < TRIES_MAX)
			queue_first(fetch);
		else
			settle_silent(fetch);
		break;
	case ANSWER_TIMEOUT:
		/* Nor did another program say anything all the while. */
		if (fetch->answers == lookups->answers)
			lookups->is_silent = true;
		settle_silent(fetch);
		break;
	}
	serve_lines(lookups);
}

/* What it says is of now, not of when it came into the line; meanwhile another
 * thread may have been told. */
static void
ask(struct fetch *fetch, struct lookup_server *server)
{
	struct lookups *lookups = fetch->lookups;
	struct subject *known =
	    subject_cache_get(lookups->cache, fetch->name, DIRECTORY_ANSWERS);

	lookups->is_turn_of_standing = !fetch->is_of_standing;
	if (known != NULL) {
		settle(fetch, REASON_OK, known);
		return;
	}
	leave_line(fetch);
	fetch->tries++;
	fetch->answers = lookups->answers;
	fetch->epoch = subject_cache_epoch(lookups->cache);
	fetch->question =
	    lookup_question_start(server, fetch->name, on_answer, fetch);
	if (fetch->question == NULL)
		settle_silent(fetch);
}

/* Asks as long as a program has room. */
static void
serve_lines(struct lookups *lookups)
{
	uint64_t until_us = clock_monotonic_us() + SLICE_US;
	struct lookup_server *server;
	struct fetch *fetch;
	enum lookup_room room;

	while ((fetch = first_in_line(lookups)) != NULL) {
		room = lookup_servers_pick(lookups->servers, &server);
		if (lookups->is_silent || room == LOOKUP_NO_SERVER)
			settle_silent(fetch);
		else if (room == LOOKUP_ROOM)
			ask(fetch, server);
		else
			break;
		if (clock_monotonic_us() >= until_us) {
			(void)evtimer_add(lookups->go_on, &at_once);
			return;
		}
	}
	lookups->is_silent = false;
}

/* ---- one who asks */

static struct fetch *
fetch_new(struct lookups *lookups, const char *name)
{
	size_t size = strlen(name) + 1;
	struct fetch *fetch = NULL;

	if (size <= LOOKUP_NAME_SIZE)
		fetch = calloc(1, sizeof(*fetch) + size);
	if (fetch == NULL)
		return NULL;
	fetch->lookups = lookups;
	fetch->is_of_standing = true;
	memcpy(fetch->name, name, size);
	TAILQ_INIT(&fetch->waiting);
	TAILQ_INSERT_TAIL(&lookups->fetches, fetch, entry);
	fetch->deliver = evtimer_new(lookups->base, on_deliver, fetch);
	fetch->patience = evtimer_new(lookups->base, on_patience, fetch);
	if (fetch->deliver == NULL || fetch->patience == NULL ||
	    evtimer_add(fetch->patience, &patience) != 0) {
		fetch_free(fetch);
		return NULL;
	}
	return fetch;
}

/* What is known serves, without a question. */
static struct fetch *
fetch_known(struct lookups *lookups, const char *name, struct subject *known)
{
	struct fetch *fetch = fetch_new(lookups, name);

	if (fetch != NULL)
		deliver(fetch, REASON_OK, known);
	else
		subject_unref(known);
	return fetch;
}

static struct fetch *
find(struct lookups *lookups, const char *name)
{
	struct fetch *at = RB_ROOT(&lookups->by_name);
	int order;

	while (at != NULL && (order = strcmp(name, at->name)) != 0)
		at = order < 0 ? RB_LEFT(at, node) : RB_RIGHT(at, node);
	return at;
}

/* What was asked before a change serves nobody who asks after it: they wait
 * for the same name's next question. */
static struct fetch *
join(struct lookups *lookups, struct fetch *fetch)
{
	if (fetch->question == NULL ||
	    fetch->epoch == subject_cache_epoch(lookups->cache))
		return fetch;
	if (fetch->next == NULL)
		fetch->next = fetch_new(lookups, fetch->name);
	return fetch->next;
}

static struct fetch *
begin(struct lookups *lookups, const char *name)
{
	struct fetch *fetch = fetch_new(lookups, name);

	if (fetch == NULL)
		return NULL;
	(void)RB_INSERT(fetch_tree, &lookups->by_name, fetch);
	queue(fetch);
	return fetch;
}

/* One that is in line or under way serves all who ask. */
static struct fetch *
find_or_begin(struct lookups *lookups, const char *name)
{
	struct fetch *fetch = find(lookups, name);
	bool is_slow = fetch != NULL && fetch->is_slow;
	struct subject *known = subject_cache_get(lookups->cache, name,
	    is_slow ? DIRECTORY_IS_SLOW : DIRECTORY_ANSWERS);

	if (known != NULL)
		return fetch_known(lookups, name, known);
	return fetch != NULL ? join(lookups, fetch) : begin(lookups, name);
}

/* ---- what the session calls */

static struct lookup *
start(struct lookups *lookups, const char *name, bool is_of_standing,
    lookup_done_fn *done, void *arg)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return NULL;
	lookup->fetch = find_or_begin(lookups, name);
	if (lookup->fetch == NULL) {
		free(lookup);
		return NULL;
	}
	lookup->done = done;
	lookup->arg = arg;
	TAILQ_INSERT_TAIL(&lookup->fetch->waiting, lookup, entry);
	if (!is_of_standing)
		promote(lookup->fetch);
	serve_lines(lookups);
	return lookup;
}

struct lookup *
lookup_start(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg)
{
	return start(lookups, name, false, done, arg);
}

struct lookup *
lookup_start_of_standing(
    struct lookups *lookups, const char *name, lookup_done_fn *done, void *arg)
{
	return start(lookups, name, true, done, arg);
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
