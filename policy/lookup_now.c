/* SPDX-License-Identifier: ISC */
/* What the directory says now, of a user or of an entry. */
#include "policy/lookup_now.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/link.h"
#include "base/link_pool.h"
#include "base/text.h"
#include "base/wire.h"
#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"

#define NAME_SIZE 1024
#define WHY_SIZE  1024

struct lookup_now {
	struct link_pool *links;
	uint32_t last_number;
	LIST_HEAD(, lookup_now_question) questions;
};

struct lookup_now_question {
	LIST_ENTRY(lookup_now_question) entry;
	struct link_pool_peer peer;
	struct inquiry *inquiry;
	uint32_t number; /* of a user's question, never 0 */
	/* What went ahead of the answer; NULL: it was not what it should be,
	 * or there was no memory. */
	struct provenance *found;
	struct subject *ahead;
	lookup_now_done_fn *done;
	void *arg;
};

/* ---- what comes ahead of an answer */

static void
forget_ahead(struct lookup_now_question *question)
{
	provenance_free(question->found);
	question->found = NULL;
	subject_unref(question->ahead);
	question->ahead = NULL;
}

/* What is wrong or cannot be kept is missed when the answer comes. */
static void
on_findings(void *arg, struct link_message *message)
{
	struct lookup_now *now = link_pool_owner(arg);
	uint32_t number = lookup_groups_number(message->data, message->len);
	struct lookup_now_question *question;

	LIST_FOREACH (question, &now->questions, entry)
		if (question->number == number)
			break;
	if (question == NULL || question->found == NULL)
		return;
	if (lookup_findings_decode(message->data, message->len, question->found,
		question->ahead) != 0)
		forget_ahead(question);
}

/* A late answer ends here. */
static void
on_unasked(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static const struct link_handler handlers[] = {
    {LOOKUP_FINDINGS, 4, LOOKUP_MESSAGE_MAX, on_findings},
    {LOOKUP_SUBJECT, 0, LOOKUP_MESSAGE_MAX, on_unasked},
    {LOOKUP_NOBODY, 0, 0, on_unasked},
    {LOOKUP_FAILED, 0, LOOKUP_MESSAGE_MAX, on_unasked},
    {LOOKUP_THERE, 0, 0, on_unasked},
    {LOOKUP_MISSING, 0, 0, on_unasked},
    {LOOKUP_ALIVE, 0, 0, on_unasked},
    {.handle = NULL},
};

static const struct link_pool_kind kind = {
    .name = "directory-lookup",
    .handlers = handlers,
    .probe = LOOKUP_PROBE,
};

struct lookup_now *
lookup_now_new(struct event_base *base, unsigned timeout_ms)
{
	struct lookup_now *now = calloc(1, sizeof(*now));

	if (now == NULL)
		return NULL;
	LIST_INIT(&now->questions);
	now->links = link_pool_new(base, &kind, timeout_ms);
	if (now->links == NULL) {
		free(now);
		return NULL;
	}
	link_pool_set_owner(now->links, now);
	return now;
}

void
lookup_now_free(struct lookup_now *now)
{
	if (now == NULL)
		return;
	while (!LIST_EMPTY(&now->questions))
		lookup_now_cancel(LIST_FIRST(&now->questions));
	link_pool_free(now->links);
	free(now);
}

void
lookup_now_link(struct lookup_now *now, uint32_t index, int fd)
{
	link_pool_link(now->links, index, fd);
}

/* ---- the answer */

static void
finish(struct lookup_now_question *question, struct lookup_now_answer *answer)
{
	lookup_now_done_fn *done = question->done;
	void *arg = question->arg;

	lookup_now_cancel(question);
	done(arg, answer);
	subject_unref(answer->subject);
	provenance_free(answer->provenance);
}

/* Each of its groups went ahead. */
static struct subject *
read_subject(const struct lookup_now_question *question,
    const struct link_message *message)
{
	struct subject *subject;

	if (question->found == NULL)
		return NULL;
	subject =
	    lookup_subject_decode(message->data, message->len, question->ahead);
	if (subject != NULL && subject->count != question->found->count) {
		subject_unref(subject);
		subject = NULL;
	}
	return subject;
}

static void
take_subject(struct lookup_now_question *question,
    const struct link_message *message, struct lookup_now_answer *answer)
{
	answer->subject = message->type == LOOKUP_SUBJECT
			      ? read_subject(question, message)
			      : subject_new(NULL);
	if (answer->subject == NULL) {
		answer->why = "an answer of directory-lookup is not whole";
		return;
	}
	answer->provenance = question->found;
	question->found = NULL;
}

/* A server's own words may be in it. */
static void
take_failure(const struct link_message *message, char why[WHY_SIZE])
{
	char text[WHY_SIZE] = "";
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, text, sizeof(text));
	if (reader.failed || text[0] == '\0')
		(void)strlcpy(text, "no reason given", sizeof(text));
	(void)text_quote(why, WHY_SIZE, text, strlen(text));
}

