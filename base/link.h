/* SPDX-License-Identifier: ISC */
/*
 * A link joins two of our programs: typed messages over a SOCK_SEQPACKET
 * socket pair, and questions that get exactly one answer.
 *
 * A link belongs to one event loop.  Messages come whole, in order, or not
 * at all; what cannot be sent at once waits in a bounded queue.  A message
 * of an unknown type or a length out of its bounds closes the link: the
 * peer is not what it should be.
 *
 * Messages hold keys and passwords: what has been received is wiped when its
 * handler has returned, what had to wait when it has been sent or dropped.
 */
#ifndef BASE_LINK_H
#define BASE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct link;
struct question;

#define LINK_MESSAGE_MAX (192 * 1024)	   /* payload octets in a message */
#define LINK_QUEUE_MAX	 (4 * 1024 * 1024) /* octets that wait to be sent */

struct link_message {
	uint16_t type;
	uint64_t id;	     /* of the question or what the type says; or 0 */
	const uint8_t *data; /* borrowed for the call */
	size_t len;
	int fd; /* a descriptor that came along, or -1.  A handler that keeps
		 * it sets this to -1; else it is closed after the call. */
};

typedef void link_message_fn(void *arg, struct link_message *message);
/* The peer is gone (or broke the rules).  The owner frees the link, now or
 * later; it sends and receives nothing any more. */
typedef void link_closed_fn(void *arg);

/* What may arrive; a table ends with {.handle = NULL}. */
struct link_handler {
	uint16_t type;
	uint32_t min_len, max_len;
	link_message_fn *handle;
};

/* Makes both ends: SEQPACKET, non-blocking, close-on-exec, large buffers.
 * 0 or -errno. */
int link_pair(int fds[2]) must_check;

/*
 * Takes fd.  handlers and arg are borrowed for the link's life.  NULL and
 * errno if it could not (fd is closed then, too).
 */
struct link *
link_new(struct event_base *base, int fd, const struct link_handler *handlers,
    link_closed_fn *closed, void *arg) must_check;

/*
 * Fails the outstanding questions with ANSWER_LOST (their callbacks run
 * inside this call), drops what is queued, closes.  NULL is fine.  May be
 * called from any of the link's callbacks.
 */
void link_free(struct link *link);

/*
 * Sends or queues one message.  0; -ENOBUFS when the queue is full; -EPIPE
 * when the peer is gone; -EMSGSIZE.  Never calls back.
 */
int link_send(struct link *link, uint16_t type, uint64_t id, const void *data,
    size_t len) must_check;
/* The same with a descriptor: borrowed (duplicated if it has to wait). */
int link_send_fd(struct link *link, uint16_t type, uint64_t id,
    const void *data, size_t len, int fd) must_check;

size_t link_queued_bytes(const struct link *link);

/* Questions.  The answer is a message of any type with the question's id. */

enum answer_outcome {
	ANSWER_GIVEN,
	ANSWER_TIMEOUT, /* the deadline passed; a late answer is dropped */
	ANSWER_LOST	/* the link closed */
};

/* `answer` is NULL unless ANSWER_GIVEN.  The handle is gone. */
typedef void question_done_fn(
    void *arg, enum answer_outcome outcome, struct link_message *answer);

/*
 * Sends a question.  The callback comes exactly once, never before this has
 * returned, never after question_cancel.  NULL and errno (ENOBUFS, EPIPE,
 * ENOMEM, EMSGSIZE) when it could not be sent.
 */
struct question *
question_start(struct link *link, uint16_t type, const void *data, size_t len,
    unsigned timeout_ms, question_done_fn *done, void *arg) must_check;

/* The caller wants no answer any more; NULL is fine. */
void question_cancel(struct question *question);

#endif
