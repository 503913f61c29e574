/* SPDX-License-Identifier: ISC */
/* One thread's links to the programs of one kind, and whom of them to ask. */
#include "base/link_pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/link.h"
#include "base/log.h"

/* Asked of one that was silent; it answers when it goes on. */
#define PROBE_TIMEOUT_MS (60 * 60 * 1000)

struct link_pool_member {
	TAILQ_ENTRY(link_pool_member) entry;
	struct link_pool *pool;
	uint32_t index;
	uint64_t life;	   /* counts its links */
	struct link *link; /* NULL: dead, until it is linked anew */
	unsigned outstanding;
	struct question *probe; /* it was silent and has not answered yet */
};

struct link_pool {
	struct event_base *base;
	const struct link_pool_kind *kind;
	void *owner;
	unsigned timeout_ms;
	TAILQ_HEAD(, link_pool_member) members;
};

struct inquiry {
	struct link_pool_member *member; /* while there is a question */
	struct question *question;
	struct event later; /* says `outcome` where there is none */
	enum inquiry_outcome outcome;
	inquiry_done_fn *done;
	void *arg;
};

/* ---- the members ---- */

static void
disconnect(struct link_pool_member *member)
{
	struct link *link = member->link;

	/* NULL first: what is asked again goes to another one. */
	member->link = NULL;
	member->life++;
	question_cancel(member->probe);
	member->probe = NULL;
	link_free(link); /* the questions fail in here */
}

static void
on_closed(void *arg)
{
	disconnect(arg);
}

static void probe(struct link_pool_member *member);

static void
on_probed(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct link_pool_member *member = arg;

	(void)answer;
	member->probe = NULL;
	if (outcome == ANSWER_TIMEOUT)
		probe(member);
	else if (outcome == ANSWER_GIVEN)
		log_info(NULL, "%s %u answers again", member->pool->kind->name,
		    (unsigned)member->index);
}

/* From here on it gets nothing new until it has answered. */
static void
probe(struct link_pool_member *member)
{
	if (member->probe == NULL && member->link != NULL)
		member->probe =
		    question_start(member->link, member->pool->kind->probe,
			NULL, 0, PROBE_TIMEOUT_MS, on_probed, member);
}

static struct link_pool_member *
find_or_add(struct link_pool *pool, uint32_t index)
{
	struct link_pool_member *member;

	TAILQ_FOREACH (member, &pool->members, entry) {
		if (member->index == index)
			return member;
	}
	member = calloc(1, sizeof(*member));
	if (member == NULL)
		return NULL;
	member->pool = pool;
	member->index = index;
	TAILQ_INSERT_TAIL(&pool->members, member, entry);
	return member;
}

void
link_pool_link(struct link_pool *pool, uint32_t index, int fd)
{
	struct link_pool_member *member = find_or_add(pool, index);

	if (member != NULL) {
		disconnect(member);
		member->link = link_new(
		    pool->base, fd, pool->kind->handlers, on_closed, member);
	} else {
		(void)close(fd);
	}
	if (member == NULL || member->link == NULL)
		log_error(NULL, "%s %u cannot be linked: %s", pool->kind->name,
		    (unsigned)index, strerror(errno));
}