static void
take_answer(
    struct lookup_now_question *question, const struct link_message *message)
{
	struct lookup_now_answer answer = {.why = ""};
	bool is_of_user = question->number != 0;
	char why[WHY_SIZE];

	if (message->type == LOOKUP_FAILED) {
		take_failure(message, why);
		answer.why = why;
	} else if (is_of_user && (message->type == LOOKUP_SUBJECT ||
				     message->type == LOOKUP_NOBODY)) {
		take_subject(question, message, &answer);
	} else if (!is_of_user && (message->type == LOOKUP_THERE ||
				      message->type == LOOKUP_MISSING)) {
		answer.is_there = message->type == LOOKUP_THERE;
	} else {
		answer.why = "directory-lookup answers something else";
	}
	finish(question, &answer);
}

static void
on_answer(void *arg, enum inquiry_outcome outcome, struct link_message *message)
{
	static const char *const whys[] = {
	    [INQUIRY_TIMEOUT] = "directory-lookup does not answer in time",
	    [INQUIRY_LOST] = "directory-lookup is not there",
	    [INQUIRY_BUSY] = "directory-lookup is busy",
	};
	struct lookup_now_question *question = arg;
	struct lookup_now_answer answer = {.why = ""};

	question->inquiry = NULL;
	if (outcome == INQUIRY_ANSWERED) {
		take_answer(question, message);
		return;
	}
	answer.why = whys[outcome];
	finish(question, &answer);
}

/* ---- the question */

static struct lookup_now_question *
question_new(struct lookup_now *now, lookup_now_done_fn *done, void *arg)
{
	struct lookup_now_question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->done = done;
	question->arg = arg;
	LIST_INSERT_HEAD(&now->questions, question, entry);
	return question;
}

/* Takes the question. */
static struct lookup_now_question *
ask(struct lookup_now *now, struct lookup_now_question *question, uint16_t type,
    const struct wire_writer *data)
{
	if (!data->failed) {
		question->inquiry = inquiry_start(now->links, &question->peer,
		    type, data->data, data->len, on_answer, question);
		errno = ENOMEM;
	} else {
		errno = EINVAL;
	}
	if (question->inquiry != NULL)
		return question;
	lookup_now_cancel(question);
	return NULL;
}

struct lookup_now_question *
lookup_now_user(struct lookup_now *now, const char *name,
    lookup_now_done_fn *done, void *arg)
{
	/* What directory-lookup takes, with its length and its NUL. */
	uint8_t data[NAME_SIZE - 1 + 8];
	struct wire_writer writer;
	struct lookup_now_question *question = question_new(now, done, arg);

	if (question == NULL)
		return NULL;
	if (++now->last_number == 0)
		now->last_number = 1;
	question->number = now->last_number;
	question->found = provenance_new();
	question->ahead = subject_new(NULL);
	if (question->found == NULL || question->ahead == NULL) {
		lookup_now_cancel(question);
		errno = ENOMEM;
		return NULL;
	}
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, question->number);
	wire_put_string(&writer, name);
	return ask(now, question, LOOKUP_EXPLAIN, &writer);
}

struct lookup_now_question *
lookup_now_entry(
    struct lookup_now *now, const char *dn, lookup_now_done_fn *done, void *arg)
{
	uint8_t data[LOOKUP_DN_MAX - 1 + 4];
	struct wire_writer writer;
	struct lookup_now_question *question = question_new(now, done, arg);

	if (question == NULL)
		return NULL;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_string(&writer, dn);
	return ask(now, question, LOOKUP_ENTRY, &writer);
}

void
lookup_now_cancel(struct lookup_now_question *question)
{
	if (question == NULL)
		return;
	LIST_REMOVE(question, entry);
	inquiry_cancel(question->inquiry);
	forget_ahead(question);
	free(question);
}
