/* SPDX-License-Identifier: ISC */
/* All standing sessions of one worker judged again, a few at a time. */
#include "gateway/reviews.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "gateway/census.h"
#include "gateway/session_private.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "policy/ruleset.h"

/* A round among ten thousand sessions must not be felt. */
#define SLICE_US 500

struct reviews {
	struct worker *worker;
	struct event *slice;
	struct event *again; /* when what was looked up is out of date */
	uint64_t round;
	bool users_too; /* this round, or one that it cut short */
};

/* Who was reviewed goes to the end of the list, so those who were not are
 * first. */
static struct session *
next_session(struct reviews *reviews)
{
	struct worker *worker = reviews->worker;
	struct session *session = TAILQ_FIRST(&worker->sessions);

	if (session == NULL || session->round == reviews->round)
		return NULL;
	census_pass(worker->census, session);
	TAILQ_REMOVE(&worker->sessions, session, entry);
	TAILQ_INSERT_TAIL(&worker->sessions, session, entry);
	session->round = reviews->round;
	return session;
}

static void
on_slice(evutil_socket_t fd, short what, void *arg)
{
	struct reviews *reviews = arg;
	uint64_t began_us = clock_monotonic_us();
	struct timeval at_once = {0, 0};
	struct session *session;

	(void)fd;
	(void)what;
	while ((session = next_session(reviews)) != NULL) {
		session_review(session, reviews->users_too);
		if (clock_monotonic_us() - began_us >= SLICE_US) {
			(void)evtimer_add(reviews->slice, &at_once);
			return;
		}
	}
}

/* Groups and accounts change without a word where the directory cannot
 * notify: all are looked up again in time. */
static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct reviews *reviews = arg;

	(void)fd;
	(void)what;
	if (worker_needs_subject(reviews->worker))
		reviews_begin(reviews, true);
}

struct reviews *
reviews_new(struct worker *worker)
{
	struct reviews *reviews = calloc(1, sizeof(*reviews));
	struct timeval ttl = {.tv_sec = (time_t)worker->settings->cache_ttl};

	if (reviews == NULL)
		return NULL;
	reviews->worker = worker;
	reviews->slice = evtimer_new(worker->base, on_slice, reviews);
	reviews->again =
	    event_new(worker->base, -1, EV_PERSIST, on_again, reviews);
	if (reviews->slice == NULL || reviews->again == NULL ||
	    event_add(reviews->again, &ttl) != 0) {
		reviews_free(reviews);
		return NULL;
	}
	return reviews;
}

void
reviews_free(struct reviews *reviews)
{
	if (reviews == NULL)
		return;
	if (reviews->slice != NULL)
		event_free(reviews->slice);
	if (reviews->again != NULL)
		event_free(reviews->again);
	free(reviews);
}

void
reviews_begin(struct reviews *reviews, bool users_too)
{
	struct timeval at_once = {0, 0};
	bool is_under_way = evtimer_pending(reviews->slice, NULL) != 0;

	reviews->users_too = users_too || (is_under_way && reviews->users_too);
	reviews->round++;
	(void)evtimer_add(reviews->slice, &at_once);
}

uint64_t
reviews_round(const struct reviews *reviews)
{
	return reviews->round;
}