struct link_pool *
link_pool_new(struct event_base *base, const struct link_pool_kind *kind,
    unsigned timeout_ms)
{
	struct link_pool *pool = malloc(sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->base = base;
	pool->kind = kind;
	pool->owner = NULL;
	pool->timeout_ms = timeout_ms;
	TAILQ_INIT(&pool->members);
	return pool;
}

void
link_pool_set_owner(struct link_pool *pool, void *owner)
{
	pool->owner = owner;
}

void *
link_pool_owner(const void *arg)
{
	const struct link_pool_member *member = arg;

	return member->pool->owner;
}

void
link_pool_set_timeout(struct link_pool *pool, unsigned timeout_ms)
{
	pool->timeout_ms = timeout_ms;
}

void
link_pool_free(struct link_pool *pool)
{
	struct link_pool_member *member;

	if (pool == NULL)
		return;
	TAILQ_FOREACH (member, &pool->members, entry)
		disconnect(member);
	while ((member = TAILQ_FIRST(&pool->members)) != NULL) {
		TAILQ_REMOVE(&pool->members, member, entry);
		free(member);
	}
	free(pool);
}

/* NULL and *why if there is none. */
static struct link_pool_member *
pick(const struct link_pool *pool, enum inquiry_outcome *why)
{
	struct link_pool_member *member, *best = NULL;

	*why = INQUIRY_LOST;
	TAILQ_FOREACH (member, &pool->members, entry) {
		if (member->link == NULL)
			continue;
		*why = INQUIRY_BUSY;
		if (member->probe == NULL &&
		    (best == NULL || member->outstanding < best->outstanding))
			best = member;
	}
	return best;
}

static bool
lives(const struct link_pool_peer *peer)
{
	return peer->member != NULL && peer->member->link != NULL &&
	       peer->member->life == peer->life;
}

void
link_pool_tell(const struct link_pool_peer *peer, uint16_t type,
    const void *data, size_t len)
{
	/* If it cannot be sent, the link is going. */
	if (lives(peer) &&
	    link_send(peer->member->link, type, 0, data, len) < 0)
		log_debug(NULL, "%s %u could not be told something",
		    peer->member->pool->kind->name,
		    (unsigned)peer->member->index);
}

/* ---- inquiries ---- */

void
inquiry_cancel(struct inquiry *inquiry)
{
	if (inquiry == NULL)
		return;
	if (inquiry->question != NULL) {
		question_cancel(inquiry->question);
		inquiry->member->outstanding--;
	}
	(void)event_del(&inquiry->later);
	free(inquiry);
}

static void
finish(struct inquiry *inquiry, enum inquiry_outcome outcome,
    struct link_message *answer)
{
	inquiry_done_fn *done = inquiry->done;
	void *arg = inquiry->arg;

	inquiry_cancel(inquiry);
	done(arg, outcome, answer);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct inquiry *inquiry = arg;

	(void)fd;
	(void)what;
	finish(inquiry, inquiry->outcome, NULL);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	static const enum inquiry_outcome outcomes[] = {
	    [ANSWER_GIVEN] = INQUIRY_ANSWERED,
	    [ANSWER_TIMEOUT] = INQUIRY_TIMEOUT,
	    [ANSWER_LOST] = INQUIRY_LOST,
	};
	struct inquiry *inquiry = arg;
	struct link_pool_member *member = inquiry->member;

	inquiry->question = NULL;
	member->outstanding--;
	if (outcome == ANSWER_TIMEOUT) {
		log_warning(NULL, "%s %u does not answer",
		    member->pool->kind->name, (unsigned)member->index);
		probe(member);
	}
	finish(inquiry, outcomes[outcome], answer);
}

/* False and the outcome if nobody could be asked. */
static bool
ask(struct inquiry *inquiry, struct link_pool *pool,
    struct link_pool_peer *peer, uint16_t type, const void *data, size_t len)
{
	struct link_pool_member *member = peer->member;

	if (member == NULL)
		member = pick(pool, &inquiry->outcome);
	else if (!lives(peer))
		member = NULL;
	if (member == NULL)
		return false;
	inquiry->question = question_start(member->link, type, data, len,
	    pool->timeout_ms, on_answer, inquiry);
	if (inquiry->question == NULL) {
		inquiry->outcome = errno == EPIPE ? INQUIRY_LOST : INQUIRY_BUSY;
		return false;
	}
	inquiry->member = member;
	member->outstanding++;
	*peer = (struct link_pool_peer){member, member->life};
	return true;
}

struct inquiry *
inquiry_start(struct link_pool *pool, struct link_pool_peer *peer,
    uint16_t type, const void *data, size_t len, inquiry_done_fn *done,
    void *arg)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (inquiry == NULL)
		return NULL;
	if (evtimer_assign(&inquiry->later, pool->base, on_later, inquiry) <
	    0) {
		free(inquiry);
		return NULL;
	}
	inquiry->outcome = INQUIRY_LOST;
	inquiry->done = done;
	inquiry->arg = arg;
	if (!ask(inquiry, pool, peer, type, data, len))
		event_active(&inquiry->later, EV_TIMEOUT, 0);
	return inquiry;
}
