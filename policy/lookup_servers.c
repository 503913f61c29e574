/* SPDX-License-Identifier: ISC */
/* One worker thread's links to the directory-lookup programs. */
#include "policy/lookup_servers.h"

#include <sys/queue.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/wire.h"
#include "policy/lookup_protocol.h"
#include "policy/subject.h"

/* A link to one directory-lookup program. */
struct lookup_server {
	SLIST_ENTRY(lookup_server) entry;
	struct lookup_servers *servers;
	uint32_t index;
	struct link *link; /* NULL while the program is down */
	bool is_lost;	   /* a question was; its link may not know yet */
	unsigned outstanding;
	/* Groups that came ahead of the answer to the question with that
	 * number; NULL if none did.  A program answers one question after the
	 * other. */
	struct subject *ahead;
	uint32_t ahead_number;
};

struct lookup_question {
	struct lookup_server *server;
	struct question *question;
	uint32_t number; /* never 0 */
	lookup_answered_fn *done;
	void *arg;
};

struct lookup_servers {
	struct event_base *base;
	unsigned timeout_ms;
	uint32_t last_number;
	SLIST_HEAD(, lookup_server) list;
};

struct lookup_servers *
lookup_servers_new(struct event_base *base, unsigned timeout_ms)
{
	struct lookup_servers *servers = calloc(1, sizeof(*servers));

	if (servers == NULL)
		return NULL;
	servers->base = base;
	servers->timeout_ms = timeout_ms;
	SLIST_INIT(&servers->list);
	return servers;
}

void
lookup_servers_free(struct lookup_servers *servers)
{
	struct lookup_server *server;

	if (servers == NULL)
		return;
	while ((server = SLIST_FIRST(&servers->list)) != NULL) {
		SLIST_REMOVE_HEAD(&servers->list, entry);
		link_free(server->link);
		subject_unref(server->ahead);
		free(server);
	}
	free(servers);
}

/* ---- the links */

static void
forget_ahead(struct lookup_server *server)
{
	subject_unref(server->ahead);
	server->ahead = NULL;
}

static void
on_closed(void *arg)
{
	struct lookup_server *server = arg;
	struct link *link = server->link;

	server->link = NULL;
	forget_ahead(server);
	link_free(link);
}

/* What is wrong or cannot be kept is missed when the answer comes. */
static void
on_groups(void *arg, struct link_message *message)
{
	struct lookup_server *server = arg;
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

static struct lookup_server *
find_server(struct lookup_servers *servers, uint32_t index)
{
	struct lookup_server *server;

	SLIST_FOREACH (server, &servers->list, entry)
		if (server->index == index)
			return server;
	server = calloc(1, sizeof(*server));
	if (server != NULL) {
		server->servers = servers;
		server->index = index;
		SLIST_INSERT_HEAD(&servers->list, server, entry);
	}
	return server;
}

void
lookup_servers_link(struct lookup_servers *servers, uint32_t index, int fd)
{
	struct lookup_server *server = find_server(servers, index);

	if (server != NULL && server->link != NULL)
		on_closed(server);
	if (server != NULL)
		server->link =
		    link_new(servers->base, fd, handlers, on_closed, server);
	else
		(void)close(fd);
	if (server == NULL || server->link == NULL)
		log_error(NULL, "directory-lookup cannot be linked: %s",
		    strerror(errno));
	else
		server->is_lost = false;
}

enum lookup_room
lookup_servers_pick(
    const struct lookup_servers *servers, struct lookup_server **picked)
{
	struct lookup_server *server, *best = NULL;

	SLIST_FOREACH (server, &servers->list, entry)
		if (server->link != NULL && !server->is_lost &&
		    (best == NULL || server->outstanding < best->outstanding))
			best = server;
	*picked = best;
	if (best == NULL)
		return LOOKUP_NO_SERVER;
	return best->outstanding < LOOKUP_WINDOW ? LOOKUP_ROOM : LOOKUP_NO_ROOM;
}

/* ---- one question */

/* What came ahead for another question, one that timed out, is not for it. */
static struct subject *
read_subject(
    const struct lookup_question *question, const struct link_message *answer)
{
	struct lookup_server *server = question->server;
	struct subject *ahead =
	    server->ahead_number == question->number ? server->ahead : NULL;
	struct subject *subject =
	    lookup_subject_decode(answer->data, answer->len, ahead);

	forget_ahead(server);
	if (subject == NULL)
		log_warning(NULL, "directory-lookup: an answer is not whole");
	return subject;
}

static struct subject *
read_answer(
    const struct lookup_question *question, const struct link_message *answer)
{
	char why[1024];
	struct wire_reader reader;

	switch (answer->type) {
	case LOOKUP_SUBJECT:
		return read_subject(question, answer);
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

void
lookup_question_cancel(struct lookup_question *question)
{
	if (question == NULL)
		return;
	question_cancel(question->question);
	question->server->outstanding--;
	free(question);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct lookup_question *question = arg;
	lookup_answered_fn *done = question->done;
	void *done_arg = question->arg;
	struct subject *subject = NULL;

	question->question = NULL;
	if (outcome == ANSWER_GIVEN)
		subject = read_answer(question, answer);
	else if (outcome == ANSWER_TIMEOUT)
		log_warning(NULL, "directory-lookup did not answer in time");
	else
		question->server->is_lost = true;
	lookup_question_cancel(question);
	done(done_arg, outcome, subject);
}

static int
send_name(struct lookup_question *question, const char *name)
{
	struct lookup_server *server = question->server;
	struct lookup_servers *servers = server->servers;
	uint8_t data[LOOKUP_NAME_SIZE + 8];
	struct wire_writer writer;

	if (++servers->last_number == 0)
		servers->last_number = 1;
	question->number = servers->last_number;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, question->number);
	wire_put_string(&writer, name);
	question->question = question_start(server->link, LOOKUP_NAME, data,
	    writer.len, servers->timeout_ms, on_answer, question);
	return question->question != NULL ? 0 : -1;
}

struct lookup_question *
lookup_question_start(struct lookup_server *server, const char *name,
    lookup_answered_fn *done, void *arg)
{
	struct lookup_question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->server = server;
	question->done = done;
	question->arg = arg;
	if (send_name(question, name) != 0) {
		free(question);
		return NULL;
	}
	server->outstanding++;
	return question;
}
